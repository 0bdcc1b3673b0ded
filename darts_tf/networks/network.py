"""The network of a genotype: the one to train, and its twin of stock Keras layers for inference."""

from collections.abc import Sequence
from typing import Any

import keras

from darts_tf.networks.auxiliary import auxiliary_head
from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.squeeze_excite import squeeze_excite as excite
from darts_tf.networks.training_blocks import TrainingBlocks
from darts_tf.spaces.genotype import AnyGenotype
from darts_tf.spaces.genotype_checks import EDGES_PER_NODE, Edge
from darts_tf.spaces.search_space import STEM_MULTIPLIER, STEMS, reductions


def build_network(
    genotype: AnyGenotype,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    layers: int = 20,
    init_channels: int = 36,
    auxiliary: bool = False,
    stem: str = "cifar",
    drop_path: bool = False,
    synchronized: bool = False,
    dtype: Any = None,
    squeeze_excite: bool = False,
) -> keras.Model:
    """Builds the network to train from scratch (DARTS+, section 4.3).

    Cells `layers // 3` and `2 * layers // 3` are reduction cells, with twice the channels. Layer
    `cell_7` gives the output of cell 7, cells counted from 0.

    Args:
        genotype: The cells.
        input_shape: Rows, columns and channels of an image.
        classes: Number of classes.
        layers: Number of cells, at least 3, for a genotype by stage at least 5.
        init_channels: Channels of a node in the first cell.
        auxiliary: Whether there is an auxiliary head after cell `2 * layers // 3`.
        stem: `cifar`, a 3x3 convolution; `tiny_imagenet`, one of stride 2 before it; or `imagenet`,
            three of stride 2.
        drop_path: Whether operations other than identities end in a `DropPath`, at rate 0.
        synchronized: Whether replicas share the statistics of normalisation.
        dtype: The layers' dtype or policy, Keras's own when None.
        squeeze_excite: Whether each cell ends in squeeze and excitation.

    Returns:
        A model from normalised images to logits [batch, classes], or to a list of these and the
        logits of the auxiliary head.

    Raises:
        ValueError: If a number or the stem is wrong.
        UserError: If the image is too small for the auxiliary head.
    """
    check_sizes(genotype, layers, init_channels, stem, classes)
    blocks = TrainingBlocks(dtype, drop_path=drop_path, synchronized=synchronized)
    images_dtype = keras.dtype_policies.get(dtype).variable_dtype
    images = keras.Input(input_shape, dtype=images_dtype, name="images")
    output, features = backbone(
        blocks, images, genotype, layers, init_channels, stem, squeeze_excite
    )
    logits = classifier(blocks, output, classes)
    if not auxiliary:
        return keras.Model(images, logits, name="network")
    head = auxiliary_head(blocks, features, classes, stem)
    return keras.Model(images, [logits, head], name="network")


def inference_network(
    trained: keras.Model,
    genotype: AnyGenotype,
    mean: Sequence[float],
    deviation: Sequence[float],
    layers: int = 20,
    init_channels: int = 36,
    stem: str = "cifar",
    squeeze_excite: bool = False,
) -> keras.Model:
    """Rebuilds a trained network from stock Keras layers, without auxiliary head and drop path.

    The result loads with `keras.saving.load_model` alone, wherever Keras runs.

    Args:
        trained: What `build_network` made with the same arguments.
        genotype: The cells.
        mean: Mean of each channel of the pixels divided by 255.
        deviation: Standard deviation of each channel of the pixels divided by 255.
        layers: Number of cells.
        init_channels: Channels of a node in the first cell.
        stem: As in `build_network`.
        squeeze_excite: As in `build_network`.

    Returns:
        A model from images with pixels from 0 to 255, [batch, rows, columns, channels], to the
        probabilities of the classes, [batch, classes].
    """
    logits = trained.get_layer("logits")
    pixels = keras.Input(trained.input_shape[1:], name="pixels")
    blocks = Blocks()
    images = normalized(pixels, mean, deviation)
    output, _ = backbone(blocks, images, genotype, layers, init_channels, stem, squeeze_excite)
    scores = keras.layers.Softmax(name="scores")(classifier(blocks, output, logits.units))
    twin = keras.Model(pixels, scores, name="darts_network")
    for layer in twin.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return twin


def check_sizes(
    genotype: AnyGenotype, layers: int, init_channels: int, stem: str, classes: int = 2
) -> None:
    """Refuses a network that cannot be.

    Raises:
        ValueError: If a number or the stem is wrong.
    """
    if stem not in STEMS:
        raise ValueError(f"stem must be one of {', '.join(STEMS)}; found {stem!r}")
    if layers < genotype.fewest_layers or init_channels < 2 or classes < 2:
        raise ValueError(
            f"a network has at least {genotype.fewest_layers} layers, 2 init_channels and 2 "
            f"classes; found {layers}, {init_channels} and {classes}"
        )


