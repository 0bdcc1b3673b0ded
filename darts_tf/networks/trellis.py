"""The network of a path through Auto-DeepLab's trellis, up to the features that are classified."""

from itertools import pairwise

import keras

from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.cell import add_cell, add_inputs, add_output
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.stem import add_stem
from darts_tf.spaces import space_of
from darts_tf.spaces.auto_deeplab import path_levels
from darts_tf.spaces.stems import STEMS

Size = tuple[int, int]


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds stem and cells; each cell's output is that of a layer with the cell's name.

    Where the path goes up, the previous cell's output is resized before the cell; where it goes
    down, the edges from the cell's inputs have stride 2. The output of the cell before the previous
    one is resized to the size of the other input. So it is in the authors' network (Auto-DeepLab,
    section 3.2), whose segmentation head a classifier of the last cell replaces.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels], of a known size.
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the last cell, `cell_<layers - 1>`, and the features that the auxiliary head
        reads: the output of the cell at two thirds of the depth, after its ReLU.

    Raises:
        UserError: If the size of the images is not known.
    """
    genotype, places = spec.genotype, spec.places()
    skeleton = space_of(genotype).skeleton
    _, previous = add_stem(blocks, images, STEMS[spec.stem], spec.init_channels, skeleton)
    sizes = _sizes(previous)
    before_previous, before_level = previous, 0
    steps = pairwise((0, *path_levels(genotype)))
    for number, (place, (level, target)) in enumerate(zip(places, steps, strict=True)):
        name, channels = f"cell_{number}", place.width * spec.init_channels
        at = min(level, target)
        first = _resized(blocks, before_previous, before_level, at, sizes, f"{name}_before")
        second = _resized(blocks, previous, level, at, sizes, f"{name}_previous")
        inputs = add_inputs(blocks, first, second, channels, False, name)
        nodes = add_cell(blocks, inputs, genotype, place, channels, name)
        output = add_output(blocks, nodes, spec.squeeze_excite, name)
        before_previous, before_level = previous, level
        previous = blocks.relu(output, f"{name}_relu")
        if number == 2 * len(places) // 3:
            features = previous
    return output, features


def _sizes(stem: Tensor) -> list[Size]:
    """Returns rows and columns of the four levels."""
    rows, columns = stem.shape[1:3]
    if rows is None or columns is None:
        raise UserError(
            "input_shape: expected a known height and width, since a path resizes images to those "
            f"of other levels, got {stem.shape[1:3]} after the stem"
        )
    return [(-(-rows // 2**level), -(-columns // 2**level)) for level in range(4)]


def _resized(
    blocks: Blocks, x: Tensor, level: int, target: int, sizes: list[Size], name: str
) -> Tensor:
    """Adds bilinear resizing from one level to another, at most one down.

    Doubled images are cut where the larger level has an odd size; an image is halved by the mean of
    2x2 pixels.
    """
    for smaller in range(level, target, -1):
        x = _doubled(blocks, x, f"{name}_up_{smaller - 1}")
        excess = tuple((0, x.shape[1 + axis] - sizes[smaller - 1][axis]) for axis in range(2))
        if excess != ((0, 0), (0, 0)):
            cut = keras.layers.Cropping2D(
                excess, dtype=blocks.dtype, name=f"{name}_cut_{smaller - 1}"
            )
            x = cut(x)
    if target > level:
        x = keras.layers.AveragePooling2D(
            2, padding="same", dtype=blocks.dtype, name=f"{name}_half"
        )(x)
    return x


def _doubled(blocks: Blocks, x: Tensor, name: str) -> Tensor:
    """Adds bilinear resizing to twice the size, whatever the dtype.

    `UpSampling2D` computes bilinear interpolation in float32. Here each pixel is repeated, and the
    weights 1/4, 1/2, 1/4 of a pixel and its neighbors are three quarters of the mean of the three
    and one quarter of the pixel; at the border such a mean is that of two equal pixels.
    """
    x = keras.layers.UpSampling2D(dtype=blocks.dtype, name=name)(x)
    for axis, pool in {"rows": (3, 1), "columns": (1, 3)}.items():
        pooling = keras.layers.AveragePooling2D(
            pool, 1, padding="same", dtype=blocks.dtype, name=f"{name}_{axis}_pool"
        )
        mean = pooling(x)
        average = keras.layers.Average(dtype=blocks.dtype, name=f"{name}_{axis}")
        x = average([mean, mean, mean, x])
    return x
