"""SNAS: the joint step with its noise, its drop path and its costs, against plain NumPy."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.data.dataset import Dataset
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import ArraySplit
from darts_tf.errors import UserError
from darts_tf.searching.bilevel import WEIGHT_PASS
from darts_tf.searching.plugs import choose
from darts_tf.searching.stage_search import StageSearch
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import read_genotype
from darts_tf.supernet.relaxations.gumbel import gumbel
from tests import tiny, weights
from tests.oracles import optimizers as rules
from tests.oracles import weighted
from tests.some_spaces import Dense

fold_in = tf.random.experimental.stateless_fold_in
LAST = 2**31 - 1
# Of each cell of the tiny supernet: channels, side of the nodes, whether it halves the image.
CELLS = ((2, 4, False), (4, 2, True), (8, 1, True))


def costs(channels, side, halves):
    """Size, multiply-adds and memory access of `none`, `skip_connect` and `sep_conv_3x3`."""
    c, pixels = channels, side**2
    size = 2 * 9 * c + 2 * c**2
    separable = (size, size * pixels, (11 if halves else 8) * c * pixels + size)
    skip = (c**2, c**2 * pixels, 9 * c * pixels + c**2) if halves else (0, 0, 2 * c * pixels)
    return np.array([(0, 0, 0), skip, separable], float).T


def cost_and_slopes(u, cell):
    """The cost of one cell's edges, and its slopes for their weights."""
    total, slopes = 0.0, np.zeros_like(u)
    for edge, row in enumerate(u):
        for cost in costs(*cell):
            expected = float(row @ cost)
            if expected >= 1:
                total += math.log(expected) / 3
                slopes[edge] += cost / expected / 3
    return total, slopes


@pytest.mark.parametrize("adam", [False, True])
def test_iterations_are_those_of_the_plain_twin(adam, seed):
    rate, clip, factor, drop, l2 = 0.25, 0.2, 0.05, 0.3, 0.1
    settings = {"drop_path": drop, "resource_weight": factor, "alpha_clip": clip, "adam": adam}
    problem = tiny.Tiny(
        {"name": "snas", **settings}, seed, epochs=4, arch_learning_rate=rate, arch_weight_decay=l2
    )
    alphas, params = problem.alphas(), problem.params()
    averages = rules.AdamState.start([*alphas.values()])
    velocities = [np.zeros_like(array) for array in weights.flat(params)]

    for number in range(3):
        temperature = 0.03 + 0.97 * (1 - number / 4)
        problem.method.on_epoch_begin(number, 4, problem.net)
        noise = problem.step._seed((0, number), WEIGHT_PASS)
        u = {}
        for place, (kind, table) in enumerate(alphas.items()):
            logits = (table + gumbel((2, 3), fold_in(noise, place), tf.float64)) / temperature
            powers = np.exp(logits - logits.numpy().max(1, keepdims=True))
            u[kind] = powers / powers.sum(1, keepdims=True)
        masks = [
            [
                np.array(
                    tf.random.stateless_uniform(
                        (tiny.BATCH, 1, 1, 1),
                        fold_in(fold_in(fold_in(fold_in(noise, LAST), cell), edge), LAST),
                        dtype=tf.float64,
                    )
                    < 1 - drop
                ).reshape(-1)
                / (1 - drop)
                for edge in range(2)
            ]
            for cell in range(3)
        ]
        tables = [u[kind] for kind in tiny.KINDS]
        right = weighted.evaluate(*problem.arrays(number), tables, params, masks)

        slopes = tiny.by_kind(right.slopes)
        total = 0.0
        for kind, cell in zip(tiny.KINDS, CELLS, strict=True):
            cost, more = cost_and_slopes(u[kind], cell)
            # Of the supernet of eight cells, whose code divides by these numbers.
            cells = {"normal": 6, "reduce": 2}[kind]
            total += cost / cells
            slopes[kind] = slopes[kind] + factor * more / cells
        penalty = problem.method.penalty(problem.net, noise)
        np.testing.assert_allclose(penalty, factor * total, rtol=1e-9)
        gradients = [
            u[kind] * (s - (u[kind] * s).sum(1, keepdims=True)) / temperature
            for kind, s in slopes.items()
        ]
        gradients = rules.clip_to_global_norm(gradients, clip)
        if adam:
            tables, averages = rules.adam_step(
                [*alphas.values()], gradients, averages, rate, (0.5, 0.999), l2
            )
        else:
            tables = [
                table - rate * gradient
                for table, gradient in zip(alphas.values(), gradients, strict=True)
            ]
        alphas = dict(zip(alphas, tables, strict=True))
        params, velocities = tiny.weight_step(params, right.gradients, velocities)

        score = problem.step(problem.batch(number), None, (0, number))
        np.testing.assert_allclose(score.loss, right.loss, rtol=1e-9)
        problem.check(alphas, params)
    measured = problem.method.measures(problem.net)
    assert measured["temperature"] == pytest.approx(temperature, rel=1e-12)
    assert measured["resource_cost"] > 0


