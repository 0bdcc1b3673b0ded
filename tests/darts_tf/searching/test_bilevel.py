"""The alternating optimization: each step equals the same in float64 NumPy."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import SGD
from darts_tf.engine.scoring import Batch
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.spaces.darts import DARTS
from tests import tiny
from tests.problem import TRAIN, VALID, Problem, check

ORDERS = ("first", "second", "one_level")
# The norm of the weights' gradient lies between these limits.
CLIPPED, UNCLIPPED = 0.5, 1e3


@pytest.fixture(scope="module")
def supernet():
    """One for several steps, each of which gives it its weights."""
    return Problem(0, clip=None).supernet()


@pytest.mark.parametrize(
    ("order", "clip"), [("first", UNCLIPPED), ("second", CLIPPED), ("one_level", CLIPPED)]
)
def test_two_steps_equal_those_in_numpy(order, clip, supernet, seed):
    problem = Problem(seed, clip)
    compare_two_steps(problem, problem.step(order, net=supernet), order)


def test_two_steps_in_the_whole_space_equal_those_in_numpy(seed):
    problem = Problem(seed, CLIPPED, space=DARTS)
    compare_two_steps(problem, problem.step(), "first")


def compare_two_steps(problem, step, order):
    losses = [step(problem.batch(i, TRAIN), problem.batch(i, VALID)).loss for i in range(2)]
    alphas, params, right = problem.twin_steps(order)
    assert all(math.isclose(*pair, rel_tol=1e-9) for pair in zip(losses, right, strict=True))
    check(step, alphas, params)


def test_second_order_with_imagenets_stem_and_alphas_by_stage_equals_numpy(seed):
    problem = Problem(seed, CLIPPED, staged=True, space=tiny.SPACE)
    step = problem.step("second")
    run = tf.function(lambda: step(problem.batch(0, TRAIN), problem.batch(0, VALID)).loss)
    loss = run()
    alphas, params, [right] = problem.twin_steps("second", steps=1)
    assert len(alphas) == 5
    assert math.isclose(loss, right, rel_tol=1e-9)
    check(step, alphas, params)


@pytest.mark.parametrize("staged", [False, True], ids=["shared", "by_stage"])
def test_two_devices_give_what_one_gives_in_numpy(staged, two_devices, seed):
    problem = Problem(seed, CLIPPED, staged=staged, space=tiny.SPACE)
    strategy = make_strategy("mirrored")
    with strategy.scope():
        step = problem.step(synchronized=True)
    strategy.run(step, (problem.shares(strategy, 0, TRAIN), problem.shares(strategy, 0, VALID)))
    alphas, params, _ = problem.twin_steps("first", steps=1)
    assert len(alphas) == (5 if staged else 2)
    check(step, alphas, params)


class Mixture:
    """The least that a step needs of a supernet: three linear maps, mixed by their alphas.

    It notes what each pass learns, and the seed of its noise.
    """

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.maps = keras.Variable(rng.normal(size=(3, 4, 2)), dtype="float64")
        self.alphas = keras.Variable(rng.normal(size=3), dtype="float64")
        self.weight_variables = [self.maps]
        self.architecture_variables = [self.alphas]
        self.non_trainable_variables = []
        self.passes = []

    def __call__(self, images, training, learn, seed, edge_weights=None):
        del edge_weights
        self.passes.append((learn, None if seed is None else seed))
        weights = tf.nn.softmax(self.alphas.value)
        return tf.einsum("o,bi,oic->bc", weights, images, self.maps.value)


def batches(seed, part=slice(None)):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(2):
        images, labels = rng.normal(size=(6, 4)), rng.integers(0, 2, 6)
        share = tf.fill((len(labels[part]),), tf.constant(1 / 6, tf.float64))
        made.append(Batch(tf.constant(images[part]), tf.constant(labels[part]), share))
    return made


def mixture_step(start, order="first", **options):
    """A step whose architecture optimizer moves the alphas by their gradient."""
    optimizer = SGD(1.0, momentum=0.0)
    return BilevelStep(
        Mixture(start), SGD(0.1), optimizer, ARCHITECTURE_GRADIENTS[order], **options
    )


def pull(net, seed):
    del seed
    return 0.1 * tf.nn.l2_loss(net.alphas.value)


def test_either_the_alphas_or_the_weights_move_first(seed):
    for weights_first, order in (
        (False, ["architecture", "weights"]),
        (True, ["weights", "architecture"]),
    ):
        step = mixture_step(seed, weights_first=weights_first)
        step(*batches(seed))
        assert [learn for learn, _ in step.supernet.passes] == order


def test_a_penalty_adds_its_gradient_to_that_of_the_alphas(seed):
    plain, pulled = mixture_step(seed), mixture_step(seed, penalty=pull)
    start = plain.supernet.alphas.numpy()
    for step in (plain, pulled):
        step.update_architecture(*batches(seed))
    moved = plain.supernet.alphas.numpy() - 0.1 * start
    np.testing.assert_allclose(pulled.supernet.alphas.numpy(), moved, rtol=1e-12)


def test_a_penalty_counts_once_however_many_devices_there_are(two_devices, seed):
    whole = mixture_step(seed, penalty=pull)
    whole.update_architecture(*batches(seed))
    strategy = make_strategy("mirrored")
    with strategy.scope():
        step = mixture_step(seed, penalty=pull)
    parts = [slice(0, 2), slice(2, None)]
    shares = [
        strategy.experimental_distribute_values_from_function(
            lambda context, kind=kind: batches(seed, parts[context.replica_id_in_sync_group])[kind]
        )
        for kind in (TRAIN, VALID)
    ]
    strategy.run(step.update_architecture, shares)
    alphas = [step.supernet.alphas.numpy(), whole.supernet.alphas.numpy()]
    np.testing.assert_allclose(*alphas, rtol=1e-12)


def test_the_noise_follows_from_seed_epoch_step_and_pass_alone(seed):
    def drawn(clock, order="first", of=seed):
        step = mixture_step(seed, order, seed=of)
        step(*batches(seed), clock)
        return [None if draw is None else tuple(draw.numpy()) for _, draw in step.supernet.passes]

    first = drawn((3, 7))
    assert first == drawn((3, 7)) == drawn((tf.constant(3), tf.constant(7)))
    others = [*drawn((3, 8)), *drawn((4, 7)), *drawn((3, 7), of=seed + 1)]
    assert len({*first, *others}) == 8
    assert drawn(None) == [None, None]
    architecture, weights = first
    assert drawn((3, 7), "second") == [*[architecture] * 4, weights]


def test_a_weight_step_alone_leaves_the_alphas(supernet, seed):
    problem = Problem(seed, UNCLIPPED)
    step = problem.step(net=supernet)
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
