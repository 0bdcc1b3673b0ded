"""Parameters and multiply-adds of every published genotype in every kind of network."""

from __future__ import annotations

import json
from importlib import resources

import keras
import pytest

from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.network import build_network
from darts_tf.networks.squeeze_excite import RATIO
from darts_tf.spaces import space_of, zoo
from tests.oracles import counts

ZOO = json.loads(resources.files("darts_tf.spaces").joinpath("zoo.json").read_text())
CIFAR = {"side": 32, "classes": 10, "layers": 20, "channels": 36, "stem": "cifar"}
IMAGENET = {"side": 224, "classes": 1000, "layers": 14, "channels": 48, "stem": "imagenet"}
KINDS = {
    "cifar10": CIFAR,
    "large": CIFAR | {"channels": 50},
    "tiny_imagenet": CIFAR | {"side": 64, "classes": 200, "stem": "tiny_imagenet"},
    "imagenet": IMAGENET,
    "imagenet_se": IMAGENET | {"squeeze_ratio": RATIO},
}
OURS = ("DARTS_PLUS_CIFAR10", "DARTS_PLUS_CIFAR100")
PUBLISHED = [name for name in ZOO if "counts" in ZOO[name]]
IMAGES = [name for name in zoo.names() if space_of(zoo.get(name)).data_kind == "images"]
# Two whole networks; elsewhere a few cells tell as much.
CASES = [
    ("DARTS_V2", "cifar10", CIFAR["layers"]),
    ("DARTS_V1", "imagenet", IMAGENET["layers"]),
    *((name, list(KINDS)[i % len(KINDS)], 3) for i, name in enumerate(IMAGES)),
]


def closed_form(name, kind, **changed):
    return counts.network(ZOO[name], **KINDS[kind] | changed)


@pytest.mark.parametrize(("name", "kind", "layers"), CASES)
def test_every_network_has_the_counts_of_the_closed_form(name, kind, layers):
    sizes = KINDS[kind]
    network = build_network(
        zoo.get(name),
        (sizes["side"], sizes["side"], 3),
        sizes["classes"],
        layers,
        sizes["channels"],
        auxiliary=True,
        stem=sizes["stem"],
        squeeze_excite="squeeze_ratio" in sizes,
    )
    main = keras.Model(network.input, network.output[0])
    found = (parameters(main), multiply_adds(main), parameters(network) - parameters(main))
    assert found == closed_form(name, kind, layers=layers)


def test_five_genotypes_have_published_counts():
    assert len(PUBLISHED) == 5


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_closed_form_gives_the_published_counts(name):
    published = ZOO[name]["counts"]
    for kind in ("cifar10", "imagenet"):
        right = tuple(published[f"{kind}_{key}"] for key in ("params", "macs", "aux"))
        assert closed_form(name, kind) == right
    cifar100 = closed_form(name, "cifar10", classes=100)
    assert cifar100.parameters == published["cifar100_params"]


def millions(number):
    return round(number / 1e6, 2)


def test_the_papers_networks_have_these_millions_of_parameters():
    kinds = ("cifar10", "large", "tiny_imagenet", "imagenet", "imagenet_se")
    assert {
        name: [millions(closed_form(name, kind).parameters) for kind in kinds] for name in OURS
    } == {
        "DARTS_PLUS_CIFAR10": [3.65, 6.88, 3.87, 5.06, 6.03],
        "DARTS_PLUS_CIFAR100": [3.67, 6.93, 3.88, 5.12, 6.09],
    }


@pytest.mark.parametrize(
    ("name", "kind", "printed"),
    [
        ("ASAP", "cifar10", 2.5),
        ("GDAS", "cifar10", 3.4),
        ("GDAS_FIXED_REDUCTION", "cifar10", 2.5),
        ("SNAS_MODERATE", "cifar10", 2.8),
        ("SNAS_AGGRESSIVE", "cifar10", 2.3),
        ("P_DARTS", "cifar10", 3.4),
        ("PC_DARTS_CIFAR", "cifar10", 3.6),
        ("DARTS_V2", "imagenet", 4.7),
        ("P_DARTS", "imagenet", 4.9),
        ("PC_DARTS_IMAGENET", "imagenet", 5.3),
        ("DARTS_PLUS_CIFAR100", "imagenet", 5.1),
        ("DARTS_PLUS_CIFAR100", "imagenet_se", 6.1),
    ],
)
def test_counts_round_to_what_the_paper_prints(name, kind, printed):
    assert round(closed_form(name, kind).parameters / 1e6, 1) == printed


# What the authors note beside the cells: millions of parameters, with the auxiliary head but for
# C, and millions of multiply-adds.
FAIR_DARTS = {
    "FAIR_DARTS_A": (2.83, 373),
    "FAIR_DARTS_B": (3.88, 536),
    "FAIR_DARTS_C": (2.59, 400),
    "FAIR_DARTS_D": (3.84, 532),
    "FAIR_DARTS_E": (3.12, 414),
    "FAIR_DARTS_F": (3.62, 497),
    "FAIR_DARTS_G": (3.375, 453),
}


@pytest.mark.parametrize("name", FAIR_DARTS)
def test_cells_with_fewer_edges_have_the_authors_counts(name):
    found = closed_form(name, "cifar10")
    head = 0 if name == "FAIR_DARTS_C" else found.auxiliary
    parameters, multiply_adds = FAIR_DARTS[name]
    assert (found.parameters + head) / 1e6 == pytest.approx(parameters, abs=0.01)
    assert found.multiply_adds / 1e6 == pytest.approx(multiply_adds, rel=0.005)


def test_squeeze_and_excitation_has_the_ratio_nearest_to_the_papers_count():
    name = "DARTS_PLUS_CIFAR100"
    distance = {
        ratio: abs(closed_form(name, "imagenet", squeeze_ratio=ratio).parameters - 6.1e6)
        for ratio in (2, 4, 8, 16, 32)
    }
    assert min(distance, key=distance.get) == RATIO
