"""What a network costs: parameters, and multiply-adds of its convolutions and dense layers."""

import math

import keras


def parameters(network: keras.Model) -> int:
    """Returns the number of trainable weights, as papers count the size of a network."""
    return sum(math.prod(variable.shape) for variable in network.trainable_variables)


def multiply_adds(network: keras.Model) -> int:
    """Returns the multiply-adds of one image, of convolutions and dense layers.

    Args:
        network: A functional model of layers with known image sizes.
    """
    return sum(_layer(layer) for layer in network.layers)


def _layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel_size)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    return 0
