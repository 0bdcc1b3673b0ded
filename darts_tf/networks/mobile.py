"""The network of a genotype of a mobile space, up to the features that are classified."""

from dataclasses import replace
from typing import cast

import keras

from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.spec import NetworkSpec
from darts_tf.registry import resolve
from darts_tf.spaces import operations, space_of
from darts_tf.spaces.mobile import EPSILON, Mobile
from darts_tf.spaces.stems import STEMS


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds stem, blocks and head; each block's output is that of a layer with the block's name.

    The stem is one 3x3 convolution with the first stride of the specification's stem: 2 for
    `imagenet`, as published, and 1 for `cifar`, whose images are small.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the head, and the features that the auxiliary head reads: the output of the
        last block that halves the image.

    Raises:
        UserError: If the specification asks for squeeze and excitation.
    """
    if spec.squeeze_excite:
        raise UserError(
            "squeeze_excite: expected false for a chain of blocks, whose published networks have "
            "none, got true"
        )
    space = cast(Mobile, space_of(spec.genotype))
    blocks = replace(blocks, epsilon=EPSILON, relu_limit=space.relu_limit)
    width = spec.init_channels
    x = blocks.conv(images, width, 3, "stem_conv_0", strides=STEMS[spec.stem].strides[0])
    x = blocks.relu(blocks.norm(x, "stem_norm_0"), "stem_relu_0")
    first = space.scaled(space.first, width)
    features = x = blocks.inverted_bottleneck(x, first, 3, 1, 1, "stem_block")
    plan = space.plan(width)
    for number, block in enumerate(plan):
        ((operation, _, _),) = spec.genotype.edges(block.cell)
        add = resolve(operations.get(operation).block)
        name = f"cell_{number}"
        x = add(blocks, x, x, block.channels, block.stride, f"{name}_{operation}")
        x = keras.layers.Identity(dtype=blocks.dtype, name=name)(x)
        if block.stride == 2:
            features = x
    x = blocks.conv(x, space.scaled(space.head, width), 1, "head_conv")
    return blocks.relu(blocks.norm(x, "head_norm"), "head_relu"), features
