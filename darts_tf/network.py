"""The network of a genotype: the one to train, and its twin of stock Keras layers for inference."""

from collections.abc import Sequence
from typing import Any

import keras

from darts_tf.auxiliary import auxiliary_head
from darts_tf.blocks import Blocks, Tensor
from darts_tf.genotype import AnyGenotype
from darts_tf.genotype_checks import EDGES_PER_NODE, Edge
from darts_tf.search_space import STEM_MULTIPLIER, STEMS, reductions
from darts_tf.squeeze_excite import squeeze_excite as excite
from darts_tf.training_blocks import TrainingBlocks


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

    Cells `layers // 3` and `2 * layers // 3` are reduction cells, with twice the channels.

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
    if stem not in STEMS:
        raise ValueError(f"stem must be one of {', '.join(STEMS)}; found {stem!r}")
    if layers < genotype.fewest_layers or init_channels < 2 or classes < 2:
        raise ValueError(
            f"a network has at least {genotype.fewest_layers} layers, 2 init_channels and 2 "
            f"classes; found {layers}, {init_channels} and {classes}"
        )
    blocks = TrainingBlocks(dtype, drop_path=drop_path, synchronized=synchronized)
    images_dtype = keras.dtype_policies.get(dtype).variable_dtype
    images = keras.Input(input_shape, dtype=images_dtype, name="images")
    logits, features = _logits(
        blocks, images, genotype, classes, layers, init_channels, stem, squeeze_excite
    )
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
    scale = [1 / (255 * value) for value in deviation]
    offset = [-m / value for m, value in zip(mean, deviation, strict=True)]
    images = keras.layers.Rescaling(scale, offset, name="normalize")(pixels)
    blocks = Blocks()
    output, _ = _logits(
        blocks, images, genotype, logits.units, layers, init_channels, stem, squeeze_excite
    )
    scores = keras.layers.Softmax(name="scores")(output)
    twin = keras.Model(pixels, scores, name="darts_network")
    for layer in twin.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return twin


def _logits(
    blocks: Blocks,
    images: Tensor,
    genotype: AnyGenotype,
    classes: int,
    layers: int,
    init_channels: int,
    stem: str,
    squeeze_excite: bool,
) -> tuple[Tensor, Tensor]:
    before_previous, previous = _stem(blocks, images, init_channels, stem)
    channels = init_channels
    halved = stem == "imagenet"
    features = previous
    for i in range(layers):
        reduction = i in reductions(layers)
        channels *= 2 if reduction else 1
        cell = genotype.cell(i, layers)
        output = _cell(
            blocks, before_previous, previous, cell, channels, reduction, halved, f"cell_{i}"
        )
        if squeeze_excite:
            output = excite(blocks, output, f"cell_{i}_squeeze_excite")
        before_previous, previous = previous, blocks.relu(output, f"cell_{i}_relu")
        halved = reduction
        if i == reductions(layers)[1]:
            features = previous
    x = keras.layers.GlobalAveragePooling2D(dtype=blocks.dtype, name="global_pool")(output)
    return blocks.dense(x, classes, "logits"), features


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
) -> Tensor:
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
    output = [nodes[node] for node in concat]
    if len(output) == 1:
        return output[0]
    return keras.layers.Concatenate(dtype=blocks.dtype, name=f"{name}_concat")(output)
