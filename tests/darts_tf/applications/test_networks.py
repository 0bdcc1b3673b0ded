"""The networks of the tables: their sizes are the published ones and those of the presets."""

import json
from dataclasses import replace
from importlib import resources

import pytest

from darts_tf import applications
from darts_tf.command_line.parsing import parse
from darts_tf.config import TrainingConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.squeeze_excite import RATIO
from tests.oracles import counts
from trainers import presets

ZOO = json.loads(resources.files("darts_tf.spaces").joinpath("zoo.json").read_text())
PRESETS = {
    "DartsPlusCifar10": "cifar10",
    "DartsPlusCifar10Large": "cifar10_large",
    "DartsPlusCifar100": "cifar100",
    "DartsPlusCifar100Large": "cifar100_large",
    "DartsPlusImagenet": "imagenet",
    "DartsPlusImagenetSE": "imagenet_se",
    "DartsPlusTinyImagenet": "tiny_imagenet",
    "ProxylessGpu": "imagenet_proxyless",
}
# Trained with the preset of another network, or one of another paper; counted as their genotypes.
OTHERS = {"DartsPlusDigits", "ProxylessCpu", "ProxylessMobile", "SinglePath"}
CELLS = [name for name in PRESETS if name != "ProxylessGpu"]
# The others differ from these in what a few cells tell as well.
WHOLE = ("DartsPlusCifar10", "DartsPlusImagenetSE")


def test_every_preset_of_the_paper_has_its_network():
    assert set(PRESETS) | OTHERS == set(applications.__all__) - {"Application"}
    found = {f"{preset}.flags" for preset in PRESETS.values()}
    texts = {name: (presets.folder("train") / name).read_text() for name in presets.names("train")}
    assert found == {name for name, text in texts.items() if "Not in the paper." not in text}


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_a_network_is_that_of_its_preset(name, preset):
    network = getattr(applications, name)
    config = parse(
        [f"--flagfile={preset}.flags"], TrainingConfig, "", presets=presets.folder("train")
    )[0]
    facts = DATASETS[config.dataset]
    for field in ("layers", "init_channels", "stem", "squeeze_excite"):
        assert getattr(network, field) == getattr(config, field)
    assert network.input_shape == (facts.image_size, facts.image_size, facts.channels)
    assert (network.mean, network.deviation) == (facts.mean, facts.deviation)
    assert network.class_names == facts.classes


@pytest.mark.parametrize("name", CELLS)
def test_parameters_and_multiply_adds_are_those_of_the_closed_form(name):
    network = getattr(applications, name)
    if name not in WHOLE:
        network = replace(network, layers=3)
    model = network()
    side, _, colors = network.input_shape
    right = counts.network(
        ZOO[network.genotype],
        side=side,
        classes=len(network.class_names),
        layers=network.layers,
        channels=network.init_channels,
        stem=network.stem,
        squeeze_ratio=RATIO * network.squeeze_excite,
        colors=colors,
    )
    found = (parameters(model), multiply_adds(model))
    assert found == (right.parameters, right.multiply_adds)
    if name == "DartsPlusCifar10":
        published = ZOO["DARTS_PLUS_CIFAR10"]["counts"]
        assert found == (published["cifar10_params"], published["cifar10_macs"])
    assert model.name == network.name
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


def test_a_mobile_network_has_its_published_size():
    model = applications.ProxylessMobile()
    assert (parameters(model), multiply_adds(model)) == (4_080_512, 320_427_584)
    assert model.get_layer("cell_20").output.shape == (None, 7, 7, 320)


def test_another_genotype_takes_the_place_of_the_papers():
    published = ZOO["DARTS_V2"]["counts"]
    model = replace(applications.DartsPlusImagenet, genotype="DARTS_V2")()
    found = (parameters(model), multiply_adds(model))
    assert found == (published["imagenet_params"], published["imagenet_macs"])
