"""One step of the alternating optimisation, worked out in float64 NumPy beside."""

import math

import numpy as np
import pytest

from darts_tf.config import SearchConfig
from darts_tf.engine.devices import make_strategy
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS
from tests.problem import TRAIN, VALID, Problem, check

ORDERS = ("first", "second", "one_level")


@pytest.mark.parametrize(("order", "clip"), [("first", 0.5), ("second", 0.5), ("one_level", 1e3)])
def test_two_steps_equal_those_in_numpy(order, clip, seed):
    problem = Problem(seed, clip)
    step = problem.step(order)
    losses = [step(problem.batch(i, TRAIN), problem.batch(i, VALID)).loss for i in range(2)]
    alphas, params, right = problem.twin_steps(order)
    assert all(math.isclose(*pair, rel_tol=1e-9) for pair in zip(losses, right, strict=True))
    check(step, alphas, params)


def test_two_devices_with_imagenets_stem_and_alphas_by_stage_give_what_numpy_gives(
    two_devices, seed
):
    problem = Problem(seed, clip=0.5, staged=True)
    strategy = make_strategy("mirrored")
    with strategy.scope():
        step = problem.step(synchronized=True)
    parts = [slice(0, 2), slice(2, None)]

    def shares(iteration, kind):
        return strategy.experimental_distribute_values_from_function(
            lambda context: problem.batch(iteration, kind, parts[context.replica_id_in_sync_group])
        )

    strategy.run(step, (shares(0, TRAIN), shares(0, VALID)))
    alphas, params, _ = problem.twin_steps("first", steps=1)
    assert len(alphas) == 5
    check(step, alphas, params)


def test_a_weight_step_alone_leaves_the_alphas(seed):
    problem = Problem(seed, clip=5.0)
    step = problem.step()
    before = step.supernet.architecture_parameters()
    weights_before = step.supernet.weight_variables[0].numpy()
    step.update_weights(problem.batch(0, TRAIN))
    for cell, table in step.supernet.architecture_parameters().items():
        np.testing.assert_array_equal(table, before[cell])
    assert np.abs(step.supernet.weight_variables[0].numpy() - weights_before).max() > 0


def test_a_search_can_ask_for_each_architecture_gradient():
    assert set(ARCHITECTURE_GRADIENTS) == set(ORDERS)
    for order in ORDERS:
        assert SearchConfig(arch_order=order).arch_order == order
