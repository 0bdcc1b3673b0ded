"""The page of repeated training runs: mean, standard deviation and best of their errors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.report import repeats
from darts_tf.runs.directory import RunDirectory
from tests.histories import repeated


def errors_of(run):
    paths = run.path.glob("seed_*/result.json")
    results = {int(path.parent.name[5:]): json.loads(path.read_text()) for path in paths}
    return {seed: results[seed]["top1_error_percent"] for seed in sorted(results)}


def test_the_errors_are_summarized_as_in_the_papers_table(tmp_path, seed):
    run = repeated(tmp_path / "run", seed)
    errors = list(errors_of(run).values())
    page = repeats.page(RunDirectory.open(run.path))
    assert page.about == "3 training runs on digits with different seeds."
    mean, deviation = np.mean(errors), np.std(errors, ddof=1)
    spread = f"{mean:.2f} \N{PLUS-MINUS SIGN} {deviation:.2f} % (best {min(errors):.2f})"
    assert dict(page.facts) == {
        "Test error": spread,
        "Test error, top 5": "0.28 \N{PLUS-MINUS SIGN} 0.00 % (best 0.28)",
        "Parameters": "3,349,342",
        "Multiply-adds": "539,000,000",
        "Cost": "4.50 device-days, GPU",
    }


def test_errors_are_drawn_by_seed_and_curves_by_epoch(tmp_path, seed):
    run = repeated(tmp_path / "run", seed)
    charts = repeats.page(run).data["charts"]
    scores = charts["scores"][0]
    assert scores["labels"] == list(errors_of(run))
    assert scores["series"][0]["values"] == pytest.approx(list(errors_of(run).values()))
    [loss, _] = charts["learning"]
    assert [series["name"] for series in loss["series"]] == [
        f"seed {number}" for number in errors_of(run)
    ]


def test_those_of_language_models_tell_their_perplexities(tmp_path, seed):
    run = repeated(tmp_path / "run", seed)
    values = []
    for path in sorted(run.path.glob("seed_*/result.json")):
        result = json.loads(path.read_text())
        values.append(10 * result.pop("top1_error_percent"))
        del result["top5_error_percent"]
        path.write_text(json.dumps(result | {"test_perplexity": values[-1]}))
    page = repeats.page(RunDirectory.open(run.path))
    spread = f"{np.mean(values):.2f} \N{PLUS-MINUS SIGN} {np.std(values, ddof=1):.2f}"
    assert dict(page.facts)["Test perplexity"] == f"{spread} (best {min(values):.2f})"
    assert "Perplexities by seed" in dict(page.sections)
    [chart] = page.data["charts"]["scores"]
    assert chart["title"] == "Test perplexity by seed"


def test_under_way_it_tells_how_many_have_ended(tmp_path, seed):
    page = repeats.page(repeated(tmp_path / "run", seed, ended=1, begun=2))
    assert not page.finished
    assert page.about == "Repeated training runs on digits, under way: 1 of 3."
    runs = dict(page.sections)["Training runs"]
    assert [runs.count(state) for state in (">finished", ">under way")] == [1, 1]
    assert "\N{PLUS-MINUS SIGN}" not in dict(page.facts)["Test error"]
