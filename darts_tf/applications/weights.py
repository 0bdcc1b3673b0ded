"""Weights of a network from the file of another one with the same cells."""

import os
import warnings
from pathlib import Path
from typing import Any

import keras

from darts_tf.errors import UserError
from darts_tf.networks.model_file import load_model

_OURS = ("stem_", "cell_", "logits")


def trained_network(weights: str | os.PathLike[str] | None) -> keras.Model | None:
    """Returns the network in a `.keras` file; None for a `.weights.h5`, or for no file.

    Raises:
        UserError: If the file is not there, or holds no network whose pixels are normalised.
    """
    if weights is None:
        return None
    if not Path(weights).is_file():
        raise UserError(
            f"weights={weights}: no such file, and no weights are published; None, or the "
            "model.keras of a training, is right"
        )
    if str(weights).endswith(".weights.h5"):
        return None
    trained = load_model(weights)
    if "normalize" not in {layer.name for layer in trained.layers}:
        raise UserError(f"weights={weights}: the model.keras of a training is right, found another")
    return trained


def read_weights(
    model: keras.Model, weights: str | os.PathLike[str], trained: keras.Model | None
) -> None:
    """Gives a network the weights of stem and cells, and of the classifier where it has one.

    Args:
        model: Of the layers that `backbone` makes.
        weights: The file.
        trained: What `trained_network` made of it.

    Raises:
        UserError: If they are those of another network.
    """
    if trained is not None:
        _copy(trained, model, weights)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # of layers that the file does not have
            model.load_weights(weights)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise UserError(f"weights={weights}: not those of this network ({error})") from error


def _copy(trained: keras.Model, model: keras.Model, weights: str | os.PathLike[str]) -> None:
    here, there = _layers(model), _layers(trained)
    for name in [*here, *(name for name in there if name not in here and name != "logits")]:
        if here.get(name) != there.get(name):
            raise UserError(
                f"weights={weights}: those of another network, which differs at {name}; the "
                "genotype, layers, init_channels, stem and classes of its training are right"
            )
    for name in here:
        model.get_layer(name).set_weights(trained.get_layer(name).get_weights())


def _layers(model: keras.Model) -> dict[str, tuple[list[str], list[tuple[int, ...]]]]:
    """Returns what each layer of stem, cells and classifier reads, and the shapes of its weights.

    Padding, which depends on the size of the images, is passed over.
    """
    makers = {id(layer.output): layer for layer in model.layers}

    def maker(tensor: Any) -> str:
        layer = makers.get(id(tensor))
        while isinstance(layer, keras.layers.ZeroPadding2D):
            layer = makers.get(id(layer.input))
        return layer.name if layer else ""

    return {
        layer.name: (
            [maker(tensor) for tensor in keras.tree.flatten(layer.input)],
            [tuple(weight.shape) for weight in layer.weights],
        )
        for layer in model.layers
        if layer.name.startswith(_OURS) and not isinstance(layer, keras.layers.ZeroPadding2D)
    }
