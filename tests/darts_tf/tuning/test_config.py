"""Settings of a tune and of a random search: what trials and samples get of them."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from darts_tf.tuning.config import HYPERBAND_EPOCHS, RandomSearchConfig, TuningConfig


def test_a_trial_is_the_search_with_some_settings_changed():
    config = TuningConfig(dataset="digits", epochs=9, seed=4, tune="learning_rate,layers")
    search, _ = config.trial({"learning_rate": 0.123456, "layers": 5})
    own = {field.name: getattr(config, field.name) for field in dataclasses.fields(SearchConfig)}
    assert search == SearchConfig(**own | {"learning_rate": 0.1235, "layers": 5})
    assert type(search) is SearchConfig


def test_its_network_is_trained_with_settings_of_its_own_on_the_same_images():
    config = TuningConfig(
        dataset="cifar100",
        data_dir="here",
        seed=4,
        threads=3,
        network_epochs=7,
        network_layers=4,
        network_learning_rate=0.5,
        network_held_out=0.2,
    )
    search, training = config.trial({"learning_rate": 0.1, "weight_decay": 1e-5})
    assert search.learning_rate == 0.1
    assert training == TrainingConfig(
        dataset="cifar100",
        data_dir="here",
        seed=4,
        threads=3,
        epochs=7,
        layers=4,
        init_channels=16,
        learning_rate=0.5,
        auxiliary_weight=0.0,
        drop_path=0.0,
        held_out=0.2,
    )


def test_its_network_shares_the_steps_of_the_search_but_for_their_length_and_weight_decay():
    config = TuningConfig(momentum=0.0, grad_clip=0.25, weight_decay=0.1, network_weight_decay=1e-6)
    _, training = config.trial({})
    assert (training.momentum, training.grad_clip, training.weight_decay) == (0.0, 0.25, 1e-6)
    assert training.learning_rate == TuningConfig().network_learning_rate


@given(st.integers(1, 80), st.integers(1, 300), st.data())
def test_hyperband_gives_search_and_training_the_same_share_of_their_epochs(epochs, network, data):
    start = data.draw(st.integers(0, epochs - 1))
    share = data.draw(st.integers(1, epochs))
    config = TuningConfig(
        dataset="digits", epochs=epochs, network_epochs=network, arch_start_epoch=start
    )
    search, training = config.trial({HYPERBAND_EPOCHS: share, "tuner/bracket": 2})
    assert search.epochs == share
    assert 0 <= training.epochs - network * share / epochs < 1
    assert -1 < search.arch_start_epoch - start * share / epochs <= 0
    assert config.trial({})[0].epochs == epochs
    assert config.trial({})[0].arch_start_epoch == start


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"tune": "layer"}, "^tune: expected some of .*Did you mean 'layers'"),
        (
            {"tune": "train_portion:0.5:1.5"},
            "^tune: train_portion: expected a value below 1.0, got 1.5",
        ),
        ({"tune": "layers:1:5"}, "^tune: layers: expected at least 3, got 1"),
        ({"tune": "stop_criterion:never:none"}, "^tune: unknown criterion 'never'"),
        ({"tune": "arch_start_epoch", "epochs": 10}, "^tune: arch_start_epoch: expected less than"),
        ({"learning_rate_min": 0.02}, "^tune: learning_rate_min: expected at most learning_rate"),
        ({"strategy": "multi_worker"}, "^strategy: .*docs/tuning.md"),
        ({"tuner": "grid"}, "^tuner: expected one of random, hyperband, bayesian"),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else None,
)
def test_what_no_trial_could_run_with_is_refused_at_once(settings, told):
    with pytest.raises(UserError, match=told):
        TuningConfig(**{"dataset": "digits", **settings})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"network_held_out": 0.9999}, "^network_held_out: expected a share that leaves images"),
        ({"tune": "train_portion:0.0001:0.5"}, "^tune: train_portion: expected a share that"),
    ],
)
def test_what_no_trial_could_run_with_on_a_data_set_is_refused_once_it_is_known(settings, told):
    config = TuningConfig(**settings)
    with pytest.raises(UserError, match=told):
        config.resolved(DATASETS["digits"])
    assert config.resolved(DATASETS["cifar10"]).trial({})[0].stem == "cifar"


def test_a_sample_is_a_training_with_a_seed_of_its_own():
    config = RandomSearchConfig(dataset="digits", seed=5, layers=7)
    assert config.sample(8) == TrainingConfig(
        dataset="digits", seed=8, layers=7, epochs=100, held_out=0.5
    )
    assert type(config.sample(8)) is TrainingConfig


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"repeats": 2}, "^repeats: expected 1"),
        ({"samples": 0}, "^samples: expected at least 1"),
        ({"held_out": 0.0}, "^held_out: expected a value above 0"),
        ({"seed": 2**31 - 3, "samples": 4}, "^samples: expected a last seed below"),
        ({"strategy": "multi_worker"}, "^strategy: "),
        ({"space": "dart"}, "^space: unknown space 'dart'.*Did you mean 'darts'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_random_search_that_cannot_be_is_refused(settings, told):
    with pytest.raises(UserError, match=told):
        RandomSearchConfig(**{"dataset": "digits", **settings})
