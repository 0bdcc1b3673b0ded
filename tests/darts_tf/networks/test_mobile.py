"""Mobile networks: published counts, the plain twin, and what is refused."""

import keras
import numpy as np
import pytest

import darts_tf
from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.spaces import space_of, zoo
from tests.oracles import mobile as twin
from tests.oracles.tape import Var

STRIDES = (2, 2, 2, 1, 2, 1)
# By name: the blocks by kernel and expansion, the widths of the stages, those of stem, fixed block
# and head, and the published weights and multiply-adds.
PUBLISHED = {
    "PROXYLESS_MOBILE": (
        "53 33|73 33 53 53|76 53 53 53|56 53 53 53|76 76 73 73|76",
        (32, 40, 80, 96, 192, 320),
        (32, 16, 1280),
        (4_080_512, 320.43),
    ),
    "PROXYLESS_GPU": (
        "53|73 33|76 53|56 33 53|76 76 76 56|76",
        (32, 56, 112, 128, 256, 432),
        (40, 24, 1728),
        (7_119_848, 465.26),
    ),
    "PROXYLESS_CPU": (
        "36 33 33 33|36 33 33 53|36 33|56 33 33 33|56 53 53 33|56",
        (32, 48, 88, 104, 216, 360),
        (40, 24, 1432),
        (4_361_648, 439.24),
    ),
    "SINGLE_PATH": (
        "33 33 33|56 33 33 33|56 33 33 33|56 53 53 53|56 56 56 56|36",
        (24, 40, 80, 96, 192, 320),
        (32, 16, 1280),
        (4_421_616, 333.47),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_has_its_weights_and_multiply_adds(name):
    stages, widths, ends, (weights, millions) = PUBLISHED[name]
    network = darts_tf.build_network(zoo.get(name), (224, 224, 3), 1000, 21, ends[0], "imagenet")
    found = (parameters(network), multiply_adds(network))
    assert found == twin.counts(stages, widths, STRIDES, ends)
    assert found[0] == weights
    assert round(found[1] / 1e6, 2) == millions


def small(seed, stem="tiny_imagenet", **changes):
    space = darts_tf.spaces.get("mobile_small")
    genotype = space.sample(np.random.default_rng(seed))
    settings = {"input_shape": (13, 12, 3), "classes": 4, "layers": 6, "init_channels": 8}
    return darts_tf.NetworkSpec(genotype, stem=stem, **settings | changes)


def twin_parameters(network, spec):
    """The weights of a network as the twin has them, as variables."""

    def norm(name, suffix=""):
        layer = network.get_layer(name)
        return {f"gamma{suffix}": Var(layer.gamma), f"beta{suffix}": Var(layer.beta)}

    def bottleneck(name):
        names = {layer.name.removeprefix(f"{name}_"): layer for layer in network.layers}
        params = {}
        for part in ("expand", "depthwise", "project"):
            if part in names:
                params[part] = Var(names[part].kernel)
                params |= norm(f"{name}_{part}_norm", f"_{part}")
        return params

    blocks = []
    for number, cell in enumerate(spec.genotype.cells):
        operation = spec.genotype.edges(cell)[0][0]
        own = {} if operation == "skip_connect" else bottleneck(f"cell_{number}_{operation}")
        blocks.append([own])
    dense = network.get_layer("logits")
    return {
        "stem": {"conv": Var(network.get_layer("stem_conv_0").kernel), **norm("stem_norm_0")},
        "first": bottleneck("stem_block"),
        "blocks": blocks,
        "head": {"conv": Var(network.get_layer("head_conv").kernel), **norm("head_norm")},
        "classifier": {"kernel": Var(dense.kernel), "bias": Var(dense.bias)},
    }


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_a_network_equals_its_twin(stem, seed):
    keras.utils.set_random_seed(seed)
    spec = small(seed, stem)
    network = darts_tf.build_network(spec, dtype="float64")
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        if variable.name in ("gamma", "beta"):
            variable.assign(rng.normal(1, 1, variable.shape))
    image = 3 * rng.normal(size=(4, 13, 12, 3))
    found = network(image, training=True)
    params = twin_parameters(network, spec)
    plan = space_of(spec.genotype).plan(spec.init_channels)
    right = twin.chain(
        Var(image),
        params,
        [block.stride for block in plan],
        [Var([1.0])] * len(plan),
        1 if stem == "cifar" else 2,
    )
    np.testing.assert_allclose(found, right.value, rtol=1e-9, atol=1e-9)


def test_other_numbers_of_layers_and_squeeze_excite_are_refused(seed):
    for layers in (5, 7, 20):
        with pytest.raises(UserError, match=rf"^layers: expected 6, .*mobile_small.*got {layers}$"):
            small(seed, layers=layers)
    with pytest.raises(UserError, match=r"^squeeze_excite: expected false"):
        darts_tf.build_network(small(seed, squeeze_excite=True))


def test_drop_path_leaves_out_blocks_that_have_a_shortcut(seed):
    space = darts_tf.spaces.get("mobile_small")
    genotype = space.genotype({cell: [("mbconv_3x3_e3", 0, 1)] for cell in space.cells})
    network = darts_tf.build_network(genotype, (8, 8, 1), 10, 6, 16, drop_path=True)
    names = {layer.name for layer in network.layers if type(layer).__name__ == "DropPath"}
    assert names == {f"cell_{number}_mbconv_3x3_e3_drop_path" for number in (1, 3, 5)}
