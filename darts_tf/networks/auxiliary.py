"""The auxiliary head: a second classifier that trains the lower cells."""

import keras

from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks, Tensor


def auxiliary_head(blocks: Blocks, features: Tensor, classes: int, stem: str) -> Tensor:
    """Adds the auxiliary head to a network (DARTS+, section 4.3).

    Average pooling to 2x2, a pointwise convolution to 128 channels, a 2x2 convolution to 768, and a
    fully connected layer, as in DARTS's code.

    Args:
        blocks: Makes the layers.
        features: Output of the last reduction cell after its ReLU, [batch, height, width,
            channels].
        classes: Number of classes.
        stem: The network's stem; with `imagenet` the second convolution has no batch normalization.

    Returns:
        Logits, [batch, classes].

    Raises:
        UserError: If the features are smaller than 2x2.
    """
    sizes, strides = zip(
        *(pool_and_stride(size, stem) for size in features.shape[1:3]), strict=True
    )
    pool = keras.layers.AveragePooling2D(sizes, strides, dtype=blocks.dtype, name="auxiliary_pool")
    x = pool(features)
    x = blocks.norm(blocks.conv(x, 128, 1, "auxiliary_conv_1"), "auxiliary_norm_1")
    x = blocks.conv(blocks.relu(x, "auxiliary_relu_1"), 768, 2, "auxiliary_conv_2", pad=False)
    if stem != "imagenet":
        x = blocks.norm(x, "auxiliary_norm_2")
    x = blocks.relu(x, "auxiliary_relu_2")
    x = keras.layers.Flatten(dtype=blocks.dtype, name="auxiliary_flatten")(x)
    return blocks.dense(x, classes, "auxiliary_logits")


def pool_and_stride(size: int | None, stem: str) -> tuple[int, int]:
    """Returns the size and stride of the pooling that leaves 2 of `size` pixels.

    DARTS pools 8 pixels by 5 with stride 3, and ImageNet's 7 by 5 with stride 2. Where these do not
    leave 2, the two halves are pooled, which overlap in the middle of an odd size.

    Example:
        >>> from darts_tf.networks.auxiliary import pool_and_stride
        >>> pool_and_stride(8, "cifar"), pool_and_stride(7, "imagenet"), pool_and_stride(3, "cifar")
        ((5, 3), (5, 2), (2, 1))

    Args:
        size: Height or width of the features in pixels.
        stem: The network's stem.

    Raises:
        UserError: If `size` is less than 2, or not known.
    """
    if size is None or size < 2:
        raise UserError(
            "auxiliary head: expected features of 2x2 pixels or more after the last reduction "
            f"cell, got {size}; take larger images, or --auxiliary_weight=0"
        )
    stride = 2 if stem == "imagenet" else 3
    if size >= 5 and (size - 5) // stride + 1 == 2:
        return 5, stride
    return size - size // 2, size // 2
