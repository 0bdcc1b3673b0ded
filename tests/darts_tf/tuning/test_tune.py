"""Tunes: trials repeat, survive being killed anywhere, and are shared by processes.

Most have a stand-in for what a trial is worth; one trial is real.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import secrets
import socket
from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras_tuner.src.distribute import oracle_client

from darts_tf import data, spaces
from darts_tf.errors import DivergenceError, UserError
from darts_tf.report import tuning as tuning_page
from darts_tf.runs.cluster import WorkerLost
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Interrupted
from darts_tf.runs.quality import ACCURACY
from darts_tf.spaces.genotype import read_genotype
from darts_tf.tuning import oracles as tuning_oracles
from darts_tf.tuning.config import TuningConfig
from darts_tf.tuning.tune import tune
from tests.processes import SHORT_RUN, finish, start
from tests.small_space import SMALL, registration

TUNERS = {
    "random": {"trials": 5},
    "bayesian": {"trials": 5},
    "hyperband": {"epochs": 4, "hyperband_factor": 2, "network_epochs": 8},
}


class Worth:
    """Stands in for a trial: best at a learning rate of 0.07; ends the process where it is told."""

    def __init__(self, end_at=None, error=KeyboardInterrupt):
        self.end_at, self.error = end_at, error
        self.begun = []
        self.ended = []

    def __call__(self, search, training, folder):
        self.begun.append(folder.name)
        if len(self.begun) - 1 == self.end_at:
            raise self.error
        self.ended.append(folder.name)
        away = abs(math.log10(search.learning_rate / 0.07))
        return round(0.9 - away / 3 - 0.1 / training.epochs, 6)


@pytest.fixture(params=TUNERS)
def config(request, seed):
    settings = {"dataset": "digits", "tuner": request.param, "tune": "learning_rate", "seed": seed}
    return TuningConfig(**settings | TUNERS[request.param])


def written(path):
    return [(path / name).read_bytes() for name in ("tuning.json", "best.flags", "config.flags")]


def drawn(path):
    """The values of the trials to the last digit, before they are rounded."""
    state = json.loads((path / "trials.json").read_text())
    return [trial["hyperparameters"]["values"] for trial in state["trials"]]


def test_criteria_that_have_no_name_are_taken_and_unknown_names_refused(tmp_path, seed):
    config = TuningConfig(dataset="digits", trials=1, tune="learning_rate", seed=seed)
    told = tune(config, tmp_path / "run", Worth(), criterion=lambda records: None)
    assert len(told["trials"]) == 1
    with pytest.raises(UserError, match=r"^unknown criterion 'x'"):
        tune(replace(config, stop_criterion="x"), tmp_path / "unknown", Worth())
    with pytest.raises(UserError, match=r"tune: .*unknown criterion 'x'"):
        replace(config, tune="stop_criterion:none:x")


def test_a_seed_gives_the_same_trials_and_another_gives_others(config, tmp_path):
    found = [tune(config, tmp_path / name, Worth()) for name in ("one", "two")]
    assert written(tmp_path / "one") == written(tmp_path / "two")
    assert found[0] == found[1] == json.loads((tmp_path / "one" / "tuning.json").read_text())
    other = TuningConfig(**vars(config) | {"seed": config.seed // 2 + 1})
    settings = [one["settings"] for one in tune(other, tmp_path / "other", Worth())["trials"]]
    assert settings[0] != found[0]["trials"][0]["settings"]


def test_a_file_named_stop_ends_it_after_the_trial_under_way(config, tmp_path):
    run = RunDirectory(tmp_path, "tune")

    def worth(search, training, folder):
        if len(begun) == 2:
            run.stop.touch()
        begun.append(folder.name)
        return 0.5

    begun = []
    found = tune(config, tmp_path, worth)
    assert [one["trial"] for one in found["trials"]] == begun
    assert len(begun) == 3
    assert found["ended_by_hand"]
    assert not run.stop.exists()
    about = tuning_page.page(run).about
    assert about.endswith("of 3; a file named stop was in the run's directory.")


def test_seed_0_is_a_seed(tmp_path):
    """keras-tuner takes 0 for none."""
    config = TuningConfig(dataset="digits", trials=2, seed=0)
    for name in ("one", "two"):
        tune(config, tmp_path / name, Worth())
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_the_best_has_the_best_score_and_the_outcome_is_complete(config, tmp_path):
    worth = Worth()
    found = tune(config, tmp_path / "run", worth)
    trials = found["trials"]
    assert [one["trial"] for one in trials] == worth.ended
    most = max(one["epochs"] for one in trials)
    assert most == config.epochs
    scores = [one["valid_accuracy"] for one in trials if one["epochs"] == most]
    assert found["best"]["valid_accuracy"] == max(scores)
    assert found["best"] in trials
    for one in trials:
        rate = one["settings"]["learning_rate"]
        assert 0.01 <= rate <= 0.5
        network = math.ceil(config.network_epochs * one["epochs"] / config.epochs)
        away = abs(math.log10(rate / 0.07))
        assert one["valid_accuracy"] == pytest.approx(0.9 - away / 3 - 0.1 / network, abs=1e-6)
    if config.tuner != "hyperband":
        assert len(trials) == config.trials


def test_the_page_tells_the_trials_under_way_and_in_the_end(config, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        tune(config, path, Worth(end_at=1))
    text = (path / "report.html").read_text()
    assert "A tuning run on digits, under way: trials that have ended: 1." in text
    outcome = tune(config, path, Worth())
    page = tuning_page.page(RunDirectory.open(path))
    assert (path / "report.html").read_text() == page.html()
    facts = dict(page.facts)
    assert facts["Best trial"] == outcome["best"]["trial"]
    assert facts["Best validation accuracy"] == f"{100 * outcome['best']['valid_accuracy']:.1f} %"
    trials, _ = tuning_page.read_trials(RunDirectory.open(path), {"epochs": str(config.epochs)})
    assert [trial.epochs for trial in trials] == [one["epochs"] for one in outcome["trials"]]
    for trial, one in zip(trials, outcome["trials"], strict=True):
        assert {name: float(text) for name, text in trial.details.items()} == one["settings"]


def test_hyperband_goes_on_with_the_better_ones(seed, tmp_path):
    settings = {"dataset": "digits", "tuner": "hyperband", "tune": "learning_rate", "seed": seed}
    config = TuningConfig(**settings | TUNERS["hyperband"])
    trials = tune(config, tmp_path / "run", Worth())["trials"]
    # Its first bracket, by the formula: 4 trials of 1 epoch, 2 of 2, 1 of 4.
    assert [one["epochs"] for one in trials[:7]] == [1, 1, 1, 1, 2, 2, 4]
    rounds = [trials[:4], trials[4:6], trials[6:7]]
    for begun, kept in itertools.pairwise(rounds):
        ranked = sorted(begun, key=lambda one: -one["valid_accuracy"])
        assert [one["settings"] for one in kept] == [one["settings"] for one in ranked[: len(kept)]]


def test_a_tune_that_ends_in_any_trial_goes_on_and_repeats_none(config, tmp_path):
    whole = Worth()
    tune(config, tmp_path / "whole", whole)
    cuts = range(len(whole.ended)) if config.tuner != "bayesian" else (3,)
    for cut in cuts:
        path = tmp_path / str(cut)
        first, second = Worth(end_at=cut), Worth()
        with pytest.raises(KeyboardInterrupt):
            tune(config, path, first)
        tune(config, path, second)
        assert first.ended + second.ended == whole.ended
        assert second.begun[0] == first.begun[-1]
        assert drawn(path) == drawn(tmp_path / "whole")
        assert written(path) == written(tmp_path / "whole")


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
@pytest.mark.parametrize("before", [True, False])
def test_a_tune_that_ends_at_any_write_of_its_state_goes_on(
    tuner, before, seed, tmp_path, monkeypatch
):
    settings = {"dataset": "digits", "tuner": tuner, "tune": "learning_rate", "seed": seed}
    few = {"trials": 3} if tuner == "random" else {"epochs": 2, "hyperband_factor": 2}
    config = TuningConfig(**settings | few)
    tune(config, tmp_path / "whole", Worth())
    write = RunDirectory.write_json
    cut, finished = 0, False
    while not finished:
        left = [cut]

        def ending(run, path, value, left=left):
            left[0] -= 1
            if left[0] == -1 and before:
                raise KeyboardInterrupt
            write(run, path, value)
            if left[0] == -1:
                raise KeyboardInterrupt

        monkeypatch.setattr(RunDirectory, "write_json", ending)
        try:
            tune(config, tmp_path / str(cut), Worth())
            finished = True
        except KeyboardInterrupt:
            monkeypatch.setattr(RunDirectory, "write_json", write)
            tune(config, tmp_path / str(cut), Worth())
        assert written(tmp_path / str(cut)) == written(tmp_path / "whole")
        cut += 1
    assert cut > 2 * few.get("trials", 5)


def test_a_finished_tune_is_read_and_other_flags_refused(seed, tmp_path):
    config = TuningConfig(dataset="digits", trials=2, seed=seed)
    first = tune(config, tmp_path / "run", Worth())
    worth = Worth()
    assert tune(config, tmp_path / "run", worth) == first
    assert not worth.begun
    other = TuningConfig(**vars(config) | {"network_layers": 5})
    with pytest.raises(UserError, match=r"--network_layers \(8 there, 5 now\)"):
        tune(other, tmp_path / "run", worth)


@pytest.mark.parametrize(
    "error", [UserError("data_dir: gone"), Interrupted(15, "here"), ZeroDivisionError("a bug")]
)
def test_an_error_of_a_trial_ends_the_tune_and_the_trial_is_run_again(error, seed, tmp_path):
    config = TuningConfig(dataset="digits", trials=3, seed=seed)
    first, second = Worth(end_at=1, error=error), Worth()
    with pytest.raises(type(error)) as raised:
        tune(config, tmp_path / "run", first)
    assert raised.value is error
    tune(config, tmp_path / "run", second)
    assert first.ended + second.ended == ["0", "1", "2"]


def test_a_trial_that_diverges_is_worth_nothing(seed, tmp_path):
    config = TuningConfig(dataset="digits", trials=4, seed=seed)
    found = tune(config, tmp_path / "run", Worth(end_at=2, error=DivergenceError("loss: nan")))
    scores = [one["valid_accuracy"] for one in found["trials"]]
    assert scores[2] == 0
    assert all(score > 0 for score in (*scores[:2], scores[3]))


def test_a_space_is_exhausted_without_harm(seed, tmp_path):
    config = TuningConfig(dataset="digits", tune="arch_order", trials=9, seed=seed)
    trials = tune(config, tmp_path / "run", Worth())["trials"]
    counts = Counter(one["settings"]["arch_order"] for one in trials)
    assert set(counts.values()) == {1}
    assert set(counts) <= {"first", "second", "one_level"}


def test_a_tune_without_a_trial_is_an_error(tmp_path, monkeypatch):
    """So ends keras-tuner's Hyperband, in silence, without a space declared up front."""
    monkeypatch.setattr(tuning_oracles, "_declare", lambda *_: None)
    config = TuningConfig(dataset="digits", tuner="hyperband", epochs=4)
    with pytest.raises(UserError, match="expected a completed trial"):
        tune(config, tmp_path / "run", Worth())
    assert not (tmp_path / "run" / "tuning.json").exists()


