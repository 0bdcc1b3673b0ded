"""The page of a tuning run: what it shows is what keras-tuner and the searches wrote."""

from __future__ import annotations

import json

import pytest

from darts_tf.errors import UserError
from darts_tf.report import tuning, write_comparison
from darts_tf.report.runs import read_run
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import read_genotype
from tests.histories import tuned


@pytest.fixture
def run(tmp_path, seed):
    return tuned(tmp_path / "run", seed)


def scores_of(run):
    trials = json.loads(run.trials.read_text())["trials"]
    return {trial["trial_id"]: trial["score"] for trial in trials if trial["score"]}


def test_the_best_trial_is_told_with_its_score_its_cells_and_its_settings(run):
    scores = scores_of(run)
    best = max(scores, key=scores.__getitem__)
    page = tuning.page(RunDirectory.open(run.path))
    assert f"finished: trial {best} is the best of 6" in page.about
    assert dict(page.facts) == {
        "Trials": "6 of 6",
        "Best validation accuracy": f"{100 * scores[best]:.1f} %",
        "Best trial": best,
    }
    found = json.loads((run.trial(best) / "search" / "genotype.json").read_text())
    [cells] = page.data["genotypes"]
    genotype = read_genotype(found)
    drawn = [tuple(edge) for node in cells["normal"]["nodes"] for edge in node]
    assert drawn == list(genotype.normal)
    [values] = [
        trial["hyperparameters"]["values"]
        for trial in json.loads(run.trials.read_text())["trials"]
        if trial["trial_id"] == best
    ]
    settings = dict(page.sections)["Settings of the best trial"]
    for value in values.values():
        assert f"<dd>{value:.4g}</dd>" in settings


def test_scores_are_drawn_by_trial_and_the_best_so_far_never_falls(run):
    scores = scores_of(run)
    [chart] = tuning.page(run).data["charts"]["scores"]
    drawn = {series["name"]: series["values"] for series in chart["series"]}
    assert chart["labels"] == list(scores)
    percents = [100 * score for score in scores.values()]
    assert drawn["trial"] == pytest.approx(percents, rel=1e-5)
    leaders = [max(percents[: number + 1]) for number in range(len(percents))]
    assert drawn["best so far"] == pytest.approx(leaders, rel=1e-5)


def test_trials_with_fewer_epochs_do_not_win(run):
    state = json.loads(run.trials.read_text())
    state["trials"][1]["score"] = 0.999
    state["trials"][1]["hyperparameters"]["values"]["tuner/epochs"] = 3
    run.write_json(run.trials, state)
    trials, _ = tuning.read_trials(run, run.settings())
    assert [trial.epochs for trial in trials] == [12, 3, 12, 12, 12, 12]
    assert dict(tuning.page(run).facts)["Best trial"] != "1"


def test_a_tuning_run_under_way_shows_the_trials_so_far(tmp_path, seed):
    page = tuning.page(tuned(tmp_path / "run", seed, 3, finished=False))
    assert not page.finished
    assert page.about == "A tuning run on digits, under way: trials that have ended: 3."
    [trials] = [body for heading, body in page.sections if heading == "Trials"]
    assert [trials.count(state) for state in (">finished", ">diverged", ">under way")] == [2, 1, 1]


def test_without_a_trial_it_has_a_page_too(tmp_path, seed):
    run = tuned(tmp_path / "run", seed, 0, finished=False)
    assert "The first trial is under way" in tuning.page(run).html()
    run.trials.unlink()
    assert "The first trial is under way" in tuning.page(run).html()


def test_a_trial_of_another_machine_has_no_cells_here(run):
    scores = scores_of(run)
    best = max(scores, key=scores.__getitem__)
    (run.trial(best) / "search" / "config.flags").unlink()
    page = tuning.page(run)
    assert page.data["genotypes"] == [None]
    assert "Cells of the best trial" not in dict(page.sections)


def test_every_setting_is_explained(run):
    page = tuning.page(run)
    assert "keeps one trial of so many" in dict(page.sections)["Settings"]


def test_in_a_comparison_its_searches_stand_for_it(run, tmp_path):
    text = write_comparison([run.path, run.trial("0") / "search"], tmp_path / "all.html")
    assert "7 searches, side by side" in text.read_text()
    searches = tuning.searches(run)
    assert list(searches) == ["0", "1", "2", "3", "4", "5"]
    assert searches["2"] == read_run(RunDirectory.open(run.trial("2") / "search"))


@pytest.mark.parametrize("content", ["{}", '{"trials": [{}]}', '{"trials": 3}', "[]"])
def test_a_damaged_state_is_told_in_one_line(content, run):
    run.trials.write_text(content)
    with pytest.raises(UserError, match=r"trials\.json: expected"):
        tuning.page(run)
