"""Several runs side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from darts_tf.report import comparison
from darts_tf.report.runs import read_run
from tests.histories import searched, trained


@pytest.fixture
def runs(tmp_path, seed):
    return [
        read_run(searched(tmp_path / "short", seed, 3, init_channels=4)),
        read_run(searched(tmp_path / "long", seed + 1, 5)),
        read_run(trained(tmp_path / "trained", seed, 4)),
    ]


def test_each_curve_has_the_values_of_its_run(runs, tmp_path):
    charts = comparison.content(["a", "b", "c"], runs)["charts"]["learning"]
    [valid] = [chart for chart in charts if chart["title"] == "Validation loss, nats"]
    assert [series["name"] for series in valid["series"]] == ["a", "b"]
    for series, name in zip(valid["series"], ("short", "long"), strict=True):
        lines = (tmp_path / name / "history.jsonl").read_text().splitlines()
        wanted = [json.loads(line)["valid_loss"] for line in lines]
        assert series["values"] == pytest.approx(wanted, rel=1e-5)
    [train] = [chart for chart in charts if chart["title"] == "Training loss, nats"]
    assert [len(series["values"]) for series in train["series"]] == [3, 5, 4]


def test_searches_on_texts_are_compared_by_their_perplexity(runs):
    lines = [
        {**line, "measures": {"valid_perplexity": 90.0 - line["epoch"]}} for line in runs[1].history
    ]
    of_text = replace(runs[1], history=tuple(lines))
    charts = comparison.content(["a", "b"], [runs[0], of_text])["charts"]["learning"]
    [chart] = [chart for chart in charts if chart["title"] == "Validation perplexity in rows"]
    assert chart["series"] == [{"name": "b", "values": [90, 89, 88, 87, 86]}]
    outcomes = dict(comparison.page([runs[0], of_text]).sections)["Outcomes"]
    assert "Validation perplexity in rows" in outcomes
    assert "86.0" in outcomes


def test_the_epochs_are_those_of_the_longest_run(runs):
    assert comparison.content(["a", "b", "c"], runs)["epochs"] == [0, 1, 2, 3, 4]


def test_only_settings_that_differ_are_told(runs):
    found = comparison.differing(runs[:2])
    assert found["init_channels"] == ["4", "16"]
    assert found["epochs"] == ["3", "5"]
    assert set(found) <= {"init_channels", "epochs", "seed"}
    assert comparison.differing([runs[0], runs[0]]) == {}
    assert found | comparison.differing(runs) == comparison.differing(runs)
    assert not {"cutout", "train_portion"} & set(comparison.differing(runs))


def test_every_genotype_is_there_to_copy(runs):
    text = comparison.page(runs).html()
    assert text.count("data-copies=") == 3
    for run in runs:
        for edges in run.genotype.to_dict().values():
            assert json.dumps(edges).replace('"', "&quot;") in text


def test_runs_of_one_name_go_by_their_paths(runs, tmp_path, seed):
    twin = read_run(searched(tmp_path / "other" / "short", seed, 1))
    names = comparison.distinct_names([runs[0], twin])
    assert names == [str(tmp_path / "short"), str(tmp_path / "other" / "short")]
    assert len(set(comparison.distinct_names([twin, twin]))) == 2
