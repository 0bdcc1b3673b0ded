"""The section of a search's page that tells what each criterion would have done."""

from __future__ import annotations

import html
import re

from darts_tf.report import write_comparison, write_report
from darts_tf.report.stops import HEADING, section, stop_texts
from darts_tf.runs.replays import Replay, ReplayedStop
from darts_tf.spaces.darts import DARTS
from darts_tf.study.page import complete_page, replay_of
from darts_tf.study.stops import replay
from tests.histories import searched, trained
from tests.stopping import history


def cells_of(text):
    """The rows of the section's table, as texts."""
    part = text.partition(f">{HEADING}<")[2].partition("</section>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part)
    return [
        [
            html.unescape(re.sub(r"<[^>]*>", "", cell))
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row)
        ]
        for row in rows
    ]


def criteria_of(rows):
    return list(dict.fromkeys(row[0] for row in rows))


def test_a_few_readings_are_all_shown():
    stops = tuple(ReplayedStop("mine", str(n), n, n, {}, {}, 0.5) for n in range(12))
    _, text = section(Replay(stops))
    assert "<details>" not in text
    assert cells_of(f">{HEADING}<{text}")[1:] == stop_texts(Replay(stops))[1:]


def test_a_search_on_a_text_has_the_perplexity_of_each_stop():
    measures = [{"valid_perplexity": 90.25 - epoch, "train_perplexity": 1.0} for epoch in range(4)]
    found = replay(history([0, 1, 2, 3], measures=measures), DARTS)
    head, *rows = stop_texts(found)
    assert head[-1] == "perplexity"
    assert {(row[3], row[-1]) for row in rows} == {("2", "88.2"), ("3", "87.2")}
    about = section(found)[1].partition("</p>")[0]
    assert "validation perplexity" in about
    assert "accuracy" not in about


def test_the_page_has_a_row_for_each_reading(tmp_path, seed):
    run = searched(tmp_path / "run", seed, 12)
    found = replay_of(run.path)
    text = write_report(run.path, found).read_text()
    head, *rows = stop_texts(found)
    shown, _, everything = text.partition(f"<summary>All {len(rows)} readings<")
    assert cells_of(f">{HEADING}<{everything}") == [head, *rows]
    first = [next(row for row in rows if row[0] == name) for name in criteria_of(rows)]
    assert cells_of(shown) == [head, *first]
    assert all(html.escape(line) in text for line in found.left_out)
    alone = write_comparison([run.path], tmp_path / "alone.html", found)
    assert alone.read_text() == text
    complete_page(run)
    assert run.report.read_text() == text
    assert HEADING not in write_report(run.path).read_text()


def test_other_runs_and_searches_without_an_epoch_have_none(tmp_path, seed, caplog):
    training = trained(tmp_path / "training", seed, 2)
    begun = searched(tmp_path / "begun", seed, 0, finished=False)
    for run in (training, begun):
        assert replay_of(run.path) is None
        complete_page(run)
        assert not run.report.exists()
        assert HEADING not in write_report(run.path, replay_of(run.path)).read_text()
    assert not caplog.records


def test_a_page_that_cannot_be_completed_ends_nothing(tmp_path, seed, caplog):
    run = searched(tmp_path / "run", seed, 2)
    with run.history.open("a") as file:
        file.write("{}\n")
    complete_page(run)
    [record] = caplog.records
    assert "history.jsonl, line 3" in record.getMessage()


def test_words_of_others_are_escaped():
    stop = ReplayedStop("<b>", "a & b", 3, 2, {"normal": 1}, {"normal": 2}, None)
    heading, text = section(Replay((stop,), ("<i>: left out",)))
    assert heading == HEADING
    assert "&lt;b&gt;" in text
    assert "a &amp; b" in text
    assert "&lt;i&gt;: left out" in text
