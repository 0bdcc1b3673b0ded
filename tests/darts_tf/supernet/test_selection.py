"""One branch of several, in eager mode, in graphs, and on two devices."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.layers.normalization import BatchNormalization
from darts_tf.supernet.mixed_operation import MixedOperation, total
from darts_tf.supernet.selection import Branch, compute_one
from darts_tf.supernet.source_features import SourceFeatures
from tests.replicas import strategy

CANDIDATES = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_3x3")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("chosen", [0, 1])
@pytest.mark.parametrize("compiled", [True, False])
def test_only_the_chosen_branch_runs_and_changes_its_layer(compiled, chosen, training, seed):
    rng = np.random.default_rng(seed)
    x = tf.constant(rng.normal(size=(2, 3, 3, 2)))
    norms = [BatchNormalization(dtype="float64") for _ in range(2)]
    for norm in norms:
        norm.build(x.shape)
    ran = tf.Variable([0, 0])

    def branch(number, x):
        ran.scatter_nd_add([[number]], [1])
        return (number + 2) * norms[number](x, training=training)

    def run(chosen):
        branches = [
            Branch(lambda x, n=number: branch(n, x), (x,), (norms[number],)) for number in range(2)
        ]
        return compute_one(chosen, branches, training)

    result = (tf.function(run) if compiled else run)(tf.constant(chosen))
    assert ran.numpy().tolist() == [int(number == chosen) for number in range(2)]
    moved = [bool(np.any(norm.moving_mean.numpy())) for norm in norms]
    assert moved == [training and number == chosen for number in range(2)]
    plain = BatchNormalization(dtype="float64")
    np.testing.assert_allclose(result, (chosen + 2) * plain(x, training=training), rtol=1e-12)
    if training:
        np.testing.assert_allclose(norms[chosen].moving_mean, plain.moving_mean, rtol=1e-12)


def test_on_two_devices_a_chosen_candidate_is_that_of_one(two_devices, seed):
    rng = np.random.default_rng(seed)
    images, mixing = rng.normal(size=(6, 5, 6, 4)), rng.uniform(0.5, 1, len(CANDIDATES))
    adjoint = rng.normal(size=images.shape)

    def run(devices):
        keras.utils.set_random_seed(seed % 2**31)
        scheme = strategy(devices)
        with scheme.scope():
            shared = {"synchronized": True, "dtype": "float64"}
            edge = MixedOperation(4, 1, CANDIDATES, **shared)
            source = SourceFeatures(1, filter(None, edge.reads), **shared)
            source.build((None, *images.shape[1:]))
            edge.build({"identity": (None, *images.shape[1:])})
            table = tf.Variable(mixing)
            variables = [variable.value for variable in edge.trainable_variables]

        def replica(choice):
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            part = 6 // devices
            mine = slice(part * number, part * (number + 1))
            x = tf.constant(images)[mine]
            reads = tf.constant([[f == r for f in source.features] for r in edge.reads])
            with tf.GradientTape() as tape:
                features = source(x, training=True, needed=reads[choice])
                y = total([edge(features, table, choice, training=True)])
                loss = tf.reduce_sum(y * tf.constant(adjoint)[mine])
            zero = tf.UnconnectedGradients.ZERO
            return loss, tape.gradient(loss, [table, *variables], unconnected_gradients=zero)

        compiled = tf.function(lambda choice: scheme.run(replica, (choice,)), autograph=False)
        for chosen in range(len(CANDIDATES)):
            parts = compiled(tf.constant(chosen))
            sums = tf.nest.map_structure(lambda part: scheme.reduce("SUM", part, axis=None), parts)
            averages = [*source.non_trainable_variables, *edge.non_trainable_variables]
            means = [scheme.reduce("MEAN", average.value, axis=None) for average in averages]
            yield [np.asarray(array) for array in (sums[0], *sums[1], *means)]

    for chosen, (one, two) in enumerate(zip(run(1), run(2), strict=True)):
        for ours, right in zip(two, one, strict=True):
            np.testing.assert_allclose(ours, right, rtol=1e-9, atol=1e-12)
        unchosen = np.arange(len(CANDIDATES)) != chosen
        assert not np.any(two[1][unchosen])
