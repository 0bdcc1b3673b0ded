"""The network of a genotype of cells, up to the features that are classified."""

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.cell import add_cell, add_inputs, add_output
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.stem import add_stem
from darts_tf.spaces import space_of
from darts_tf.spaces.stems import STEMS


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds stem and cells; each cell's output is that of a layer with the cell's name.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the last cell, `cell_<layers - 1>`, after normalization and ReLU where the
        space has them there; and the features that the auxiliary head
        reads: the output of the last reduction cell after its ReLU, or of the cell at two thirds of
        the depth where there is no reduction cell.
    """
    genotype, stem, places = spec.genotype, STEMS[spec.stem], spec.places()
    skeleton = space_of(genotype).skeleton
    reductions = [number for number, place in enumerate(places) if place.reduction]
    below_head = reductions[-1] if reductions else 2 * len(places) // 3
    before_previous, previous = add_stem(blocks, images, stem, spec.init_channels, skeleton)
    halved = stem.halves
    for number, place in enumerate(places):
        name, channels = f"cell_{number}", place.width * spec.init_channels
        if place.after_block:
            previous = blocks.residual(previous, channels, f"{name}_before")
        inputs = [previous]
        if skeleton.preprocessed:
            first = before_previous if genotype.inputs == 2 else None
            inputs = add_inputs(blocks, first, previous, channels, halved, name)
        nodes = add_cell(blocks, inputs, genotype, place, channels, name)
        output = add_output(blocks, nodes, spec.squeeze_excite, name)
        relu = blocks.relu(output, f"{name}_relu")
        before_previous, previous = previous, relu if skeleton.preprocessed else output
        halved = place.reduction
        if number == below_head:
            features = relu
    if skeleton.normalized_output:
        output = blocks.relu(blocks.norm(output, "output_norm"), "output_relu")
    return output, features
