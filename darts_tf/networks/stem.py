"""The stem of a network: the convolutions before the first cell."""

from darts_tf.networks.blocks import Blocks, Tensor
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


def add_stem(blocks: Blocks, images: Tensor, stem: Stem, channels: int) -> tuple[Tensor, Tensor]:
    """Adds the stem: 3x3 convolutions, each followed by batch normalization and ReLU.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        stem: The stem.
        channels: Channels of a node in the first cell.

    Returns:
        Both inputs of the first cell, after their ReLU. They are one image, unless the stem
        `halves`: then the first is twice as large as the second.
    """
    outputs = [images]
    widths = stem.network_widths(channels)
    for (conv, norm, relu), stride, width in zip(
        _NAMES[stem.name], stem.strides, widths, strict=True
    ):
        x = blocks.norm(blocks.conv(outputs[-1], width, 3, conv, stride), norm)
        outputs.append(blocks.relu(x, relu))
    return outputs[-2 if stem.halves else -1], outputs[-1]
