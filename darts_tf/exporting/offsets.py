"""Biases of convolutions that are added up: one offset after the sum."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.exporting.wiring import is_linear, remade, wiring


@keras.saving.register_keras_serializable(package="darts_tf")
class Offset(keras.layers.Layer):
    """Adds an offset to each channel, the last axis."""

    def build(self, x_shape: tuple[Any, ...]) -> None:
        """Creates the offsets, [channels] by the last axis of the shape."""
        self.offset = self.add_weight(shape=(x_shape[-1],), initializer="zeros", name="offset")
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Returns `x`, [batch, ..., channels], with the offsets added."""
        return tf.nn.bias_add(x, self.offset)

    def compute_output_shape(self, x_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Returns the shape of the input."""
        return x_shape


def offset_sums(model: keras.Model) -> keras.Model:
    """Returns a model that computes the same, with one offset where biases were added up.

    When a graph is loaded, TensorFlow fuses a convolution with its bias and the ReLU after it. It
    also tries to fuse a bias with the sum after it. Where that fails, as in cells whose nodes add
    two convolutions, TensorFlow 2.21 gives up on the whole graph.

    Example:
        >>> import keras
        >>> from darts_tf.exporting.offsets import offset_sums
        >>> images = keras.Input((4, 4, 3))
        >>> both = [keras.layers.Conv2D(2, 1)(images) for _ in range(2)]
        >>> model = offset_sums(keras.Model(images, keras.layers.Add()(both)))
        >>> [type(layer).__name__ for layer in model.layers[-2:]]
        ['Add', 'Offset']

    Args:
        model: Any model. One that is not functional is returned unchanged.
    """
    sources, readers = wiring(model)
    added: dict[str, list[str]] = {}
    for name, read in sources.items():
        if type(model.get_layer(name)) is keras.layers.Add:
            convs = [source for source in read if readers[source] == 1]
            convs = [conv for conv in convs if _has_bias(model.get_layer(conv))]
            added |= {name: convs} if convs else {}
    if not added:
        return model
    bare = {conv for convs in added.values() for conv in convs}
    offsets = {name: Offset(name=f"{name}_offset") for name in added}

    def remake(layer: keras.layers.Layer) -> keras.layers.Layer:
        more = {"use_bias": False} if layer.name in bare else {}
        return type(layer).from_config({**layer.get_config(), **more})

    def call(layer: keras.layers.Layer, x: Any, *others: Any, **named: Any) -> Any:
        y = layer(x, *others, **named)
        return offsets[layer.name](y) if layer.name in offsets else y

    result = remade(model, remake, call)
    for name, convs in added.items():
        biases = [model.get_layer(conv).get_weights()[-1].astype(np.float64) for conv in convs]
        offsets[name].set_weights([np.sum(biases, axis=0)])
    return result


def _has_bias(layer: keras.layers.Layer) -> bool:
    return is_linear(layer) and layer.use_bias
