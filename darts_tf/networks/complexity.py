"""The cost of a network: its parameters, and the multiply-adds of one image or word."""

import math

import keras


def parameters(network: keras.Model) -> int:
    """Returns the number of trainable weights, as papers count the size of a network.

    Args:
        network: A built model.
    """
    return sum(math.prod(variable.shape) for variable in network.trainable_variables)


def multiply_adds(network: keras.Model) -> int:
    """Returns the multiply-adds of one image, or of one word of a language model.

    A convolution of `k * k` from `c` to `d` channels has `k * k * c * d` for each pixel of its
    output, a depthwise one `k * k * c`; fully connected layers and the decoder of a language model
    have one for each weight. Batch normalization, pooling and additions are not counted, as in
    DARTS's code.

    Example:
        >>> import keras
        >>> from darts_tf.networks.complexity import multiply_adds, parameters
        >>> layers = keras.layers.Conv2D(8, 3, padding="same"), keras.layers.Flatten()
        >>> network = keras.Sequential([keras.Input((4, 4, 2)), *layers])
        >>> multiply_adds(network), parameters(network)
        (2304, 152)

    Args:
        network: A functional model whose layers know the size of their images.
    """
    return sum(_layer(layer) for layer in network.layers)


def _layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel_size)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.ReversibleEmbedding):  # as a decoder; looking up is free
        return math.prod(layer.embeddings.shape)
    return 0
