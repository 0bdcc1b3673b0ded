"""The presets of searches hold section 4.2's numbers."""

from dataclasses import replace

import pytest

from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig
from trainers import presets


def read(*arguments):
    return parse(arguments, SearchConfig, "", presets=presets.folder("search"))[0]


def opening(name):
    text = (presets.folder("search") / f"{name}.flags").read_text(encoding="utf-8")
    return " ".join(text[: text.index("\n--")].replace("#", "").split())


def test_cifar100_is_searched_as_cifar10_is():
    assert read("--flagfile=cifar100.flags") == replace(
        read("--flagfile=cifar10.flags"), dataset="cifar100"
    )


def test_tiny_imagenet_has_one_more_convolution_and_the_same_settings():
    right = replace(SearchConfig(), dataset="tiny_imagenet", stem="tiny_imagenet")
    assert read("--flagfile=tiny_imagenet.flags") == right


def test_imagenet_has_the_papers_settings():
    config = read("--flagfile=imagenet.flags")
    assert (config.dataset, config.stem, config.layers) == ("imagenet", "imagenet", 8)
    assert (config.epochs, config.batch_size, config.init_channels) == (200, 512, 16)
    assert (config.train_portion, config.valid_portion) == (0.1, 0.1)
    assert (config.learning_rate, config.learning_rate_min) == (0.2, 0.0)
    assert (config.momentum, config.weight_decay) == (0.9, 3e-4)
    assert (config.arch_learning_rate, config.arch_weight_decay) == (3e-3, 1e-3)
    assert (config.arch_order, config.arch_start_epoch) == ("first", 0)
    assert (config.stop_criterion, config.stop_at_skip_connects) == ("skip_connects", 2)
    assert config.share_alphas == "network"


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "tiny_imagenet", "imagenet"])
def test_the_same_command_with_an_override_stops_by_criterion_1_star(name):
    config = read(f"--flagfile={name}.flags", "--stop_criterion=stable_ranking")
    assert (config.stop_criterion, config.stable_epochs, config.stable_ranks) == (
        "stable_ranking",
        10,
        4,
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cifar10", ["0.4 GPU days", "about epoch 35", "0.6 GPU days"]),
        ("cifar100", ["0.2 GPU days", "about epoch 18", "0.5 GPU days", "14.87 %"]),
        ("tiny_imagenet", ["about epoch 10", "neither hardware nor hours", "28.3 %"]),
        ("imagenet", ["6.8 GPU days on a Tesla P100", "200 epochs", "23.9 %", "7.4 %"]),
    ],
)
def test_each_tells_cost_epochs_and_error_of_the_paper(name, told):
    assert all(words in opening(name) for words in told)
    if "cifar" in name:
        assert "add --stop_criterion=stable_ranking" in opening(name)
