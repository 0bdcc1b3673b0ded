"""Folding batch normalization into the convolutions before it, for inference."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from darts_tf.exporting.wiring import is_linear, remade, wiring
from darts_tf.layers.convolutions import Conv2D


def fold_normalization(model: keras.Model) -> keras.Model:
    """Returns a model for inference that computes the same in less time.

    Batch normalization with scale `g`, offset `b`, moving mean `m` and moving variance `v` turns a
    convolution `K * x` into

        K' * x + b'    with    K' = K g / sqrt(v + epsilon),    b' = b - m g / sqrt(v + epsilon)

    This is done to a normalization that reads one convolution, or a concatenation of convolutions,
    if nothing else reads these.

    Example:
        >>> import keras
        >>> from darts_tf.exporting.folding import fold_normalization
        >>> layers = [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
        >>> functional = keras.Model(model.inputs, model.outputs)
        >>> [type(layer).__name__ for layer in fold_normalization(functional).layers]
        ['InputLayer', 'Conv2D']

    Args:
        model: Any model. One that is not functional is returned unchanged.
    """
    pairs = dict(_pairs(model))
    if not pairs:
        return model
    changed = {conv.name for convs in pairs.values() for conv in convs}

    def remake(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = type(layer)
        if kind is keras.layers.Conv2D and layer.groups > 1:
            kind = Conv2D  # Keras's leaves groups to XLA, which no converter knows
        more = {"use_bias": True} if layer.name in changed else {}
        return kind.from_config({**layer.get_config(), **more})

    def call(layer: keras.layers.Layer, x: Any, *others: Any, **named: Any) -> Any:
        return x if layer.name in pairs else layer(x, *others, **named)

    result = remade(model, remake, call)
    for name, convs in pairs.items():
        factor, offset = _affine(model.get_layer(name))
        ends = np.cumsum([conv.output.shape[-1] for conv in convs])[:-1]
        parts = zip(convs, np.split(factor, ends), np.split(offset, ends), strict=True)
        for conv, factors, offsets in parts:
            kernel, *bias = (w.astype(np.float64) for w in conv.get_weights())
            shape = kernel.shape[2:] if _is_depthwise(conv) else (1, kernel.shape[3])
            offsets = offsets + factors * (bias[0] if bias else 0)
            result.get_layer(conv.name).set_weights([kernel * factors.reshape(shape), offsets])
    return result


def _pairs(model: keras.Model) -> Iterator[tuple[str, list[keras.layers.Layer]]]:
    """Yields the name of each normalization that can be folded, and the convolutions before it."""
    sources, readers = wiring(model)
    for name, read in sources.items():
        layer = model.get_layer(name)
        if not _is_normalization(layer) or len(read) != 1:
            continue
        before = model.get_layer(read[0])
        convs = [before]
        if type(before) is keras.layers.Concatenate and readers[before.name] == 1:
            convs = [model.get_layer(source) for source in sources[before.name]]
        if all(is_linear(conv) and readers[conv.name] == 1 for conv in convs):
            yield name, convs


def _is_normalization(layer: keras.layers.Layer) -> bool:
    """Whether a layer is batch normalization of the last axis of images."""
    return type(layer) is keras.layers.BatchNormalization and layer.axis in (-1, 3)


def _is_depthwise(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def _affine(norm: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Returns the factor and the offset of a batch normalization, float64 [channels]."""
    parts = (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    gamma, beta, mean, variance = (
        default if part is None else part.numpy().astype(np.float64)
        for part, default in zip(parts, (1.0, 0.0, None, None), strict=True)
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor
