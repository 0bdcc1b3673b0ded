"""The smallest supernet of a method, in float64: three cells of one node, with random alphas."""

from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.engine import precision
from darts_tf.engine.scoring import Batch
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet

SPACE = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
CONFIG = SearchConfig(layers=3, init_channels=2, stem="cifar")
CLASSES, SHAPE = 3, (4, 4, 3)


def tiny_supernet(method: Any, seed: int) -> Supernet:
    """Returns the supernet of a method's first stage.

    Args:
        method: The method, its name or its config.
        seed: Of the weights, and of the alphas, which are standard normal.
    """
    keras.utils.set_random_seed(seed)
    method = methods.get(method)
    stage = method.stage(0, CONFIG, SPACE, ())
    with mock.patch.object(precision, "dtype_policy", return_value="float64"):
        net = method.supernet(stage, CONFIG, CLASSES)
        net.build((None, *SHAPE))
    rng = np.random.default_rng(seed)
    for variable in net.architecture_variables:
        variable.assign(rng.normal(size=variable.shape))
    return net


def tiny_batch(seed: int, images: int = 4) -> Batch:
    """Returns a batch of random images, in float64."""
    rng = np.random.default_rng(seed)
    return Batch(
        tf.constant(rng.normal(size=(images, *SHAPE))),
        tf.constant(rng.integers(0, CLASSES, images), tf.int32),
        tf.fill((images,), tf.constant(1 / images, tf.float64)),
    )
