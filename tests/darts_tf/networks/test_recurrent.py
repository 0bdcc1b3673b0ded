"""Networks of recurrent genotypes against their plain twin, their counts, and their stock twin."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import build_network, spaces, zoo
from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.model_file import load_model, save_model
from darts_tf.networks.recurrent import RecurrentNetwork, inference_language_model
from tests.oracles import recurrent as twin

ROWS, WORDS, SIZE, VOCABULARY = 5, 4, 3, 7
RATES = {"word": 0.2, "embedding": 0.3, "input": 0.4, "hidden": 0.3, "output": 0.5}


def made(seed, genotype=None, dtype="float64"):
    """A network whose weights are far from zero, of a random cell."""
    rng = np.random.default_rng(seed)
    genotype = genotype or spaces.get("ptb").sample(rng)
    net = RecurrentNetwork(genotype, VOCABULARY, SIZE, ROWS, RATES, dtype=dtype)
    net.build()
    for variable in net.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return net, rng


def expected(net, words, state, masks):
    edges = [node[0] for node in net.genotype.nodes("recurrent")]
    first, weights = net.input_weights.numpy(), [each.numpy() for each in net.node_weights]
    return twin.logits(
        words,
        state,
        lambda x, h, mask: twin.network_cell(x, h, first, weights, edges, mask),
        net.embedding.numpy(),
        net.decoder_bias.numpy(),
        masks,
    )


@pytest.mark.parametrize("dropped", [None, [7, 11]])
def test_a_pass_is_that_of_the_plain_twin(seed, dropped):
    net, rng = made(seed)
    given = None if dropped is None else tf.constant(dropped, tf.int32)
    masks = {
        name: mask.numpy() for name, mask in net._masks(ROWS, given).items() if mask is not None
    }
    state = np.zeros((ROWS, SIZE))
    for place in range(3):
        words = rng.integers(0, VOCABULARY, (ROWS, WORDS))
        windows = np.concatenate([np.tile([1, place], (ROWS, 1)), words], 1).astype(np.int32)
        right, state = expected(net, words, state, masks)
        y = net(windows, training=dropped is not None, seed=given)
        np.testing.assert_allclose(y, right, rtol=0, atol=1e-9)
    words = rng.integers(0, VOCABULARY, (ROWS, 1))
    right, last = expected(net, words, state, {})
    y, after = net.go_on(tf.constant(words, tf.int32), tf.constant(state))
    np.testing.assert_allclose(y, right, rtol=0, atol=1e-9)
    np.testing.assert_allclose(after, last, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["DARTS_PTB_V1", "DARTS_PTB_V2"])
@pytest.mark.parametrize(
    ("vocabulary", "size", "weights"), [(10_000, 850, 22_960_000), (33_278, 700, 33_127_878)]
)
def test_the_papers_networks_have_their_weights(name, vocabulary, size, weights):
    net = RecurrentNetwork(zoo.get(name), vocabulary, size, rows=1)
    net.build()
    assert parameters(net) == weights == twin.parameters(vocabulary, size, 8)


def test_the_model_for_inference_is_made_of_stock_layers_and_says_the_same(seed, tmp_path):
    net, rng = made(seed, dtype="float32")
    model = inference_language_model(net)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert parameters(model) == parameters(net) == twin.parameters(VOCABULARY, SIZE, 8)
    assert multiply_adds(model) == parameters(model) - VOCABULARY
    save_model(model, tmp_path / "model.keras")
    words = rng.integers(0, VOCABULARY, (ROWS, WORDS)).astype(np.int32)
    logits, _ = net.go_on(tf.constant(words), tf.zeros((ROWS, SIZE)))
    for loaded in (
        load_model(tmp_path / "model.keras"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        state = np.zeros((ROWS, SIZE), np.float32)
        for place in range(WORDS):
            scores, state = map(np.asarray, loaded([words[:, place], state]))
            np.testing.assert_allclose(scores, tf.nn.softmax(logits[:, place]), atol=1e-5)


def test_a_network_comes_back_from_its_config(seed):
    net, _ = made(seed)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(net))
    assert again.genotype == net.genotype
    assert again.dropout == RATES
    assert [v.shape for v in again.variables] == [v.shape for v in net.variables]


def test_a_cell_becomes_a_network_of_its_own_kind_alone():
    with pytest.raises(
        UserError, match="expected one of a recurrent cell, got one of the space 'd"
    ):
        RecurrentNetwork(zoo.get("DARTS_V2"))
    with pytest.raises(UserError, match="expected one of a network for images, got one of the spa"):
        build_network(zoo.get("DARTS_PTB_V2"))
