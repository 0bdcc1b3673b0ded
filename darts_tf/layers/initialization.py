"""How weights start."""

import math

import keras


def uniform(fan_in: int) -> keras.initializers.Initializer:
    """Returns PyTorch's initial distribution of a kernel: uniform within 1 / sqrt(fan_in).

    Args:
        fan_in: The inputs that one output reads: rows * columns * channels of a convolution's
            kernel, rows * columns of a depthwise one.
    """
    limit = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-limit, limit)
