"""RandWire's networks: a random graph in each stage, up to the features that are classified."""

from collections.abc import Sequence
from typing import cast

from keras import layers

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.squeeze_excite import squeeze_and_excite
from darts_tf.spaces import space_of
from darts_tf.spaces.rand_wire import RandWire
from darts_tf.spaces.space import Place
from darts_tf.spaces.stems import STEMS

# Channels of the last convolution (RandWire, table 1).
HEAD = 1280


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds the stem, the graphs and the last convolution (RandWire, table 1).

    With `C` for `init_channels`, the stem of the small regime is a 3x3 convolution to `C / 2`
    channels and one to `C`, that of the regular regime the first of these. Both have stride 2 if
    the specification's stem is `imagenet`, the first one if it is `tiny_imagenet`, and none if it
    is `cifar`. Graph `s` has `2**s * C` channels, and the last convolution, a pointwise one, has
    1280. As in the paper, a convolution is ReLU, convolution and normalization; the first reads
    pixels without a ReLU, and the last is followed by one.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the last convolution, and the features that an auxiliary head reads: the
        output of the last graph but one after a ReLU.
    """
    space = cast(RandWire, space_of(spec.genotype))
    one = ones(blocks, images, "stem_one")
    x, channels = images, spec.init_channels
    widths = (channels // 2, channels)[: space.stem_convolutions]
    strides = (*STEMS[spec.stem].strides, 1)
    for number, (width, stride) in enumerate(zip(widths, strides, strict=False)):
        x = blocks.relu(x, f"stem_{number}_relu") if number else x
        x = blocks.conv(x, width, 3, f"stem_{number}_conv", stride)
        x = blocks.norm(x, f"stem_{number}_norm")
    places = spec.places()
    for number, place in enumerate(places):
        name = f"cell_{number}"
        x = add_graph(blocks, x, one, spec, place, name)
        if number == len(places) - 2:
            features = blocks.relu(x, f"{name}_relu")
    x = blocks.conv(blocks.relu(x, "head_relu_1"), HEAD, 1, "head_conv")
    return blocks.relu(blocks.norm(x, "head_norm"), "head_relu_2"), features


def add_graph(
    blocks: Blocks, x: Tensor, one: Tensor, spec: NetworkSpec, place: Place, name: str
) -> Tensor:
    """Adds the nodes of a graph; a node transforms the weighted sum of its inputs.

    With `w` the trainable weight of an edge from node `i` to node `j` (RandWire, section 3.2),

        x_j = norm(separable_conv_3x3(relu(sum over i of sigmoid(w_ij) x_i)))

    where node 0 is the stage's input. The nodes that read it have stride 2.

    Args:
        blocks: Makes the layers.
        x: The input of the stage, [batch, height, width, channels].
        one: What `ones` returns.
        spec: The network.
        place: Which graph it is, and its channels.
        name: The graph's name, which the names of its layers start with.

    Returns:
        The mean of the nodes without successors, [batch, height / 2, width / 2, channels].
    """
    channels = place.width * spec.init_channels
    nodes = [x]
    for node, edges in enumerate(spec.genotype.nodes(place.cell), start=1):
        inputs = [nodes[source] for _, source in edges]
        stride = 2 if 0 in (source for _, source in edges) else 1
        nodes.append(_node(blocks, inputs, one, channels, stride, f"{name}_node_{node}"))
    output = [nodes[node] for node in spec.genotype.output(place.cell)]
    mean = f"{name}_mean" if spec.squeeze_excite else name
    x = layers.Average(dtype=blocks.dtype, name=mean)(output)
    return squeeze_and_excite(blocks, x, name) if spec.squeeze_excite else x


def _node(
    blocks: Blocks,
    inputs: Sequence[Tensor],
    one: Tensor,
    channels: int,
    stride: int,
    name: str,
) -> Tensor:
    """Adds a node; drop path drops any of its inputs, unless there is only one."""
    weighted = [weigh(blocks, x, one, f"{name}_wire_{i}") for i, x in enumerate(inputs)]
    if len(inputs) > 1:
        weighted = [blocks.with_drop_path(x, f"{name}_wire_{i}") for i, x in enumerate(weighted)]
    x = blocks.relu(blocks.add(weighted, f"{name}_sum"), f"{name}_relu")
    x = blocks.depthwise(x, 3, f"{name}_depthwise", stride)
    return blocks.norm(blocks.conv(x, channels, 1, f"{name}_pointwise"), f"{name}_norm")


def ones(blocks: Blocks, x: Tensor, name: str) -> Tensor:
    """Adds the number 1 for each image, by which stock layers can make an output of a weight alone.

    Args:
        blocks: Makes the layers.
        x: Images of any size, [batch, height, width, channels].
        name: The name, which the names of the layers start with.

    Returns:
        Ones, [batch, 1, 1, 1].
    """
    for axes in ("channels_last", "channels_first"):  # the mean over pixels, then over channels
        pool = layers.GlobalAveragePooling2D(
            axes, keepdims=True, dtype=blocks.dtype, name=f"{name}_{axes}"
        )
        x = pool(x)
    return layers.Rescaling(0.0, 1.0, dtype=blocks.dtype, name=name)(x)


def weigh(blocks: Blocks, x: Tensor, one: Tensor, name: str) -> Tensor:
    """Multiplies an image by the sigmoid of a trainable number, which is 0 at first.

    Args:
        blocks: Makes the layers.
        x: Images, [batch, height, width, channels].
        one: What `ones` returns.
        name: The name, which the names of the layers start with.

    Returns:
        The images, of the same shape.
    """
    weight = layers.Dense(
        1,
        activation="sigmoid",
        use_bias=False,
        kernel_initializer="zeros",
        dtype=blocks.dtype,
        name=f"{name}_weight",
    )
    return layers.Multiply(dtype=blocks.dtype, name=name)([x, weight(one)])


def wire(blocks: Blocks, x: Tensor, relu: Tensor, channels: int, stride: int, name: str) -> Tensor:
    """Adds an edge of its own, with the arguments of a block (see `darts_tf.operations.Operation`).

    Args:
        blocks: Makes the layers.
        x: The node that the edge reads, [batch, height, width, channels].
        relu: The node after its ReLU, which is not read.
        channels: Channels of the result, which are those of the node.
        stride: 1, or 2 for every second row and column.
        name: The name, which the names of the layers start with.

    Returns:
        The weighted node, [batch, height / stride, width / stride, channels].
    """
    del relu, channels
    x = x if stride == 1 else blocks.subsample(x, f"{name}_even")
    return weigh(blocks, x, ones(blocks, x, f"{name}_one"), name)
