"""Exports of models from images to the probabilities of classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from darts_tf.data.sources.catalog import DATASETS
from darts_tf.exporting.exportable import check_exportable
from darts_tf.exporting.folding import fold_normalization
from darts_tf.exporting.form import Form
from darts_tf.exporting.request_checks import of_equal_sizes
from darts_tf.exporting.signatures import ENCODED, PIXELS, signatures
from darts_tf.networks.complexity import multiply_adds, parameters


@dataclass(frozen=True)
class ImageModel(Form):
    """A model that `check_exportable` lets pass.

    Args:
        model: The model.
        shape: Height, width and channels of an image.
        classes: The number of classes.
    """

    names_file: ClassVar[str] = "labels.txt"
    about: ClassVar[str] = "From pixels, 0 to 255, to the scores of the classes."

    model: Any
    shape: tuple[int, int, int]
    classes: int

    @classmethod
    def of(cls, model: Any) -> "ImageModel":
        """Returns the form of a model; any other one than of images is an error."""
        return cls(model, *check_exportable(model))

    def signatures(
        self, names_file: Path, result: Mapping[str, Any] | None
    ) -> tuple[tf.Module, dict[str, Any]]:
        """Returns the signatures of pixels and of encoded images."""
        return signatures(self.model, names_file, _crops(result))

    def requests(self, size: int, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yields requests of black images."""
        del names
        black = tf.io.encode_png(np.zeros(self.shape, np.uint8)).numpy()
        # A single value fills the whole shape.
        yield PIXELS, {"pixels": tf.make_tensor_proto(0.0, tf.float32, (size, *self.shape))}
        yield ENCODED, {"image_bytes": tf.make_tensor_proto(black, tf.string, (size,))}

    def function(self, lite: bool) -> Any:
        """Returns the folded network as a function of pixels."""
        served = fold_normalization(self.model)
        values = [(variable, variable.numpy()) for variable in served.variables]

        def scores(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            # Other runtimes than LiteRT compare declared sizes.
            pixels = of_equal_sizes(pixels, self.shape) if lite else pixels
            with keras.StatelessScope(state_mapping=values):
                return {"scores": served(pixels, training=False)}

        spec = tf.TensorSpec((None, *self.shape), tf.float32, name="pixels")
        return tf.function(scores, input_signature=[spec])

    def facts(self) -> dict[str, Any]:
        """Returns the shape of an image, and counts."""
        return {
            "image": list(self.shape),
            "classes": self.classes,
            "parameters": parameters(self.model),
            "multiply_adds": multiply_adds(self.model),
        }

    def metadata(self, names: Sequence[str]) -> dict[str, Any]:
        """Returns the classes, and the shape of an image."""
        return {"classes": list(names), "image_shape": list(self.shape)}


def _crops(result: Mapping[str, Any] | None) -> bool:
    """Whether the test images of the data set are cropped to their center."""
    name = (result or {}).get("dataset")
    facts = DATASETS.get(name) if isinstance(name, str) else None
    return facts is not None and facts.crop == "resized"
