"""A cell of a network: its inputs, its edges, and the nodes that add them up."""

from collections.abc import Sequence

import keras

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.squeeze_excite import squeeze_and_excite
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Place


def add_inputs(
    blocks: Blocks,
    before_previous: Tensor | None,
    previous: Tensor,
    channels: int,
    halved: bool,
    name: str,
) -> list[Tensor]:
    """Adds the input nodes of a cell, which bring what it reads to its channels and one size.

    Args:
        blocks: Makes the layers.
        before_previous: Output of the cell before the previous one, after its ReLU, [batch, height,
            width, channels]; None for a cell of one input.
        previous: Output of the previous cell, after its ReLU.
        channels: Channels of a node.
        halved: Whether `previous` is half as large as `before_previous`.
        name: The cell's name.

    Returns:
        The nodes, [batch, height, width, channels] each.
    """
    last = blocks.relu_conv_bn
    if before_previous is None:
        return [last(previous, channels, f"{name}_preprocess_0")]
    first = blocks.factorized_reduce if halved else blocks.relu_conv_bn
    return [
        first(before_previous, channels, f"{name}_preprocess_0"),
        last(previous, channels, f"{name}_preprocess_1"),
    ]


def add_output(blocks: Blocks, nodes: Sequence[Tensor], squeezed: bool, name: str) -> Tensor:
    """Adds the concatenation of a cell's output nodes.

    Args:
        blocks: Makes the layers.
        nodes: The nodes.
        squeezed: Whether squeeze and excitation follows.
        name: Name of the last layer.
    """
    concat = f"{name}_concat" if squeezed else name
    output = keras.layers.Concatenate(dtype=blocks.dtype, name=concat)(nodes)
    return squeeze_and_excite(blocks, output, name) if squeezed else output


def add_cell(
    blocks: Blocks,
    inputs: Sequence[Tensor],
    genotype: Genotype,
    place: Place,
    channels: int,
    name: str,
) -> list[Tensor]:
    """Adds the edges and nodes of a cell; node `j` is the sum of its edges (DARTS, equation 1).

    With `o` the operation of an edge, and `i` the node that it reads,

        x_j = sum over the edges from i to j of o(x_i)

    In a reduction cell the edges from input nodes have stride 2. An edge `none` adds nothing, and a
    node without edges is zero everywhere. A node that nothing reads is added to the output times
    zero: published code computes such nodes as well, and papers count their layers.

    Args:
        blocks: Makes the layers.
        inputs: The input nodes, [batch, height, width, channels] each.
        genotype: The cells.
        place: Which of them it is, and whether it is a reduction cell.
        channels: Channels of a node.
        name: The cell's name.

    Returns:
        The nodes whose concatenation is the cell's output.
    """
    nodes = list(inputs)
    relus: dict[int, Tensor] = {}
    output = genotype.output(place.cell)
    unread = set(range(len(inputs), len(inputs) + len(genotype.nodes(place.cell)))) - {*output}
    for edges in genotype.nodes(place.cell):
        node = f"{name}_node_{len(nodes)}"
        results = []
        for number, (operation, source) in enumerate(edges):
            if operation == NONE:
                continue
            unread.discard(source)
            if source not in relus:
                relus[source] = blocks.relu(nodes[source], f"{name}_relu_{source}")
            x, relu = nodes[source], relus[source]
            stride = 2 if place.reduction and source < len(inputs) else 1
            results.append(
                blocks.operation(operation, x, relu, channels, stride, f"{node}_{number}")
            )
        if results:
            nodes.append(blocks.add(results, node))
        else:
            unread.discard(len(nodes))
            nodes.append(blocks.zeros(inputs[-1], 2 if place.reduction else 1, node))
    if unread:
        kept = [blocks.zeros(nodes[node], 1, f"{name}_unread_{node}") for node in sorted(unread)]
        nodes[output[-1]] = blocks.add([nodes[output[-1]], *kept], f"{name}_unread")
    return [nodes[node] for node in output]
