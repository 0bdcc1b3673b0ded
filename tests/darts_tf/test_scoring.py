import math

import numpy as np
import tensorflow as tf

from darts_tf.scoring import Batch, score


def test_score_weighs_losses_and_right_answers(seed):
    rng = np.random.default_rng(seed)
    logits, labels, share = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), rng.uniform(size=5)
    found = score(tf.constant(logits), Batch(None, tf.constant(labels), tf.constant(share)))
    likelihood = np.exp(logits[range(5), labels]) / np.exp(logits).sum(1)
    assert math.isclose(found.loss, np.sum(-np.log(likelihood) * share), rel_tol=1e-9)
    right = np.sum((logits.argmax(1) == labels) * share)
    assert math.isclose(found.accuracy, right, rel_tol=1e-9)