@pytest.mark.parametrize("text", ['{"trials": []}', "[]", '{"trials": [{}]}', "x", '{"trials": 3}'])
def test_a_state_that_somebody_has_edited_is_told(text, tmp_path):
    config = TuningConfig(dataset="digits", trials=3)
    with pytest.raises(KeyboardInterrupt):
        tune(config, tmp_path / "run", Worth(end_at=1))
    (tmp_path / "run" / "trials.json").write_text(text)
    with pytest.raises(UserError, match=r"^--run_dir=.*trials\.json"):
        tune(config, tmp_path / "run", Worth())


def test_a_chief_that_was_started_again_knows_who_has_which_trial(seed, tmp_path):
    config = TuningConfig(dataset="digits", trials=3, seed=seed)
    run = RunDirectory(tmp_path / "run", "tune")
    run.path.mkdir()
    first = tuning_oracles.make_oracle(config, run)
    given = {tuner: first.create_trial(tuner) for tuner in ("a", "b")}
    again = tuning_oracles.make_oracle(config, run)
    again.resume(alone=False)
    for tuner in ("b", "a"):
        trial = again.create_trial(tuner)
        assert trial.trial_id == given[tuner].trial_id
        assert trial.hyperparameters.values == given[tuner].hyperparameters.values
    assert again.create_trial("c").trial_id == "2"
    alone = tuning_oracles.make_oracle(config, run)
    alone.resume(alone=True)
    assert not alone.ongoing_trials
    for _ in range(3):
        trial = alone.create_trial("tuner0")
        alone.update_trial(trial.trial_id, {ACCURACY.key: 0.5})
        trial.status = "COMPLETED"
        alone.end_trial(trial)
    assert sorted(alone.end_order) == ["0", "1", "2"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


def part(name, port):
    return {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": port,
    }


def test_a_tuner_whose_chief_is_lost_says_so(tmp_path, monkeypatch):
    for name, value in part("tuner1", free_port()).items():
        monkeypatch.setenv(name, value)
    config = TuningConfig(dataset="digits", worker_timeout=1)
    with pytest.raises(UserError, match="expected a chief at"):
        tune(config, tmp_path / "run", Worth())
    monkeypatch.setattr("darts_tf.tuning.trials.wait_for_chief", lambda seconds: None)
    monkeypatch.setattr(oracle_client, "TIMEOUT", 1)
    with pytest.raises(WorkerLost, match="the chief does not answer"):
        tune(config, tmp_path / "run", Worth())


_PART = """
import os
part, settings, directory, die_at = given
os.environ.update(part)
import darts_tf
from darts_tf.tuning.tune import tune
begun = []
def worth(search, training, folder):
    begun.append(folder.name)
    print(folder.name, flush=True)
    if len(begun) - 1 == die_at:
        os._exit(0)
    return search.learning_rate / 2
found = tune(darts_tf.TuningConfig(**settings), directory, worth, verbose=0)
print(json.dumps(found))
"""


def test_a_chief_and_a_tuner_that_dies_once_give_what_one_process_gives(
    seed, tmp_path, monkeypatch
):
    settings = {"dataset": "digits", "trials": 5, "tune": "learning_rate", "seed": seed}
    port = free_port()
    chief = start(_PART, part("the chief", port), settings, str(tmp_path / "chief"), None)
    first = start(_PART, part("tuner1", port), settings, str(tmp_path / "tuner"), 2)
    [told] = finish(first)
    assert told.split() == ["0", "1", "2"]
    begun = []

    def worth(search, training, folder):
        begun.append(folder.name)
        return search.learning_rate / 2

    config = TuningConfig(**settings)
    with monkeypatch.context() as patch:
        for name, value in part("tuner1", port).items():
            patch.setenv(name, value)
        assert tune(config, tmp_path / "tuner", worth) is None
    [outcome] = finish(chief)
    assert begun == ["2", "3", "4"]
    alone = tune(config, tmp_path / "alone", worth)
    assert json.loads(outcome) == alone
    assert written(tmp_path / "chief") == written(tmp_path / "alone")
    assert not (tmp_path / "tuner" / "tuning.json").exists()


_REAL = """
import darts_tf
settings, directory = given
darts_tf.tune(darts_tf.TuningConfig(**settings), directory, verbose=0)
"""


def test_a_real_trial_is_worth_what_its_network_gets_right(tmp_path):
    seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**30))
    settings = {
        "dataset": "digits",
        "data_dir": str(tmp_path / "data"),
        "trials": 1,
        "tune": "learning_rate:0.05:0.1",
        "seed": seed,
        "threads": 1,
        "space": SMALL.name,
        "epochs": 1,
        "layers": 3,
        "init_channels": 2,
        "batch_size": 512,
        "network_epochs": 2,
        "network_layers": 3,
        "network_init_channels": 4,
        "network_batch_size": 256,
        "network_held_out": 0.4,
    }
    finish(start(SHORT_RUN + registration() + _REAL, settings, str(tmp_path / "run")))
    spaces.register(SMALL)
    found = json.loads((tmp_path / "run" / "tuning.json").read_text())
    [trial] = (tmp_path / "run" / "trials").iterdir()
    genotype = read_genotype((trial / "search" / "genotype.json").read_text())
    result = json.loads((trial / "network" / "result.json").read_text())
    assert read_genotype(result["genotype"]) == genotype
    rate = found["best"]["settings"]["learning_rate"]
    assert f"--learning_rate={rate}" in (trial / "search" / "config.flags").read_text()
    images = data.load("digits", str(tmp_path / "data")).train
    first = math.floor(0.6 * len(images))
    model = keras.saving.load_model(trial / "network" / "model.keras")
    scores = model.predict(images.images[first:].astype(np.float32), verbose=0)
    right = np.mean(scores.argmax(1) == images.labels[first:])
    assert found["best"]["valid_accuracy"] == pytest.approx(right, abs=1e-6)
    assert "top1_error_percent" not in result
    history = (trial / "network" / "history.jsonl").read_text()
    assert len(re.findall(r'"epoch"', history)) == 2
