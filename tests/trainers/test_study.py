"""The program `trainers.study`: presets, refusals before TensorFlow, and a whole small study."""

import csv
import json
import re

import numpy as np
import pytest

from darts_tf import spaces
from darts_tf.command_line.parsing import parse
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.sources.text_file import text_facts
from tests.processes import finish, start
from tests.small_space import registration
from tests.trainers.programs import refused
from trainers import presets
from trainers.study import StudySettings

_SMALL = [
    "--dataset=digits",
    "--space=small",
    "--searches=2",
    "--trainings=1",
    "--epochs=2",
    "--layers=3",
    "--init_channels=2",
    "--batch_size=64",
    "--threads=1",
    "--search_images=200",
    "--train_images=200",
    "--stops=end,epoch:0,stable_ranking:1",
    "--network_epochs=1",
    "--network_layers=3",
    "--network_init_channels=2",
    "--network_batch_size=64",
]
_RUN = (
    registration()
    + """
import contextlib, io
from trainers import study
told = io.StringIO()
with contextlib.redirect_stdout(told):
    for arguments in given:
        study.main(arguments)
print()
print(json.dumps(told.getvalue()))
"""
)


@pytest.mark.parametrize("name", presets.names("study"))
def test_every_preset_is_a_study_of_a_data_set_that_is_known(name):
    settings, _ = parse([f"--flagfile={name}"], StudySettings, "", presets=presets.folder("study"))
    facts = DATASETS[settings.dataset].resized(settings.image_size)
    if spaces.get(settings.space).data_kind == "text":  # which the user names
        facts = text_facts("text_file:book.txt", ["a", "b"], 30_000, 3_000)
    assert settings.resolved(facts).rules()
    text = (presets.folder("study") / name).read_text(encoding="utf-8")
    assert f"python -m trainers.study --flagfile={name}" in text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--stops=sometimes"], "--stops: expected rules among"),
        (["--stop_criterion=skip_connects"], "--stop_criterion: expected none"),
        (["--beside=nets"], "--beside: expected methods among"),
        (["--searches=0"], "--searches"),
        (["--dataset=digits", "--search_images=2000"], "--search_images: expected at most"),
    ],
)
def test_mistakes_are_told_before_tensorflow_is_imported(flags, words, tmp_path):
    assert words in refused("trainers.study", *flags, cwd=tmp_path)


def test_a_study_searches_trains_and_tells(tmp_path):
    run = tmp_path / "study"
    flags = [*_SMALL, f"--data_dir={tmp_path / 'data'}", f"--run_dir={run}"]
    # The first one prepares the data set, on as many threads as are asked for.
    [text] = finish(start(_RUN, flags, flags, [*flags, "--dry_run"]))
    told = json.loads(text)
    assert re.search(r"\n2 searches, [0-9.]+ hours; at most 8 trainings, [0-9.]+ hours\n$", told)
    first, again = (part.partition("page: ")[0] for part in told.split("method ")[1:])
    assert first == again
    assert first.count("darts ") == 3
    assert "this run is finished" in told
    rows = json.loads((run / "study.json").read_text())["rows"]
    assert [(row["method"], row["rule"]) for row in rows] == [
        ("darts", "end"),
        ("darts", "epoch:0"),
        ("darts", "stable_ranking:1"),
        ("random", ""),
    ]
    with (run / "cells.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 8
    for line in lines:
        answers = np.load(run / line["training"] / "answers.npy")
        assert answers.shape == (360,)
        assert answers.max() < 10
    assert (run / "report.html").exists()
    for seed in (0, 1):
        assert len((run / f"searches/darts_{seed}/history.jsonl").read_text().splitlines()) == 2


@pytest.mark.long
def test_the_smoke_study_runs_as_it_stands(tmp_path):
    run = tmp_path / "study"
    words = [f"--data_dir={tmp_path / 'data'}", f"--run_dir={run}"]
    finish(start(_RUN, ["--flagfile=digits_smoke.flags", *words]))
    rows = json.loads((run / "study.json").read_text())["rows"]
    assert len(rows) == 6
    assert all(row["searches"] == 2 for row in rows)
    errors = [row["error_percent"]["mean"] for row in rows]
    assert max(errors) < 60  # nine of ten is chance
