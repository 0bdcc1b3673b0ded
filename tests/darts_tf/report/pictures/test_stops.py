"""The picture of a replay: its marks and its key are read back from the file."""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from matplotlib.image import imread

from darts_tf.report.pictures.stops import StopsPanel, stops_picture
from darts_tf.runs.replays import Replay
from darts_tf.spaces.darts import DARTS
from darts_tf.study.stops import replay
from tests.stopping import history


def panel(records, title="runs/a"):
    return StopsPanel(title, records, replay(records, DARTS))


def words_of(svg):
    root = ET.fromstring(svg)
    return ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]


def test_each_epoch_of_a_stop_has_one_letter_and_the_key_its_readings():
    found = panel(history([0, 1, 2, 2, 4, 4], [0, 0, 3, 3, 3, 3]))
    words = words_of(stops_picture([found], "svg"))
    marks = found.replay.by_epoch()
    assert list(marks) == [2, 4, None]
    for letter in ("A", "B"):
        assert words.count(letter) == 2  # above the plots, and in the key
    assert "C" not in words
    assert [word for word in words if word.startswith("after epoch")] == [
        "after epoch 2",
        "after epoch 4",
    ]
    assert "never" in words
    told = " ".join(words)
    for readings in marks.values():
        for criterion, names in readings.items():
            assert f"{criterion}: {names[0]}" in told
    assert {"runs/a", "Normal cell", "Reduction cell", "epoch", "skip-connects"} <= set(words)


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_same_searches_give_the_same_picture(form):
    panels = [panel(history([0, 2, 4])), panel(history([1, 1]), "runs/b")]
    once, again = stops_picture(panels, form), stops_picture(panels, form)
    assert once == again
    if form == "png":
        assert imread(io.BytesIO(once)).shape[1] > imread(io.BytesIO(once)).shape[0] / 3
    else:
        assert {"runs/a", "runs/b"} <= set(words_of(once))


def test_a_single_epoch_and_one_without_accuracies_are_drawn():
    one = history([2])
    silent = [type(r)(r.epoch, {}, r.skip_connects, {}, r.genotype) for r in history([0, 1, 2])]
    words = words_of(stops_picture([panel(one), panel(silent)], "svg"))
    assert sum("accuracy" in word for word in words) == 1
    assert stops_picture([StopsPanel("none", one, Replay())], "png")


def test_a_search_on_a_text_has_its_perplexity_drawn():
    records = history([0, 1, 2], measures=[{"valid_perplexity": 9.0 - n} for n in range(3)])
    words = words_of(stops_picture([panel(records)], "svg"))
    assert "perplexity" in words
    assert not any("accuracy" in word for word in words)


def test_letters_of_stops_side_by_side_do_not_overlap():
    counts = [min(4, epoch) for epoch in range(50)]
    found = panel(history(counts, [0, *counts[:-1]]))
    root = ET.fromstring(stops_picture([found], "svg"))
    places = {}
    for each in root.iter():
        letter = "".join(each.itertext())
        if each.tag.endswith("}text") and letter in {"A", "B", "C", "D"}:
            x, y = map(float, re.findall(r"[\d.]+", each.get("transform"))[-2:])
            places.setdefault(letter, []).append((x, y))
    above = [min(both) for both in places.values()]  # the other one stands in the key, at the right
    assert len(above) == len(found.replay.by_epoch()) - 1 == 4
    for one, other in combinations(above, 2):
        assert math.dist(one, other) > 12
