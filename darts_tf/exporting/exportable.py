"""The model that all exports share: from images to the probabilities of classes."""

from typing import Any

import keras
import numpy as np

from darts_tf.errors import UserError

_TOLERANCE = 1e-3
# Images that the check asks the model about.
_PROBES = 3


def check_exportable(model: Any) -> tuple[tuple[int, int, int], int]:
    """Checks that a model can be exported, by its form and by its answers to a few images.

    Example:
        >>> import keras
        >>> from darts_tf.exporting.exportable import check_exportable
        >>> image = keras.Input((8, 8, 3))
        >>> flat = keras.layers.Flatten()(image)
        >>> check_exportable(keras.Model(image, keras.layers.Dense(4, activation="softmax")(flat)))
        ((8, 8, 3), 4)
        >>> check_exportable(keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(flat)))
        Traceback (most recent call last):
            ...
        darts_tf.errors.UserError: model: expected one output [batch, at least 2 classes], got ...

    Args:
        model: Anything; right is a functional or sequential Keras model from pixels, from 0 to 255,
            [batch, height, width, 1 or 3 channels], to probabilities, float32 [batch, classes].

    Returns:
        Height, width and channels of an image, and the number of classes.

    Raises:
        UserError: If the model is none of this kind.
    """
    image, answer = _tensor(model, "input"), _tensor(model, "output")
    shape = tuple(image.shape[1:])
    if len(shape) != 3 or None in shape or shape[2] not in (1, 3) or image.dtype == "string":
        raise UserError(
            f"model: expected one that takes images of (height, width, 1 or 3 channels), got one "
            f"that takes {shape}"
        )
    if image.shape[0] is not None:
        raise UserError(f"model: expected any batch size, got {image.shape[0]} alone")
    if len(answer.shape) != 2 or answer.shape[1] is None or answer.shape[1] < 2:
        raise UserError(
            f"model: expected one output [batch, at least 2 classes], got one of shape "
            f"{tuple(answer.shape)}"
        )
    if answer.dtype != "float32":
        raise UserError(f"model: expected probabilities in float32, got {answer.dtype}")
    check_probabilities(_probe(model, shape), _PROBES, answer.shape[1])
    return shape, answer.shape[1]


def _tensor(model: Any, what: str) -> Any:
    """Returns the one input or output of a model."""
    if not isinstance(model, keras.Model) or getattr(model, "inputs", None) is None:
        raise UserError(
            "model: expected a functional or sequential Keras model that is built, such as "
            f"inference_network returns, got {_kind(model)}"
        )
    if isinstance(model, keras.Sequential):
        return getattr(model, f"{what}s")[0]
    found = getattr(model, what)
    if not isinstance(found, keras.KerasTensor):
        names = list(found) if isinstance(found, dict) else len(found)
        raise UserError(f"model: expected one {what}, got a {type(found).__name__} of {names}")
    return found


def _kind(model: Any) -> str:
    return model.__name__ if isinstance(model, type) else f"one of class {type(model).__name__}"


def _probe(model: keras.Model, shape: tuple[int, ...]) -> Any:
    """Returns what a model answers to a few images."""
    images = np.random.RandomState(0).randint(0, 256, (_PROBES, *shape)).astype(np.float32)
    return model(images, training=False)


def check_probabilities(answer: Any, examples: int, classes: int) -> None:
    """Checks that what a model answers are probabilities.

    Args:
        answer: The answer, a tensor of Keras's backend.
        examples: The number of examples that it was asked about.
        classes: The number of classes.

    Raises:
        UserError: If they are anything else.
    """
    scores = np.asarray(keras.ops.convert_to_numpy(answer))
    if scores.shape != (examples, classes):
        raise UserError(
            f"model: expected {classes} scores for each of {examples} images, got {scores.shape}"
        )
    sums = scores.sum(axis=1, dtype=np.float64)
    right = (scores >= 0).all() and (np.abs(sums - 1) <= _TOLERANCE).all()
    if not right:
        raise UserError(
            "model: expected probabilities, at least 0 and in each row of sum 1, got scores from "
            f"{scores.min():.4g} to {scores.max():.4g} with sums from {sums.min():.4g} to "
            f"{sums.max():.4g}; inference_network makes of a network to train the one to export, "
            "and a Softmax layer probabilities of logits"
        )
