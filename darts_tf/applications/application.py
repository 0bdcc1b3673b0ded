"""Application: a network with the call signature of `keras.applications`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from darts_tf.applications.weights import packaged, read_weights, trained_network
from darts_tf.data.facts import SMALLEST_IMAGE_SIZE
from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.families import backbone_of
from darts_tf.networks.network import classifier, normalize_pixels
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.stems import STEMS

_POOLINGS = {
    "avg": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


@dataclass(frozen=True)
class Application:
    """The recipe of a network; calling it builds a model of stock Keras layers.

    The model takes pixels from 0 to 255. The output of cell 7, counted from 0, is
    `model.get_layer("cell_7").output`. The auxiliary head and drop path, which are for training
    from scratch, are left out.

    Example:
        >>> from darts_tf.applications import Application
        >>> Small = Application("DARTS_V2", layers=3, init_channels=4)
        >>> Small(classes=5, input_shape=(16, 16, 3)).output_shape
        (None, 5)
        >>> Small(include_top=False, pooling="avg").output_shape
        (None, 64)

    Args:
        genotype: The cells, or the name of published ones.
        layers: As in `NetworkSpec`.
        init_channels: As in `NetworkSpec`.
        stem: As in `NetworkSpec`.
        squeeze_excite: As in `NetworkSpec`.
        input_shape: Default height, width and channels of an image.
        mean: Mean of each channel of the pixels divided by 255. An image with another number of
            channels is normalized by the average of the means, and of the deviations.
        deviation: Standard deviation of each channel of the pixels divided by 255.
        class_names: Names of the classes; empty where they are not known.
        name: Default name of the models.
        pretrained: The weights that come with the package: for each name that `weights` may have,
            a file in `pretrained/`.
    """

    genotype: Genotype | str
    layers: int = 20
    init_channels: int = 36
    stem: str = "cifar"
    squeeze_excite: bool = False
    input_shape: tuple[int, int, int] = (32, 32, 3)
    mean: tuple[float, ...] = (0.5,)
    deviation: tuple[float, ...] = (0.25,)
    class_names: tuple[str, ...] = ()
    name: str = "darts_network"
    pretrained: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __call__(
        self,
        include_top: bool = True,
        weights: str | os.PathLike[str] | None = None,
        input_tensor: Tensor | None = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int | None = None,
        classifier_activation: str | None = "softmax",
        name: str | None = None,
    ) -> keras.Model:
        """Builds a network, with the arguments of `keras.applications`.

        Args:
            include_top: Whether the network ends in a classifier.
            weights: None for random weights; a name in `pretrained`; or a file: the `model.keras`
                of a training run with the same genotype, layers and init_channels, which gives the
                normalization of pixels too, or the `.weights.h5` of the same application.
            input_tensor: A Keras tensor of pixels, [batch, height, width, channels].
            input_shape: Height, width and channels; height and width may be None, for any. By
                default that of the `model.keras` or of the application; without top any height and
                width.
            pooling: Without top, None for the last cell's output, [batch, height, width, channels];
                `avg` or `max` for [batch, channels].
            classes: Number of classes; by default that of the `model.keras` or of the application.
            classifier_activation: Activation of the classifier; None for logits.
            name: Name of the model; that of the application when None.

        Returns:
            A model from pixels to predictions, [batch, classes], or to features.

        Raises:
            UserError: If no network can have one of these arguments or of the application's values,
                or the weights are those of another network.
        """
        if pooling is not None and pooling not in _POOLINGS:
            raise UserError(f"pooling: expected None, 'avg' or 'max', got {pooling!r}")
        weights = packaged(weights, self.pretrained)
        trained = trained_network(weights)
        spec = self._spec(self._shape(input_tensor, input_shape, include_top, trained), trained)
        if include_top:
            spec = replace(spec, classes=self._classes(classes, trained))
        blocks = Blocks()
        pixels = input_tensor
        if pixels is None:
            pixels = keras.Input(spec.input_shape, name="pixels")
        output, _ = backbone_of(spec)(blocks, self._normalized(pixels, trained), spec)
        if include_top:
            output = _activate(classifier(blocks, output, spec.classes), classifier_activation)
        elif pooling is not None:
            output = _POOLINGS[pooling](name="global_pool")(output)
        inputs = keras.utils.get_source_inputs(pixels)
        inputs = inputs[0] if len(inputs) == 1 else inputs
        model = keras.Model(inputs, output, name=name or self.name)
        if weights is not None:
            read_weights(model, weights, trained)
        return model

    @staticmethod
    def preprocess_input(x: Any) -> Any:
        """Returns pixels from 0 to 255 unchanged: the network's first layer normalizes them.

        Args:
            x: Images, [batch, height, width, channels].
        """
        return x

    def decode_predictions(
        self, preds: Any, top: int = 5, class_names: Sequence[str] | None = None
    ) -> list[list[tuple[int, str, float]]]:
        """Returns the best classes of each image, the one with the highest prediction first.

        Example:
            >>> from darts_tf.applications import DartsPlusCifar10
            >>> predictions = [[0, 0, 0, 0.75, 0, 0.25, 0, 0, 0, 0]]
            >>> DartsPlusCifar10.decode_predictions(predictions, top=2)
            [[(3, 'cat', 0.75), (5, 'dog', 0.25)]]

        Args:
            preds: Predictions, [batch, classes].
            top: The most classes to return.
            class_names: Names of the classes; those of the application when None.

        Returns:
            For each image a list of (label, class name, prediction).

        Raises:
            UserError: If there is not one name for each class.
        """
        names = self.class_names if class_names is None else class_names
        scores = np.asarray(preds)
        if scores.ndim != 2 or scores.shape[1] != len(names):
            raise UserError(
                f"preds: expected the shape [images, {len(names)}], one prediction for each class "
                f"name, got {list(scores.shape)}"
            )
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        return [
            [(int(label), names[label], float(row[label])) for label in labels]
            for row, labels in zip(scores, best, strict=True)
        ]

    def _shape(
        self,
        input_tensor: Tensor | None,
        input_shape: Sequence[int | None] | None,
        include_top: bool,
        trained: keras.Model | None,
    ) -> Sequence[int | None]:
        """Returns the height, width and channels of an image."""
        if input_tensor is not None:
            shape = tuple(input_tensor.shape[1:])
            if input_shape is not None and tuple(input_shape) != shape:
                raise UserError(
                    f"input_shape: expected that of input_tensor, {shape}, got {input_shape}"
                )
            return shape
        if input_shape is not None:
            return input_shape
        shape = self.input_shape if trained is None else trained.input_shape[1:]
        return shape if include_top else (None, None, shape[-1])

    def _classes(self, classes: int | None, trained: keras.Model | None) -> int:
        if classes is not None:
            if classes < 2:
                raise UserError(f"classes: expected at least 2, got {classes}")
            return classes
        if trained is not None and "logits" in {layer.name for layer in trained.layers}:
            return trained.get_layer("logits").units
        if not self.class_names:
            raise UserError("classes: expected a number for an application without class_names")
        return len(self.class_names)

    def _spec(self, shape: Sequence[int | None], trained: keras.Model | None) -> NetworkSpec:
        """Returns the network for images of a shape, whose size and channels it checks."""
        spec = NetworkSpec(
            zoo.get(self.genotype) if isinstance(self.genotype, str) else self.genotype,
            shape,  # type: ignore[arg-type]  # checked there
            layers=self.layers,
            init_channels=self.init_channels,
            stem=self.stem,
            squeeze_excite=self.squeeze_excite,
        )
        smallest = SMALLEST_IMAGE_SIZE * STEMS[spec.stem].divides_by
        if any(size is not None and size < smallest for size in spec.input_shape[:2]):
            raise UserError(
                f"input_shape: expected a height and width of at least {smallest} for the stem "
                f"{spec.stem!r}, got {spec.input_shape}"
            )
        if trained is not None and spec.input_shape[-1] != trained.input_shape[-1]:
            raise UserError(
                f"input_shape: expected the weights' {trained.input_shape[-1]} channels, got "
                f"{spec.input_shape}"
            )
        return spec

    def _normalized(self, pixels: Tensor, trained: keras.Model | None) -> Tensor:
        if trained is not None:
            config = trained.get_layer("normalize").get_config()
            return keras.layers.Rescaling.from_config(config)(pixels)
        channels = pixels.shape[-1]
        return normalize_pixels(pixels, _each(self.mean, channels), _each(self.deviation, channels))


def _each(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def _activate(logits: Tensor, activation: str | None) -> Tensor:
    if activation is None:
        return logits
    if activation == "softmax":
        return keras.layers.Softmax(name="scores")(logits)
    return keras.layers.Activation(activation, name="scores")(logits)
