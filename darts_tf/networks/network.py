"""The network of a genotype: the one to train, and its twin of stock Keras layers for inference."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

import keras

from darts_tf.errors import UserError
from darts_tf.networks.auxiliary import auxiliary_head
from darts_tf.networks.blocks import Blocks, Tensor, TrainingBlocks
from darts_tf.networks.families import backbone_of
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces.genotype import Genotype


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
    genotype: Genotype,
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
    genotype: NetworkSpec | Genotype,
    *sizes: Any,
    auxiliary: bool = False,
    drop_path: bool = False,
    synchronized: bool = False,
    dtype: Any = None,
    **settings: Any,
) -> keras.Model:
    """Builds the network to train from scratch (DARTS+, section 4.3).

    The genotype's space says which cells are reduction cells: `layers // 3` and `2 * layers // 3`
    in DARTS's, each with twice the channels. Layer `cell_7` has the output of cell 7, from 0.

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
        auxiliary: Whether there is an auxiliary head after the last reduction cell.
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
    output, features = backbone_of(spec)(blocks, images, spec)
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
    pixels_in = normalize_pixels(pixels, mean, deviation)
    output, _ = backbone_of(spec)(blocks, pixels_in, spec)
    scores = keras.layers.Softmax(name="scores")(classifier(blocks, output, spec.classes))
    twin = keras.Model(pixels, scores, name="darts_network")
    sources = {layer.name: layer for layer in trained.layers}
    for layer in twin.layers:
        if layer.weights:
            _copy_weights(layer, sources.get(layer.name))
    return twin


def _spec(
    genotype: NetworkSpec | Genotype, sizes: Sequence[Any], settings: Mapping[str, Any]
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


def normalize_pixels(pixels: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Adds the normalization of pixels from 0 to 255: `(pixels / 255 - mean) / deviation`.

    Args:
        pixels: Images, [batch, height, width, channels].
        mean: Mean of each channel of the pixels divided by 255.
        deviation: Standard deviation of each channel of the pixels divided by 255.
    """
    scale = [1 / (255 * value) for value in deviation]
    offset = [-m / value for m, value in zip(mean, deviation, strict=True)]
    return keras.layers.Rescaling(scale, offset, name="normalize")(pixels)


def classifier(blocks: Blocks, features: Tensor, classes: int) -> Tensor:
    """Adds global average pooling and a fully connected layer.

    Args:
        blocks: Makes the layers.
        features: Output of the last cell, [batch, height, width, channels].
        classes: Number of classes.

    Returns:
        Logits, [batch, classes].
    """
    x = keras.layers.GlobalAveragePooling2D(dtype=blocks.dtype, name="global_pool")(features)
    return blocks.dense(x, classes, "logits")
