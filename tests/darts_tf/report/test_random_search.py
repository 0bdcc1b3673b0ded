"""The page of a random search: its samples are those of the training runs in its directory."""

from __future__ import annotations

import json

import pytest

from darts_tf.report import random_search
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import read_genotype
from tests.histories import random_searched


@pytest.fixture
def run(tmp_path, seed):
    return random_searched(tmp_path / "run", seed)


def errors_of(run):
    errors = {
        int(path.parent.name.removeprefix("seed_")): json.loads(path.read_text())
        for path in run.path.glob("seed_*/result.json")
    }
    return {str(seed): errors[seed]["valid_top1_error_percent"] for seed in sorted(errors)}


def test_the_best_sample_is_told_with_its_accuracy_its_cells_and_the_cost(run):
    errors = errors_of(run)
    best = min(errors, key=errors.__getitem__)
    page = random_search.page(RunDirectory.open(run.path))
    assert page.about == "A random search on digits, finished: the best of 6 random genotypes."
    assert dict(page.facts) == {
        "Samples": "6 of 6",
        "Cost": "6.0 device-hours, GPU",
        "Best validation accuracy": f"{100 - errors[best]:.1f} %",
        "Best sample": best,
    }
    outcome = read_genotype(json.loads(run.outcome.read_text()))
    [cells] = page.data["genotypes"]
    drawn = [tuple(edge) for node in cells["reduce"]["nodes"] for edge in node]
    assert drawn == list(outcome.reduce)


def test_accuracies_are_drawn_by_seed(run):
    errors = errors_of(run)
    [chart] = random_search.page(run).data["charts"]["scores"]
    drawn = {series["name"]: series["values"] for series in chart["series"]}
    assert chart["labels"] == list(errors)
    accuracies = [100 - error for error in errors.values()]
    assert drawn["sample"] == pytest.approx(accuracies, rel=1e-5)
    assert drawn["best so far"][-1] == pytest.approx(max(accuracies), rel=1e-5)


def test_under_way_it_shows_what_ended_what_diverged_and_what_is_trained(tmp_path, seed):
    page = random_search.page(random_searched(tmp_path / "run", seed, 2, finished=False))
    assert not page.finished
    assert page.about == "A random search on digits, under way: 3 of 6 samples."
    samples = dict(page.sections)["Samples"]
    states = (">finished", ">diverged", ">under way: 4 of 4 epochs")
    assert [samples.count(state) for state in states] == [2, 1, 1]


def test_without_a_training_it_has_a_page_too(tmp_path, seed):
    run = RunDirectory(tmp_path / "run", "random_search")
    run.claim([f"--seed={seed % 1000}", "--samples=4", "--dataset=digits"])
    assert "The first sample is under way" in random_search.page(run).html()
