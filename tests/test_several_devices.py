"""Several devices in one process do what one does, and a killed run on two goes on bit for bit."""

import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.optimizers import SGD
from darts_tf.layers.normalization import BatchNormalization, average_statistics
from tests import replicas, weights
from tests.killing import TRAIN, Job, on_devices
from tests.oracles import optimizers as rules
from tests.processes import SHORT_RUN, finish, split_cpu, start

ROOT = str(Path(replicas.__file__).parents[1])

_FOUR = (
    SHORT_RUN
    + split_cpu(4)
    + """
sys.path.insert(0, given[0])
from tests import replicas
print(*(replicas.greatest_error(4, given[1], order) for order in ("one_level", None)))
"""
)


def test_two_devices_leave_what_one_leaves_in_second_order(two_devices, seed):
    assert replicas.greatest_error(2, seed, "second") < 1e-9


def test_four_devices_leave_what_one_leaves_at_one_level_and_in_a_training(seed):
    [told] = finish(start(_FOUR, ROOT, seed))
    assert all(float(error) < 1e-9 for error in told.split())


@pytest.mark.parametrize("clipped", [True, False])
def test_what_is_clipped_is_the_sum(clipped, two_devices, seed):
    """The parts are all below the limit of 1 and their sum above it, or the other way round."""
    rng = np.random.default_rng(seed)
    one, other, weight = rng.normal(size=(3, 12))
    one *= 0.9 / np.linalg.norm(one)
    other *= 0.2 / np.linalg.norm(other)
    shares = [one, one + other / 2] if clipped else [4 * one, other - 4 * one]
    norms = [np.linalg.norm(share) for share in (*shares, sum(shares))]
    assert [norm > 1 for norm in norms] == [not clipped, not clipped, clipped]
    strategy = replicas.strategy(2)
    with strategy.scope():
        optimizer, variable = SGD(0.1, l2=1e-2, clip=1.0), tf.Variable(weight)
        optimizer.build([variable])
    parts = strategy.experimental_distribute_values_from_function(
        lambda context: (tf.constant(shares[context.replica_id_in_sync_group]),)
    )
    strategy.run(optimizer.apply, (parts,))
    zeros = [np.zeros(12)]
    [right], [velocity] = rules.sgd_step(
        [weight], [sum(shares)], zeros, np.float32(0.1), 0.9, 1e-2, max_norm=1.0
    )
    assert weights.relative_error(variable.numpy(), right) < 1e-9
    assert weights.relative_error(optimizer.variables[-1].numpy()[0], velocity) < 1e-9


def test_otherwise_each_normalises_its_own_share_and_the_averages_are_averaged(two_devices, seed):
    """Two steps with shares of different sizes, then what an evaluation finds."""
    rng = np.random.default_rng(seed)
    steps = [[rng.normal(1, 2, (size, 3, 4, 2)) for size in sizes] for sizes in ((4, 4), (2, 3))]
    strategy = replicas.strategy(2)
    with strategy.scope():
        image = tf.keras.Input((3, 4, 2), dtype="float64")
        layer = BatchNormalization(dtype="float64")
        model = tf.keras.Model(image, layer(image))
    means, variances = np.zeros((2, 2)), np.ones((2, 2))
    for shares in steps:
        parts = strategy.experimental_distribute_values_from_function(
            lambda context, shares=shares: tf.constant(shares[context.replica_id_in_sync_group])
        )
        found = strategy.run(lambda x: model(x, training=True), (parts,))
        for i, share in enumerate(shares):
            mean, variance = share.mean((0, 1, 2)), share.var((0, 1, 2))
            right = (share - mean) / np.sqrt(variance + 1e-5)
            assert weights.relative_error(found.values[i], right) < 1e-9
            pixels = share[..., 0].size
            means[i] = 0.9 * means[i] + 0.1 * mean
            variances[i] = 0.9 * variances[i] + 0.1 * variance * pixels / (pixels - 1)
    averages = (layer.moving_mean, means), (layer.moving_variance, variances)
    for variable, right in averages:
        own = [copy.numpy() for copy in variable.value.values]
        assert weights.relative_error(own, right) < 1e-9
    average_statistics(model)
    for variable, right in averages:
        for copy in variable.value.values:
            assert weights.relative_error(copy.numpy(), right.mean(0)) < 1e-9


def test_a_killed_training_on_two_devices_ends_as_one_that_never_was(folder, seed):
    words = (*on_devices(TRAIN, 2), "--epochs=2")
    whole, broken = (Job(words, seed % 2**30, folder, f"{words[2]}-{n}") for n in ("w", "k"))
    whole_run = whole.start()
    # The file under way counts too, so that one is whole by then.
    assert broken.kill_after_checkpoints(2, "--checkpoint_every=1step") == -signal.SIGKILL
    broken.finish()
    _, told = whole_run.communicate()
    assert whole_run.returncode == 0, told
    assert broken.outcome() == whole.outcome()
    log = (broken.path / f"{broken.program}.log").read_text()
    assert "resumes with step" in log
    assert "resumes with step 0 " not in log
