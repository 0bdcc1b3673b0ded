"""Parameters and multiply-adds of every published genotype in every kind of network."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from darts_tf import zoo
from darts_tf.complexity import multiply_adds, parameters
from darts_tf.network import build_network, inference_network
from darts_tf.squeeze_excite import RATIO
from tests.oracles import counts

ZOO = json.loads(resources.files("darts_tf").joinpath("zoo.json").read_text())
CIFAR = {"classes": 10, "layers": 20, "stem": "cifar"}
KINDS = {
    "cifar": (32, CIFAR | {"init_channels": 36}),
    "large": (32, CIFAR | {"init_channels": 50}),
    "tiny_imagenet": (
        64,
        {"classes": 200, "layers": 20, "init_channels": 36, "stem": "tiny_imagenet"},
    ),
    "imagenet": (224, {"classes": 1000, "layers": 14, "init_channels": 48, "stem": "imagenet"}),
}
KINDS["imagenet_se"] = (224, KINDS["imagenet"][1] | {"squeeze_excite": True})


def twin(name, kind, **changed):
    side, settings = KINDS[kind]
    settings = settings | changed
    channels, excite = settings.pop("init_channels"), settings.pop("squeeze_excite", False)
    return counts.network(
        ZOO[name], side=side, channels=channels, squeeze_ratio=RATIO * excite, **settings
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", zoo.names())
def test_every_genotype_has_the_counts_of_the_closed_form_in_every_network(name, kind):
    side, settings = KINDS[kind]
    network = build_network(zoo.get(name), (side, side, 3), auxiliary=True, **settings)
    right = twin(name, kind)
    assert parameters(network) == right.parameters + right.auxiliary