@given(st.integers(1, 400), st.data())
def test_the_temperature_falls_by_equal_steps(epochs, data):
    epoch = data.draw(st.integers(0, epochs - 1))
    right = 0.03 + 0.97 * (1 - epoch / epochs)
    assert methods.get("snas").temperature(epoch, epochs) == pytest.approx(right, rel=1e-12)


def test_alphas_start_around_one_and_say_how_noisy_they_are(seed):
    keras.utils.set_random_seed(seed)
    relaxation = methods.get("snas").relaxation("darts")
    relaxation.build()
    values = np.concatenate([*relaxation.architecture_parameters().values()]).ravel()
    assert abs(values.mean() - 1) < 0.005
    assert 0.008 < values.std() < 0.012
    assert relaxation.initial_noise() == {"normal": 0.01, "reduce": 0.01}


@pytest.mark.parametrize(("whole", "images"), [(True, 40), (False, 30)])
def test_all_training_images_train_and_the_last_of_them_are_measured(whole, images, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (40, 8, 8, 1)).astype(np.uint8)
    split = ArraySplit(pixels, (np.arange(40) % 10).astype(np.int32))
    config = SearchConfig(
        dataset="digits", stem="cifar", train_portion=0.75, layers=3, init_channels=2, batch_size=10
    )
    method = methods.get({"name": "snas", "whole_training_set": whole})
    plan = method.stage(0, config, tiny.SPACE, ())
    data = Dataset(DATASETS["digits"], split, split)
    strategy = tf.distribute.get_strategy()
    searching = StageSearch(config, method, plan, strategy, data, measured=lambda epoch: ())
    assert len(searching.train) == images
    np.testing.assert_array_equal(searching.valid.images, pixels[30:])
    assert searching.plan.steps == images // 10


def test_a_cell_may_keep_all_edges_each_with_its_strongest_candidate(seed):
    rng = np.random.default_rng(seed)
    tables = {cell: rng.uniform(size=(14, 8)) for cell in DARTS.cells}
    for table in tables.values():
        table[3, 0] = 1.0  # `none`
    genotype = methods.get({"name": "snas", "all_edges": True}).derive(tables, DARTS)
    for cell, table in tables.items():
        names = [DARTS.candidates[row.tolist().index(max(row))] for row in table]
        wires = [(source, node) for node in range(2, 6) for source in range(node)]
        assert genotype.edges(cell) == tuple(
            (name, *wire) for name, wire in zip(names, wires, strict=True)
        )
        assert names[3] == "none"
    # What a search writes down is read again.
    assert read_genotype(genotype.to_json()) == genotype


def test_second_order_is_refused():
    with pytest.raises(UserError, match="arch_order: expected first or one_level"):
        choose(SearchConfig(method="snas", arch_order="second"))


def test_all_edges_are_refused_where_cells_have_a_rule_of_their_own():
    method = methods.get({"name": "snas", "all_edges": True})
    with pytest.raises(UserError, match=r"^snas_all_edges: expected false in a space"):
        method.check(SearchConfig(method="snas"), Dense(inputs=1, nodes=2))
