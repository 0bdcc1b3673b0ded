"""XNAS: rewards, the rule for experts, and when these leave, against plain NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.stage import Stage
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.experts import Experts
from tests import tiny, weights
from tests.oracles import weighted


def left_after(alphas, kept, round_number, rounds, eta, bound):
    """Algorithm 1's wipeout, expert by expert, on v = exp(alpha)."""
    stays = np.array(kept)
    for edge, row in enumerate(alphas):
        best = max(value for value, own in zip(row, kept[edge], strict=True) if own)
        for column, value in enumerate(row):
            threshold = math.exp(-2 * eta * bound * (rounds - round_number))
            stays[edge, column] &= math.exp(value - best) >= threshold
    return stays


def edge_weights(alphas, kept):
    powers = np.exp(alphas) * kept
    return powers / powers.sum(1, keepdims=True)


def test_iterations_are_those_of_the_plain_twin(seed):
    order = ("first", "one_level")[seed % 2]
    rounds, bound = 4, 1.0
    problem = tiny.Tiny(
        {"name": "xnas", "reward_bound": bound}, seed, epochs=2, steps=2, arch_order=order
    )
    eta = math.sqrt(2 * math.log(3) / (rounds * bound**2))
    alphas = {kind: np.zeros((2, 3)) for kind in ("normal", "reduce")}
    kept = {kind: np.ones((2, 3), bool) for kind in alphas}
    params = problem.params()
    velocities = [np.zeros_like(array) for array in weights.flat(params)]

    def tables():
        return [edge_weights(alphas[kind], kept[kind]) for kind in tiny.KINDS]

    for number in range(rounds):
        train, valid = number, number + 1
        moves = train if order == "one_level" else valid
        right = weighted.evaluate(*problem.arrays(moves), tables(), params)
        for kind, slope in tiny.by_kind(right.slopes).items():
            alphas[kind] = alphas[kind] - eta * np.clip(slope, -bound, bound)
            kept[kind] = left_after(alphas[kind], kept[kind], number + 1, rounds, eta, bound)
        right = weighted.evaluate(*problem.arrays(train), tables(), params)
        params, velocities = tiny.weight_step(params, right.gradients, velocities)

        score = problem.step(problem.batch(train), problem.batch(valid), (0, number))
        np.testing.assert_allclose(score.loss, right.loss, rtol=1e-9)
        problem.check(alphas, params)
        for kind, stays in problem.net.kept().items():
            np.testing.assert_array_equal(stays, kept[kind])
            strengths = problem.net.strengths()[kind]
            np.testing.assert_allclose(strengths, edge_weights(alphas[kind], stays), rtol=1e-9)
    assert all(stays.sum() < stays.size for stays in kept.values())
    assert problem.method.measures(problem.net) == {
        f"candidates_left_{kind}": stays.sum() for kind, stays in kept.items()
    }


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31), st.integers(3, 12))
def test_nobody_leaves_who_could_still_win_and_one_is_left_in_the_end(seed, rounds):
    rng = np.random.default_rng(seed)
    layer = Experts(SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1), rounds, dtype="float64")
    layer.build()
    alphas = np.zeros((2, 2))
    for number in range(1, rounds + 1):
        alphas += rng.uniform(-1, 1, alphas.shape) * (0.1 if rng.integers(2) else 1)
        layer.alphas["normal"].assign(alphas)
        layer.end_round({"normal": 1.0, "reduce": 1.0})
        kept = layer.kept()["normal"]
        gap = alphas.max(1, keepdims=True) - alphas
        # Each of the rounds to come can close a gap by 2.
        assert kept[gap <= 2 * (rounds - number)].all()
        if 2 * number <= rounds:
            assert kept.all()
    assert (kept.sum(1) == 1).all()
    assert layer.left() == {"normal": 2, "reduce": 4}  # those of the other cell are all alike


def test_only_steps_that_move_the_architecture_are_rounds():
    xnas = methods.get("xnas")
    stage = Stage(
        number=0,
        space=tiny.SPACE,
        layers=3,
        init_channels=2,
        epochs=50,
        arch_start_epoch=15,
        steps=391,
    )
    assert xnas.rounds(stage) == 35 * 391


def test_second_order_is_refused():
    with pytest.raises(UserError, match="arch_order: expected first or one_level"):
        choose(SearchConfig(method="xnas", arch_order="second"))


def test_what_has_left_stays_away_and_weighs_nothing(seed):
    layer = Experts(tiny.SPACE, 1, dtype="float64")
    layer.build()
    first = np.array([[True, False, True], [True, True, True]])
    layer.keep("normal", tf.constant(first))
    layer.keep("normal", tf.constant(~first))
    np.testing.assert_array_equal(layer.kept()["normal"][0], [False] * 3)
    layer.left_over["normal"].assign(first)
    alphas = np.random.default_rng(seed).normal(size=(2, 3)) * 300
    layer.alphas["normal"].assign(alphas)
    u = layer.call()["normal"].numpy()
    assert u[0, 1] == 0
    np.testing.assert_allclose(u.sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(layer.strengths()["normal"], u, rtol=1e-12, atol=1e-300)
