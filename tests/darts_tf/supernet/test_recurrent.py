"""The supernet of recurrent cells against its plain twin, and its counts."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.spaces.derivation import softmax
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.families import supernet_arguments, supernet_class
from darts_tf.supernet.recurrent import RecurrentSupernet
from tests.oracles import recurrent as twin

ROWS, WORDS, SIZE, VOCABULARY = 5, 4, 3, 7
SPACE = spaces.get("ptb")
CANDIDATES = SPACE.edges("recurrent")[0].candidates
RATES = {"word": 0.2, "embedding": 0.3, "input": 0.4, "hidden": 0.3, "output": 0.5}


def made(seed, **settings):
    """A supernet in float64 whose weights and alphas are far from zero."""
    net = RecurrentSupernet(
        "ptb",
        init_channels=SIZE,
        classes=VOCABULARY,
        rows=ROWS,
        dropout=settings.pop("dropout", RATES),
        dtype="float64",
        **settings,
    )
    net.build((None, 2 + WORDS))
    rng = np.random.default_rng(seed)
    for variable in net.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return net, rng


def windows(rng, stream=0, place=0):
    words = rng.integers(0, VOCABULARY, (ROWS, WORDS))
    head = np.tile([stream, place], (ROWS, 1))
    return np.concatenate([head, words], 1).astype(np.int32)


def twin_of(net):
    weights = [variable.numpy() for variable in net.node_weights]
    table = softmax(net.architecture_parameters())["recurrent"]
    return twin.SearchCell(net.input_weights.numpy(), weights, table, CANDIDATES)


def masks_of(net, seed):
    masks = net._masks(ROWS, None if seed is None else tf.constant(seed, tf.int32))
    return {name: mask.numpy() for name, mask in masks.items() if mask is not None}


def expected(net, cell, batch, state, training, seed=None):
    return twin.logits(
        batch[:, 2:],
        state,
        lambda x, h, mask: cell(x, h, training, mask),
        net.embedding.numpy(),
        net.decoder_bias.numpy(),
        masks_of(net, seed),
    )


@pytest.mark.parametrize("dropped", [None, [3, 5]])
def test_a_training_pass_is_that_of_the_plain_twin(seed, dropped):
    net, rng = made(seed)
    cell, state = twin_of(net), np.zeros((ROWS, SIZE))
    for place in range(3):  # hidden states go on
        batch = windows(rng, place=place)
        given = None if dropped is None else tf.constant(dropped, tf.int32)
        right, state = expected(net, cell, batch, state, True, dropped)
        np.testing.assert_allclose(net(batch, training=True, seed=given), right, rtol=0, atol=1e-9)
        np.testing.assert_allclose(net.moving_mean.numpy(), cell.mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(net.moving_variance.numpy(), cell.variance, rtol=0, atol=1e-9)
    right, _ = expected(net, cell, batch, np.zeros((ROWS, SIZE)), False)
    batch[:, 1] = 0
    np.testing.assert_allclose(net(batch), right, rtol=0, atol=1e-9)


def test_a_window_starts_where_the_one_before_it_ended_and_alike_each_time(seed):
    net, rng = made(seed)
    first, second, other = windows(rng), windows(rng, place=1), windows(rng, stream=1, place=7)
    net(first)
    once = net(second).numpy()
    net(other)  # another text
    np.testing.assert_array_equal(net(second), once)
    np.testing.assert_array_equal(net(second), once)
    net(first)
    np.testing.assert_array_equal(net(second), once)
    second[:, 1] = 5  # does not follow
    alone = net(second).numpy()
    assert not np.allclose(alone, once)
    second[:, 1] = 0
    np.testing.assert_array_equal(net(second), alone)


def test_gradients_are_those_of_finite_differences(seed):
    net, rng = made(seed)
    batch, noise = windows(rng), tf.constant([1, 2])
    direction = [rng.normal(size=variable.shape) for variable in net.trainable_variables]
    aim = rng.normal(size=(ROWS, WORDS, VOCABULARY))

    def loss(learn="all"):
        return tf.reduce_sum(aim * net(batch, training=True, seed=noise, learn=learn))

    values = [variable.value for variable in net.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        value = loss()
    slopes = tape.gradient(value, values)
    along = sum(np.sum(d * s) for d, s in zip(direction, slopes, strict=True))
    ends = []
    for step in (1e-6, -1e-6):
        for variable, part in zip(net.trainable_variables, direction, strict=True):
            variable.assign_add(step * part)
        ends.append(float(loss()))
        for variable, part in zip(net.trainable_variables, direction, strict=True):
            variable.assign_sub(step * part)
    np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, along, rtol=1e-4, atol=1e-5)


def test_only_the_candidate_that_an_edge_has_chosen_counts(seed):
    net, rng = made(seed)
    batch, table = windows(rng), rng.uniform(size=(36, 5))
    chosen, factors = rng.integers(-1, 5, 36), rng.uniform(size=36)
    cell = twin_of(net)
    cell.table = factors[:, None] * table * (np.arange(5) == chosen[:, None])
    weights = EdgeWeights(
        tf.constant(table), edges=tf.constant(factors), chosen=tf.constant(chosen)
    )
    right, _ = expected(net, cell, batch, np.zeros((ROWS, SIZE)), True)
    y = net(batch, training=True, edge_weights=[weights])
    np.testing.assert_allclose(y, right, rtol=0, atol=1e-9)
    weights = weights._replace(drop_path=tf.constant(0.1))
    with pytest.raises(UserError, match="drop_path"):
        net(batch, training=True, edge_weights=[weights])


def test_the_supernet_of_the_paper_has_its_weights():
    net = supernet_class(spaces.get("ptb"))()
    net.build((None, 37))
    count = sum(int(np.prod(variable.shape)) for variable in net.weight_variables)
    assert count == 4_810_000 == twin.parameters(10_000, 300, 8)
    assert [tuple(alphas.shape) for alphas in net.architecture_variables] == [(36, 5)]
    assert len(net.weight_variables) + 1 == len(net.trainable_variables)


def test_it_comes_back_from_its_config(seed):
    net, rng = made(seed)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    batch = windows(rng)
    np.testing.assert_array_equal(again(batch), net(batch))
    assert again.dropout == RATES
    spaces.get("ptb").check(spaces.get("ptb").derive(net.strengths()))


def test_its_settings_are_those_of_the_search():
    config = SearchConfig(batch_size=6, text_hidden_dropout=0.125)
    arguments = {"layers": 8, "stem": "cifar", "init_channels": 5, "classes": 9, "partial": 1}
    arguments |= {"search_space": SPACE, "relaxation": None, "dtype": "float32"}
    settings = supernet_arguments(SPACE, config, arguments)
    net = supernet_class(SPACE)(**settings)
    assert (net.size, net.vocabulary) == (5, 9)
    assert settings["rows"] == 6
    assert settings["dropout"]["hidden"] == 0.125
    assert sorted(settings["dropout"]) == sorted(RATES)


@pytest.mark.parametrize(
    "wrong",
    [{"init_channels": 0}, {"classes": 1}, {"rows": 0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a vocabulary"):
        RecurrentSupernet("ptb", **wrong)


def test_partial_channels_are_refused():
    with pytest.raises(UserError, match="partial channels"):
        supernet_arguments(SPACE, SearchConfig(), {"partial": 4})


def test_it_takes_one_device():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]) if _two() else None
    if strategy is None:
        pytest.skip("TensorFlow has started with one device")
    with strategy.scope(), pytest.raises(UserError, match="expected one device for a text"):
        RecurrentSupernet("ptb", init_channels=2, classes=3, rows=2).build((None, 4))


def _two() -> bool:
    return len(tf.config.list_logical_devices("CPU")) > 1
