"""The network of a genotype of cells, up to the features that are classified."""

import keras

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.cell import add_cell, add_inputs
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.squeeze_excite import squeeze_and_excite
from darts_tf.networks.stem import add_stem
from darts_tf.spaces.stems import STEMS


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds stem and cells; each cell's output is that of a layer with the cell's name.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the last cell, `cell_<layers - 1>`, and the features that the auxiliary head
        reads: the output of the last reduction cell after its ReLU, or of the cell at two thirds of
        the depth where there is no reduction cell.
    """
    genotype, stem, places = spec.genotype, STEMS[spec.stem], spec.places()
    reductions = [number for number, place in enumerate(places) if place.reduction]
    below_head = reductions[-1] if reductions else 2 * len(places) // 3
    before_previous, previous = add_stem(blocks, images, stem, spec.init_channels)
    halved = stem.halves
    for number, place in enumerate(places):
        name, channels = f"cell_{number}", place.width * spec.init_channels
        first = before_previous if genotype.inputs == 2 else None
        inputs = add_inputs(blocks, first, previous, channels, halved, name)
        nodes = add_cell(blocks, inputs, genotype, place, channels, name)
        concat = f"{name}_concat" if spec.squeeze_excite else name
        output = keras.layers.Concatenate(dtype=blocks.dtype, name=concat)(nodes)
        if spec.squeeze_excite:
            output = squeeze_and_excite(blocks, output, name)
        before_previous, previous = previous, blocks.relu(output, f"{name}_relu")
        halved = place.reduction
        if number == below_head:
            features = previous
    return output, features
