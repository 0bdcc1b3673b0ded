"""The auxiliary head: a second classifier that helps the lower cells to learn."""

import keras

from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks, Tensor


def auxiliary_head(blocks: Blocks, features: Tensor, classes: int, stem: str) -> Tensor:
    """Adds the auxiliary head to a network (DARTS+, section 4.3).

    Pooling to 2x2, a pointwise convolution to 128 channels, a 2x2 convolution to 768, a classifier.

    Args:
        blocks: Makes the layers.
        features: Output of the second reduction cell after its ReLU, [batch, rows, columns,
            channels].
        classes: Number of classes.
        stem: One of `STEMS`; `imagenet` has no last normalisation.

    Returns:
        Logits, [batch, classes].

    Raises:
        UserError: If the features are smaller than 2x2.
    """
    pools, strides = zip(*(pooling(size, stem) for size in features.shape[1:3]), strict=True)
    pool = keras.layers.AveragePooling2D(pools, strides, dtype=blocks.dtype, name="auxiliary_pool")
    x = pool(features)
    x = blocks.norm(blocks.conv(x, 128, 1, "auxiliary_conv_1"), "auxiliary_norm_1")
    x = blocks.conv(blocks.relu(x, "auxiliary_relu_1"), 768, 2, "auxiliary_conv_2", pad=False)
    if stem != "imagenet":
        x = blocks.norm(x, "auxiliary_norm_2")
    x = blocks.relu(x, "auxiliary_relu_2")
    x = keras.layers.Flatten(dtype=blocks.dtype, name="auxiliary_flatten")(x)
    return blocks.dense(x, classes, "auxiliary_logits")


def pooling(size: int, stem: str) -> tuple[int, int]:
    """Returns size and stride of the pool that leaves 2 of `size` rows or columns.

    DARTS's own is 5 with stride 3 (ImageNet 2), made for 8 (7) rows; other sizes get another.

    Args:
        size: Rows or columns of the features.
        stem: One of `STEMS`.

    Raises:
        UserError: If `size` is less than 2.
    """
    if size < 2:
        raise UserError(
            f"the auxiliary head needs features of 2x2 or more after the second reduction, found "
            f"{size}: larger images, or --auxiliary_weight=0, are right"
        )
    stride = 2 if stem == "imagenet" else 3
    if size >= 5 and (size - 5) // stride + 1 == 2:
        return 5, stride
    return size - size // 2, size // 2
