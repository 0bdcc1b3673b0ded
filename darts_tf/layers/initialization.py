"""The initial distribution of weights."""

import math

import keras


def uniform(fan_in: int) -> keras.initializers.Initializer:
    """Returns PyTorch's initial distribution: uniform on [-1 / sqrt(fan_in), 1 / sqrt(fan_in)].

    Args:
        fan_in: Number of inputs that one output reads: rows * columns * input channels of a
            convolution's kernel, rows * columns of a depthwise kernel.
    """
    limit = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-limit, limit)
