"""The stem of the supernet: the convolutions before the first cell."""

import math
from itertools import pairwise
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.initialization import uniform
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.spaces.stems import STEMS
from darts_tf.supernet.operations import Shape


@keras.saving.register_keras_serializable(package="darts_tf")
class Stem(keras.layers.Layer):
    """3x3 convolutions with normalization, and a ReLU between them (DARTS+, section 4.2).

    `spaces.stems` says which. The last one has three times the channels of a node. The ImageNet
    stem gives the first cell two different inputs, as a reduction cell does: the output of the last
    convolution but one, and that of the last, half as large (PC-DARTS, which DARTS+ follows on
    ImageNet). With the other stems both inputs are the output of the last convolution.

    Args:
        channels: Channels of a node in the first cell.
        kind: `cifar`, one convolution; `tiny_imagenet`, one convolution of stride 2 and one of
            stride 1; or `imagenet`, three convolutions of stride 2.
        synchronized: Whether replicas share the statistics of normalization.
        multiplier: Channels of the last convolution, as a multiple of `channels`; None for 3.

    Raises:
        ValueError: If there is no stem of that kind.
    """

    def __init__(
        self,
        channels: int,
        kind: str = "cifar",
        synchronized: bool = False,
        multiplier: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kind not in STEMS:
            raise ValueError(f"stem: expected one of {', '.join(STEMS)}, got {kind!r}")
        self.channels = channels
        self.kind = kind
        self.synchronized = synchronized
        self.multiplier = multiplier

    @property
    def reduces(self) -> bool:
        """Whether the second output is half as large as the first."""
        return STEMS[self.kind].halves

    def build(self, images_shape: Shape) -> None:
        """Creates the convolutions and normalizations."""
        self.convs: list[Any] = []
        self.norms: list[Any] = []
        shapes = pairwise(self._shapes(images_shape))
        strides = STEMS[self.kind].strides
        for number, (stride, (before, after)) in enumerate(zip(strides, shapes, strict=True)):
            conv = keras.layers.Conv2D(
                after[-1],
                3,
                stride,
                padding="same" if stride == 1 else "valid",
                use_bias=False,
                kernel_initializer=uniform(9 * before[-1]),
                dtype=self.dtype_policy,
                name=f"conv_{number}",
            )
            conv.build((None, None, None, before[-1]))
            norm = BatchNormalization(
                synchronized=self.synchronized, dtype=self.dtype_policy, name=f"norm_{number}"
            )
            norm.build(after)
            self.convs.append(conv)
            self.norms.append(norm)
        self.built = True

    def call(self, images: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the two inputs of the first cell, before their ReLU.

        Args:
            images: [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.

        Returns:
            Two images [batch, rows, columns, channels] of the `output_shapes`.
        """
        before, x = images, images
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            before, x = x, tf.nn.relu(x) if number else x
            if conv.strides == (2, 2):  # equal padding on opposite sides, unlike TensorFlow's SAME
                x = tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            x = norm(conv(x), training=training)
        return (before if self.reduces else x), x

    def output_shapes(self, images_shape: Shape) -> tuple[Shape, Shape]:
        """Returns the shapes of the two outputs.

        Args:
            images_shape: (batch, rows, columns, channels), None where a size varies.
        """
        shapes = self._shapes(images_shape)
        return shapes[-2 if self.reduces else -1], shapes[-1]

    def multiply_adds(self, images_shape: Shape) -> int:
        """Returns the multiply-adds of the convolutions for one image.

        Args:
            images_shape: (batch, rows, columns, channels).
        """
        shapes = self._shapes(images_shape)[1:]
        return sum(
            math.prod(conv.kernel.shape) * math.prod(shape[1:3])
            for conv, shape in zip(self.convs, shapes, strict=True)
        )

    def _shapes(self, images_shape: Shape) -> list[Shape]:
        """Returns the shapes of the images and of each convolution's output."""
        stem, shapes = STEMS[self.kind], [images_shape]
        widths = stem.supernet_widths(self.channels, self.multiplier)
        for stride, width in zip(stem.strides, widths, strict=True):
            sizes = (None if size is None else -(-size // stride) for size in shapes[-1][1:3])
            shapes.append((None, *sizes, width))
        return shapes

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "kind": self.kind,
            "synchronized": self.synchronized,
            "multiplier": self.multiplier,
        }
