"""RandWire's networks against a twin in NumPy, and in all that a network goes through."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import darts_tf
from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.layers.drop_path import DropPath
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.initial_weights import start_from
from darts_tf.networks.model_file import load_model, save_model
from darts_tf.spaces.rand_wire import RandWire
from darts_tf.supernet.families import supernet_class
from tests import weights
from tests.oracles import rand_wire as twin
from tests.oracles import tape, trees
from tests.oracles.tape import Var

CHANNELS = 4
STRIDES = {"cifar": (1, 1), "tiny_imagenet": (2, 1), "imagenet": (2, 2)}
FEW = RandWire("few", generator={"name": "ws", "neighbors": 2, "probability": 0.2}, nodes=6)
FEW_REGULAR = RandWire("few_regular", "regular", {"name": "ba", "edges": 2}, nodes=6)


@pytest.fixture(autouse=True)
def _spaces(monkeypatch):
    """Spaces of a few nodes, known during a test."""
    monkeypatch.setattr(spaces._SPACES, "_registered", dict(spaces._SPACES._registered))
    spaces.register(FEW)
    spaces.register(FEW_REGULAR)


def genotype_of(space, seed):
    return space.sample(np.random.default_rng(seed))


def variables_of(network, genotype, strides):
    """The variables of a network, in the form of its twin's parameters."""

    def convolution(name):
        norm = network.get_layer(f"{name}_norm")
        kernel = network.get_layer(f"{name}_conv").kernel
        return {"kernel": kernel, "gamma": norm.gamma, "beta": norm.beta}

    def node(name, edges):
        norm = network.get_layer(f"{name}_norm")
        return {
            "weights": [
                network.get_layer(f"{name}_wire_{i}_weight").kernel for i in range(len(edges))
            ],
            "depthwise": network.get_layer(f"{name}_depthwise").kernel,
            "pointwise": network.get_layer(f"{name}_pointwise").kernel,
            "gamma": norm.gamma,
            "beta": norm.beta,
        }

    classifier = network.get_layer("logits")
    return {
        "stem": [convolution(f"stem_{number}") for number in range(len(strides))],
        "stages": [
            [
                node(f"cell_{number}_node_{each}", edges)
                for each, edges in enumerate(genotype.nodes(cell), start=1)
            ]
            for number, cell in enumerate(genotype.cells)
        ],
        "head": convolution("head"),
        "classifier": {"kernel": classifier.kernel, "bias": classifier.bias},
    }


@pytest.mark.parametrize(
    ("space", "stem", "strides", "size"),
    [
        (FEW, "cifar", (1, 1), (9, 14)),
        (FEW, "tiny_imagenet", (2, 1), (17, 22)),
        (FEW_REGULAR, "imagenet", (2,), (34, 39)),
    ],
)
def test_outputs_and_gradients_are_those_of_the_twin(space, stem, strides, size, seed):
    rng = np.random.default_rng(seed)
    genotype = genotype_of(space, seed)
    network = darts_tf.build_network(
        genotype, (*size, 3), 5, space.fewest_layers, CHANNELS, stem, dtype="float64"
    )
    places = variables_of(network, genotype, strides)
    variables = [variable for _, variable in trees.leaves(places)]
    assert len(variables) == len(network.trainable_variables)
    params = trees.map_leaves(lambda variable: Var(rng.normal(size=variable.shape)), places)
    weights.assign(places, trees.map_leaves(lambda var: var.value, params))
    images, upstream = rng.normal(size=(4, *size, 3)), rng.normal(size=(4, 5))
    with tf.GradientTape() as gradient_tape:
        logits = network(images, training=True)
        total = tf.reduce_sum(logits * upstream)
    gradients = gradient_tape.gradient(total, [variable.value for variable in variables])

    edges = [genotype.edges(cell) for cell in genotype.cells]
    expected = twin.network(Var(images), edges, params, strides)
    tape.backward(expected, upstream)
    assert weights.relative_error(logits, expected.value) < 1e-9
    twins = [var.grad for _, var in trees.leaves(params)]
    assert weights.norm_error(gradients, twins) < 1e-9


@pytest.mark.parametrize("space", [FEW, FEW_REGULAR])
@pytest.mark.parametrize(("stem", "strides"), STRIDES.items())
def test_counts_are_those_of_the_closed_form(space, stem, strides, seed):
    genotype = genotype_of(space, seed)
    spec = darts_tf.NetworkSpec(genotype, (67, 67, 3), 7, space.fewest_layers, 6, stem)
    network = darts_tf.build_network(spec)
    strides = strides[: space.stem_convolutions]
    expected = twin.counts(genotype.to_dict(), strides, side=67, channels=6, classes=7)
    assert (parameters(network), multiply_adds(network)) == expected
    inference = darts_tf.inference_network(network, spec, (0.5,) * 3, (0.25,) * 3)
    assert (parameters(inference), multiply_adds(inference)) == expected


def test_model_keras_has_stock_layers_and_answers_as_the_trained_network(tmp_path, seed):
    rng = np.random.default_rng(seed)
    spec = darts_tf.NetworkSpec(genotype_of(FEW, seed), (None, None, 3), 5, 3, CHANNELS)
    network = darts_tf.build_network(spec, drop_path=True)
    weights.assign(
        variables := network.trainable_variables,
        [rng.normal(size=variable.shape) for variable in variables],
    )
    inference = darts_tf.inference_network(network, spec, (0.0,) * 3, (1.0,) * 3)
    save_model(inference, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")  # which refuses all but stock layers
    pixels = rng.uniform(0, 255, (2, 16, 11, 3)).astype("float32")
    answers = keras.ops.softmax(network(pixels / 255))
    np.testing.assert_allclose(loaded(pixels), answers, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(loaded(pixels), inference(pixels))

    other = darts_tf.build_network(spec)
    start_from(other, tmp_path / "model.keras")
    np.testing.assert_allclose(other(pixels / 255), network(pixels / 255), rtol=1e-5, atol=1e-6)


def test_drop_path_drops_inputs_of_nodes_that_have_several(seed):
    genotype = genotype_of(FEW_REGULAR, seed)
    network = darts_tf.build_network(genotype, (16, 16, 3), 5, 4, CHANNELS, drop_path=True)
    several = {
        f"cell_{number}_node_{node}_wire_{i}_drop_path"
        for number, cell in enumerate(genotype.cells)
        for node, edges in enumerate(genotype.nodes(cell), start=1)
        for i in range(len(edges))
        if len(edges) > 1
    }
    assert {each.name for each in network.layers if isinstance(each, DropPath)} == several


def test_each_graph_may_end_in_squeeze_and_excitation_and_train_with_an_auxiliary_head(seed):
    genotype = genotype_of(FEW, seed)
    network = darts_tf.build_network(
        genotype, (16, 16, 3), 5, 3, CHANNELS, squeeze_excite=True, auxiliary=True
    )
    assert [output.shape for output in network.outputs] == [(None, 5), (None, 5)]
    sizes = [network.get_layer(f"cell_{number}").output.shape[1:] for number in range(3)]
    assert sizes == [(8, 8, 4), (4, 4, 8), (2, 2, 16)]
    assert network.get_layer("cell_2_squeeze_excite_reduce").units == 2


@pytest.mark.parametrize(("layers", "told"), [(4, "at most 3"), (2, "at least 3")])
def test_a_network_has_as_many_layers_as_graphs(layers, told):
    with pytest.raises(UserError, match=f"^layers: expected {told}, got {layers}$"):
        darts_tf.NetworkSpec(genotype_of(FEW, 0), layers=layers)


def test_a_supernet_is_refused():
    told = "^expected a space with candidates, got 'rand_wire_small'; use random search$"
    with pytest.raises(UserError, match=told):
        darts_tf.Supernet("rand_wire_small", layers=3)
    with pytest.raises(UserError, match=told):
        supernet_class(spaces.get("rand_wire_small"))
