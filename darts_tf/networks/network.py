"""The network of a genotype: the one to train, and its twin of stock Keras layers for inference."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

import keras

from darts_tf.errors import UserError
from darts_tf.networks.auxiliary import auxiliary_head
from darts_tf.networks.blocks import Blocks, Tensor, TrainingBlocks
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.squeeze_excite import squeeze_and_excite
from darts_tf.spaces.genotype import AnyGenotype
from darts_tf.spaces.genotype_checks import EDGES_PER_NODE, Edge
from darts_tf.spaces.search_space import STEM_MULTIPLIER, reductions


@overload
def build_network(
    genotype: NetworkSpec,
    *,
    auxiliary: bool = False,
    drop_path: bool = False,
    synchronized: bool = False,
    dtype: Any = None,
) -> keras.Model: ...


@overload
def build_network(
    genotype: AnyGenotype,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3),
    classes: int = 10,
    layers: int = 20,
    init_channels: int = 36,
    stem: str = "cifar",
    squeeze_excite: bool = False,
    *,
    auxiliary: bool = False,
    drop_path: bool = False,
    synchronized: bool = False,
    dtype: Any = None,
) -> keras.Model: ...


def build_network(
    genotype: NetworkSpec | AnyGenotype,
    *sizes: Any,
    auxiliary: bool = False,
    drop_path: bool = False,
    synchronized: bool = False,
    dtype: Any = None,
    **settings: Any,
) -> keras.Model:
    """Builds the network to train from scratch (DARTS+, section 4.3).

    Cells `layers // 3` and `2 * layers // 3` are reduction cells, with twice the channels. Layer
    `cell_7` gives the output of cell 7, cells counted from 0.

    Example:
        >>> import darts_tf
        >>> genotype = darts_tf.zoo.get("DARTS_PLUS_CIFAR10")
        >>> spec = darts_tf.NetworkSpec(genotype, (8, 8, 3), classes=5, layers=3, init_channels=4)
        >>> darts_tf.build_network(spec).output_shape
        (None, 5)

        The same in one call:

        >>> network = darts_tf.build_network(
        ...     genotype, (8, 8, 3), classes=5, layers=3, init_channels=4
        ... )
        >>> network.get_layer("cell_2").output.shape
        (None, 2, 2, 64)

    Args:
        genotype: The specification of the network; or the cells, followed by the other arguments of
            `NetworkSpec`.
        *sizes: The other arguments of `NetworkSpec`, in its order.
        auxiliary: Whether there is an auxiliary head after cell `2 * layers // 3`.
        drop_path: Whether operations other than identities end in a `DropPath`, at rate 0.
        synchronized: Whether replicas share the statistics of batch normalization.
        dtype: The layers' dtype or policy, Keras's own when None.
        **settings: The other arguments of `NetworkSpec`, by name.

    Returns:
        A model from normalized images, [batch, height, width, channels], to logits
        [batch, classes], or to a list of these and the logits of the auxiliary head.

    Raises:
        UserError: If no network can have one of the values of `NetworkSpec`, or the image is too
            small for the auxiliary head.
    """
    spec = _spec(genotype, sizes, settings)
    blocks = TrainingBlocks(dtype, drop_path=drop_path, synchronized=synchronized)
    images_dtype = keras.dtype_policies.get(dtype).variable_dtype
    images = keras.Input(spec.input_shape, dtype=images_dtype, name="images")
    output, features = backbone(blocks, images, spec)
    logits = classifier(blocks, output, spec.classes)
    if not auxiliary:
        return keras.Model(images, logits, name="network")
    head = auxiliary_head(blocks, features, spec.classes, spec.stem)
    return keras.Model(images, [logits, head], name="network")


def inference_network(
    trained: keras.Model,
    spec: NetworkSpec,
    mean: Sequence[float],
    deviation: Sequence[float],
) -> keras.Model:
    """Rebuilds a trained network from stock Keras layers, without auxiliary head and drop path.

    The result loads with `keras.saving.load_model` alone, wherever Keras runs.

    Args:
        trained: A network that `build_network` made of the same specification.
        spec: The specification.
        mean: Mean of each channel of the pixels divided by 255.
        deviation: Standard deviation of each channel of the pixels divided by 255.

    Returns:
        A model from images with pixels from 0 to 255, [batch, height, width, channels], to the
        probabilities of the classes, [batch, classes].

    Raises:
        UserError: If the trained network is one of another specification.
    """
    pixels = keras.Input(spec.input_shape, name="pixels")
    blocks = Blocks()
    output, _ = backbone(blocks, normalized(pixels, mean, deviation), spec)
    scores = keras.layers.Softmax(name="scores")(classifier(blocks, output, spec.classes))
    twin = keras.Model(pixels, scores, name="darts_network")
    sources = {layer.name: layer for layer in trained.layers}
    for layer in twin.layers:
        if layer.weights:
            _copy_weights(layer, sources.get(layer.name))
    return twin


def _spec(
    genotype: NetworkSpec | AnyGenotype, sizes: Sequence[Any], settings: Mapping[str, Any]
) -> NetworkSpec:
    if not isinstance(genotype, NetworkSpec):
        return NetworkSpec(genotype, *sizes, **settings)
    if sizes or settings:
        raise TypeError(
            "build_network: expected a NetworkSpec without other arguments of a NetworkSpec, got "
            f"{(*sizes, *settings)}; dataclasses.replace changes a specification"
        )
    return genotype


def _copy_weights(layer: keras.layers.Layer, source: keras.layers.Layer | None) -> None:
    values = [] if source is None else source.get_weights()
    expected = [tuple(weight.shape) for weight in layer.weights]
    if [value.shape for value in values] != expected:
        raise UserError(
            f"trained: expected a network of this specification, with weights of shapes {expected} "
            f"at {layer.name}, got {[value.shape for value in values]}"
        )
    layer.set_weights(values)


def normalized(pixels: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Returns what a network reads of pixels from 0 to 255.

    Args:
        pixels: Images, [batch, height, width, channels].
        mean: As in `inference_network`.
        deviation: As in `inference_network`.
    """
    scale = [1 / (255 * value) for value in deviation]
    offset = [-m / value for m, value in zip(mean, deviation, strict=True)]
    return keras.layers.Rescaling(scale, offset, name="normalize")(pixels)


def backbone(blocks: Blocks, images: Tensor, spec: NetworkSpec) -> tuple[Tensor, Tensor]:
    """Adds stem and cells; each cell's output is that of a layer with the cell's name.

    Args:
        blocks: Makes the layers.
        images: Normalized images, [batch, height, width, channels].
        spec: The network. Its `input_shape` and `classes` are not read.

    Returns:
        The output of the last cell, `cell_<layers - 1>`, and that of the second reduction cell
        after its ReLU.
    """
    before_previous, previous = _stem(blocks, images, spec.init_channels, spec.stem)
    channels = spec.init_channels
    halved = spec.stem == "imagenet"
    features = previous
    for i in range(spec.layers):
        reduction = i in reductions(spec.layers)
        channels *= 2 if reduction else 1
        name, cell = f"cell_{i}", spec.genotype.cell(i, spec.layers)
        nodes = _cell(blocks, before_previous, previous, cell, channels, reduction, halved, name)
        side_by_side = f"{name}_concat" if spec.squeeze_excite else name
        output = keras.layers.Concatenate(dtype=blocks.dtype, name=side_by_side)(nodes)
        if spec.squeeze_excite:
            output = squeeze_and_excite(blocks, output, name)
        before_previous, previous = previous, blocks.relu(output, f"{name}_relu")
        halved = reduction
        if i == reductions(spec.layers)[1]:
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