def normalized(pixels: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Returns what a network reads of pixels from 0 to 255.

    Args:
        pixels: Images, [batch, rows, columns, channels].
        mean: As in `inference_network`.
        deviation: As in `inference_network`.
    """
    scale = [1 / (255 * value) for value in deviation]
    offset = [-m / value for m, value in zip(mean, deviation, strict=True)]
    return keras.layers.Rescaling(scale, offset, name="normalize")(pixels)


def backbone(
    blocks: Blocks,
    images: Tensor,
    genotype: AnyGenotype,
    layers: int,
    init_channels: int,
    stem: str,
    squeeze_excite: bool,
) -> tuple[Tensor, Tensor]:
    """Adds stem and cells; each cell's output is that of a layer with the cell's name.

    Args:
        blocks: Makes the layers.
        images: Normalised images, [batch, rows, columns, channels].
        genotype: The cells.
        layers: Number of cells.
        init_channels: Channels of a node in the first cell.
        stem: One of `STEMS`.
        squeeze_excite: Whether each cell ends in squeeze and excitation.

    Returns:
        The output of the last cell, `cell_<layers - 1>`, and that of the second reduction cell
        after its ReLU.
    """
    before_previous, previous = _stem(blocks, images, init_channels, stem)
    channels = init_channels
    halved = stem == "imagenet"
    features = previous
    for i in range(layers):
        reduction = i in reductions(layers)
        channels *= 2 if reduction else 1
        name, cell = f"cell_{i}", genotype.cell(i, layers)
        nodes = _cell(blocks, before_previous, previous, cell, channels, reduction, halved, name)
        side_by_side = f"{name}_concat" if squeeze_excite else name
        output = keras.layers.Concatenate(dtype=blocks.dtype, name=side_by_side)(nodes)
        if squeeze_excite:
            output = excite(blocks, output, name)
        before_previous, previous = previous, blocks.relu(output, f"{name}_relu")
        halved = reduction
        if i == reductions(layers)[1]:
            features = previous
    return output, features


def classifier(blocks: Blocks, features: Tensor, classes: int) -> Tensor:
    """Returns logits, [batch, classes], of the last cell's output."""
    x = keras.layers.GlobalAveragePooling2D(dtype=blocks.dtype, name="global_pool")(features)
    return blocks.dense(x, classes, "logits")


def _stem(blocks: Blocks, images: Tensor, channels: int, stem: str) -> tuple[Tensor, Tensor]:
    """Returns the inputs of the first cell, after their ReLU."""
    if stem != "imagenet":
        x, width = images, STEM_MULTIPLIER * channels
        if stem == "tiny_imagenet":
            x = blocks.norm(blocks.conv(x, width, 3, "stem_0_conv", strides=2), "stem_0_norm")
            x = blocks.relu(x, "stem_0_relu")
        x = blocks.norm(blocks.conv(x, width, 3, "stem_conv"), "stem_norm")
        x = blocks.relu(x, "stem_relu")
        return x, x
    x = blocks.conv(images, channels // 2, 3, "stem_0_conv_1", strides=2)
    x = blocks.relu(blocks.norm(x, "stem_0_norm_1"), "stem_0_relu")
    x = blocks.norm(blocks.conv(x, channels, 3, "stem_0_conv_2", strides=2), "stem_0_norm_2")
    x = blocks.relu(x, "stem_1_relu")
    y = blocks.norm(blocks.conv(x, channels, 3, "stem_1_conv", strides=2), "stem_1_norm")
    return x, blocks.relu(y, "stem_2_relu")


def _cell(
    blocks: Blocks,
    before_previous: Tensor,
    previous: Tensor,
    cell: tuple[Sequence[Edge], Sequence[int]],
    channels: int,
    reduction: bool,
    halved: bool,
    name: str,
) -> list[Tensor]:
    """Returns the nodes that form the cell's output."""
    edges, concat = cell
    reduce_first = blocks.factorized_reduce if halved else blocks.relu_conv_bn
    nodes = [
        reduce_first(before_previous, channels, f"{name}_preprocess_0"),
        blocks.relu_conv_bn(previous, channels, f"{name}_preprocess_1"),
    ]
    relus: dict[int, Tensor] = {}
    for number, (kind, source) in enumerate(edges):
        if source not in relus:
            relus[source] = blocks.relu(nodes[source], f"{name}_relu_{source}")
        node, place = number // EDGES_PER_NODE + 2, number % EDGES_PER_NODE
        stride = 2 if reduction and source < 2 else 1
        edge = blocks.operation(
            kind, nodes[source], relus[source], channels, stride, f"{name}_node_{node}_{place}"
        )
        if place == 0:
            first = edge
        else:
            add = keras.layers.Add(dtype=blocks.dtype, name=f"{name}_node_{node}")
            nodes.append(add([first, edge]))
    return [nodes[node] for node in concat]
