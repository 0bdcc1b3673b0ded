"""Squeeze and excitation: a cell's channels, weighted by what the whole image says."""

from keras import layers

from darts_tf.networks.blocks import Blocks, Tensor

# DARTS+ gives neither place nor ratio. At the end of each cell this ratio comes nearest to its
# counts: 6.09 million parameters for the printed 6.1, and 3.3 million operations for 3.
RATIO = 8


def squeeze_and_excite(blocks: Blocks, x: Tensor, name: str) -> Tensor:
    """Multiplies each channel by a weight between 0 and 1 (Hu et al., 2018; DARTS+, section 4.3).

    The weights are those of the image: channel means, a dense layer to one in `RATIO` channels,
    ReLU, a dense layer back, sigmoid. Both dense layers have a bias.

    Args:
        blocks: Makes the layers.
        x: Output of a cell, [batch, rows, columns, channels].
        name: The name of the last layer, which the names of the others start with.

    Returns:
        An image of the same shape.
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
