"""What is computed again gives the same, and is computed again in the gradient alone."""

import numpy as np
import tensorflow as tf

from darts_tf.layers.recompute import recomputed
from tests import weights


def test_values_and_gradients_of_structures_are_those_of_the_function(seed):
    rng = np.random.default_rng(seed)
    given = {"x": tf.constant(rng.normal(size=(3, 4))), "unread": tf.constant(rng.normal(size=2))}
    factor = tf.constant(rng.normal(size=4))
    calls = []

    def function(given, factor):
        calls.append(None)
        return {"y": tf.tanh(given["x"] * factor)}, [tf.stop_gradient(tf.reduce_sum(factor))]

    results = []
    for kind in (function, recomputed(function)):
        calls.clear()
        with tf.GradientTape() as tape:
            tape.watch((given, factor))
            outputs, total = kind(given, factor)
        forwards = len(calls)
        results.append((outputs["y"], *total, *tape.gradient(outputs, (given["x"], factor))))
    assert (forwards, len(calls)) == (1, 2)
    for ours, right in zip(results[1], results[0], strict=True):
        assert weights.relative_error(ours, right) < 1e-12
