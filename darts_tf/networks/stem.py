"""The stem of a network: the convolutions before the first cell."""

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.spaces.space import Skeleton
from darts_tf.spaces.stems import Stem

# The names of each convolution's layers, which model.keras and checkpoints bear.
_NAMES = {
    "cifar": (("stem_conv", "stem_norm", "stem_relu"),),
    "tiny_imagenet": (
        ("stem_0_conv", "stem_0_norm", "stem_0_relu"),
        ("stem_conv", "stem_norm", "stem_relu"),
    ),
    "imagenet": (
        ("stem_0_conv_1", "stem_0_norm_1", "stem_0_relu"),
        ("stem_0_conv_2", "stem_0_norm_2", "stem_1_relu"),
        ("stem_1_conv", "stem_1_norm", "stem_2_relu"),
    ),
}


def add_stem(
    blocks: Blocks, images: Tensor, stem: Stem, channels: int, skeleton: Skeleton
) -> tuple[Tensor, Tensor]:
    """Adds the stem: 3x3 convolutions, each followed by batch normalization and ReLU.

    The last one has no ReLU where cells read their inputs as they are.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        stem: The stem.
        channels: Channels of a node in the first cell.
        skeleton: What stands around the cells.

    Returns:
        Both inputs of the first cell. They are one image, unless the stem
        `halves`: then the first is twice as large as the second.
    """
    outputs = [images]
    widths = stem.network_widths(channels, skeleton.stem_multiplier)
    for (conv, norm, relu), stride, width in zip(
        _NAMES[stem.name], stem.strides, widths, strict=True
    ):
        x = blocks.norm(blocks.conv(outputs[-1], width, 3, conv, stride), norm)
        outputs.append(blocks.relu(x, relu))
    if not skeleton.preprocessed:
        return x, x
    return outputs[-2 if stem.halves else -1], outputs[-1]
