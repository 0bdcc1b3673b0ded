"""Tuning and random search on a text: the network with the least perplexity is the best."""

from __future__ import annotations

import json
import math

import pytest

import darts_tf
from darts_tf import spaces
from darts_tf.errors import DivergenceError, UserError
from darts_tf.report import random_search as random_page
from darts_tf.report import tuning as tuning_page
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import PERPLEXITY
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.ptb import Recurrent
from darts_tf.tuning import random_baseline
from darts_tf.tuning.config import RandomSearchConfig, TuningConfig
from darts_tf.tuning.random_baseline import random_search
from darts_tf.tuning.tune import tune
from tests import contracts, texts

# Learning rates at which no seed diverges.
SLOW = {"learning_rate": 0.5, "learning_rate_min": 0.5}
# Traced in less time than a cell of eight nodes.
SMALL = Recurrent(nodes=3, name="small_recurrent")
TUNERS = {
    "random": {"trials": 5},
    "bayesian": {"trials": 6},
    "hyperband": {"epochs": 4, "hyperband_factor": 2, "network_epochs": 8},
}


def tuning(folder, seed, **settings):
    sizes = {"epochs": 1, "batch_size": 4, "init_channels": 6, "learning_rate": 0.5}
    network = {f"network_{name}": value for name, value in sizes.items()}
    return TuningConfig(
        dataset=texts.write(folder, seed),
        space="ptb",
        seed=seed,
        stop_criterion="none",
        **{"tune": "learning_rate:5:20", **texts.TINY, **SLOW, **network, **settings},
    )


@pytest.mark.parametrize("tuner", TUNERS)
def test_the_trial_with_the_least_perplexity_is_the_best(tuner, tmp_path, seed):
    told = []

    def worth(search, training, folder):
        told.append(search.learning_rate)
        if len(told) == 2:
            raise DivergenceError("loss: nan")
        return 100 + 500 * abs(math.log10(search.learning_rate / 10)) + 50 / training.epochs

    config = tuning(tmp_path, seed, **TUNERS[tuner] | {"tuner": tuner})
    outcome = tune(config, tmp_path / "run", worth)
    most = max(one["epochs"] for one in outcome["trials"])
    longest = {
        one["trial"]: one["valid_perplexity"] for one in outcome["trials"] if one["epochs"] == most
    }
    assert outcome["best"]["trial"] == min(longest, key=longest.__getitem__)
    scores = [one["valid_perplexity"] for one in outcome["trials"]]
    assert max(scores) == PERPLEXITY.worst
    assert outcome["best"]["valid_perplexity"] < 100 + 500 + 50
    text = (tmp_path / "run" / "best.flags").read_text()
    assert f"validation perplexity {outcome['best']['valid_perplexity']:.2f}." in text
    run = RunDirectory.open(tmp_path / "run")
    page = tuning_page.page(run)
    facts = dict(page.facts)
    assert facts["Best validation perplexity"] == f"{outcome['best']['valid_perplexity']:.1f}"
    assert dict(page.sections)["Trials"].count(">diverged") == 1
    [chart] = page.data["charts"]["scores"]
    assert chart["title"] == "Validation perplexity by trial"
    assert "ccurac" not in page.about + "".join(body for _, body in page.sections[:4])
    leaders = chart["series"][1]["values"]
    if tuner != "hyperband":  # of which later trials are longer, and need not be better
        assert leaders == sorted(leaders, reverse=True)


def test_real_trials_and_samples_have_the_perplexity_of_their_networks(tmp_path, seed):
    config = tuning(tmp_path, seed, epochs=1, trials=1, tune="learning_rate:0.5:1")
    with contracts.known(spaces, SMALL), contracts.repeatable():
        outcome = tune(config, tmp_path / "tuned", space=SMALL, verbose=0)
        [trial] = outcome["trials"]
        folder = tmp_path / "tuned" / "trials" / trial["trial"]
        result = json.loads((folder / "network" / "result.json").read_text())
        assert trial["valid_perplexity"] == pytest.approx(result["valid_perplexity"], rel=1e-5)
        assert "test_perplexity" not in result

        settings = {**texts.TINY, **SLOW, "epochs": 1, "layers": 3, "space": SMALL.name}
        sampling = RandomSearchConfig(dataset=config.dataset, seed=seed, samples=2, **settings)
        found = random_search(sampling, tmp_path / "random", verbose=0)
        assert found == random_search(sampling, tmp_path / "random", verbose=0)
        SMALL.check(read_genotype(found))
        page = random_page.page(RunDirectory.open(tmp_path / "random"))
    results = {
        one["seed"]: json.loads(
            (tmp_path / "random" / f"seed_{one['seed']}" / "result.json").read_text()
        )["valid_perplexity"]
        for one in found["tried"]
    }
    for one in found["tried"]:
        assert one["valid_perplexity"] == pytest.approx(results[one["seed"]], rel=1e-5)
    assert found["seed"] == min(results, key=results.__getitem__)
    assert dict(page.facts)["Best validation perplexity"] == f"{found['valid_perplexity']:.1f}"
    assert dict(page.sections)["Samples"].count("Validation perplexity") == 1


def test_a_sample_that_diverges_is_the_last(tmp_path, seed, monkeypatch):
    def stand_in(config, *_, **__):
        if config.seed == seed:
            raise DivergenceError("loss: nan")
        return 50.0 + config.seed - seed

    monkeypatch.setattr(random_baseline, "validation_score", stand_in)
    config = RandomSearchConfig(
        dataset=texts.write(tmp_path, seed), seed=seed, samples=3, space="ptb", **texts.TINY
    )
    found = random_search(config, tmp_path / "run")
    tried = [(one["seed"] - seed, one["valid_perplexity"]) for one in found["tried"]]
    assert tried == [(1, 51.0), (2, 52.0), (0, PERPLEXITY.worst)]


@pytest.mark.parametrize("space", ["darts", "ptb"])
def test_a_text_goes_with_a_recurrent_space_alone(space, tmp_path, seed):
    given = {"darts": texts.write(tmp_path, seed), "ptb": "digits"}[space]
    told = {"darts": "expected images for the space 'darts', got text", "ptb": "expected text for"}
    with pytest.raises(UserError, match=told[space]):
        tune(TuningConfig(dataset=given, space=space), tmp_path / "run", lambda *_: 1.0)
    with pytest.raises(UserError, match=told[space]):
        darts_tf.random_search(RandomSearchConfig(dataset=given, space=space), tmp_path / "run")
    assert not (tmp_path / "run").exists()
