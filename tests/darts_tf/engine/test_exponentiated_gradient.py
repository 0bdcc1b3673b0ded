"""XNAS's rule multiplies weights by exponentials of rewards."""

import math

import numpy as np
import tensorflow as tf

from darts_tf.engine.exponentiated_gradient import ExponentiatedGradient


def test_it_multiplies_each_weight_by_the_exponential_of_its_clipped_reward(seed):
    rng = np.random.default_rng(seed)
    tables = [tf.Variable(rng.normal(size=shape)) for shape in ((3, 4), (2, 8), (3, 4))]
    rounds, bound = 40, 0.7
    optimizer = ExponentiatedGradient(rounds=rounds, bound=bound)
    experts = [np.exp(table.numpy()) for table in tables]
    for _ in range(3):
        rewards = [rng.normal(size=table.shape) for table in tables]
        optimizer.apply([tf.constant(-reward) for reward in rewards], tables)
        for number, reward in enumerate(rewards):
            eta = math.sqrt(2 * math.log(reward.shape[1]) / (rounds * bound**2))
            experts[number] *= np.exp(eta * np.minimum(bound, np.maximum(-bound, reward)))
    for table, expert in zip(tables, experts, strict=True):
        np.testing.assert_allclose(np.exp(table.numpy()), expert, rtol=1e-12)
