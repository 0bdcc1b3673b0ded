"""Squeeze and excitation: the channels of a cell's output, weighted by their means."""

from keras import layers

from darts_tf.networks.blocks import Blocks, Tensor

# DARTS+ states neither the place nor the ratio. At the end of each cell, this ratio is nearest to
# the paper's counts: 6.09 million parameters for 6.1 in table 3, 3.3 million more operations for 3.
RATIO = 8


def squeeze_and_excite(blocks: Blocks, x: Tensor, name: str) -> Tensor:
    """Multiplies each channel by a weight between 0 and 1 (Hu et al., 2018; DARTS+, section 4.3).

    With `z` the mean of each channel over the image, the weights are

        s = sigmoid(W2 relu(W1 z + b1) + b2)

    where `W1` leads to `channels // RATIO` units and `W2` back.

    Args:
        blocks: Makes the layers.
        x: Output of a cell, [batch, height, width, channels].
        name: The name of the last layer, which the names of the others start with.

    Returns:
        `s * x`, [batch, height, width, channels].
    """
    channels, within = x.shape[-1], f"{name}_squeeze_excite"
    weights = layers.GlobalAveragePooling2D(dtype=blocks.dtype, name=f"{within}_squeeze")(x)
    weights = blocks.dense(weights, max(1, channels // RATIO), f"{within}_reduce")
    weights = blocks.dense(blocks.relu(weights, f"{within}_relu"), channels, f"{within}_expand")
    weights = layers.Activation("sigmoid", dtype=blocks.dtype, name=f"{within}_sigmoid")(weights)
    weights = layers.Reshape((1, 1, channels), dtype=blocks.dtype, name=f"{within}_weights")(
        weights
    )
    return layers.Multiply(dtype=blocks.dtype, name=name)([x, weights])
