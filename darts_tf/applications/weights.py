"""Loading an application's weights from the file of a network with the same cells."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from darts_tf.errors import UserError
from darts_tf.networks.families import PARTS
from darts_tf.networks.model_file import load_model

_OURS = (*PARTS, "logits")


def packaged(
    weights: str | os.PathLike[str] | None, pretrained: Mapping[str, str]
) -> str | os.PathLike[str] | None:
    """Returns the file of weights that come with the package, and any other argument unchanged.

    Args:
        weights: The argument `weights` of an application.
        pretrained: The application's weights that come with the package, a file for each name.

    Raises:
        UserError: If there is neither such a name nor such a file.
    """
    if str(weights) in pretrained:
        return Path(__file__).with_name("pretrained") / pretrained[str(weights)]
    if weights is None or Path(weights).is_file():
        return weights
    names = ", ".join(["None", *(f"'{name}'" for name in pretrained)])
    raise UserError(
        f"weights={weights}: expected {names} or the model.keras of a training run, got no file"
    )


def trained_network(weights: str | os.PathLike[str] | None) -> keras.Model | None:
    """Returns the network in a `.keras` file; None for a `.weights.h5`, or for no file.

    Args:
        weights: What `packaged` returns.

    Raises:
        UserError: If it holds no network of a training run.
    """
    if weights is None or str(weights).endswith(".weights.h5"):
        return None
    trained = load_model(weights)
    if "normalize" not in {layer.name for layer in trained.layers}:
        raise UserError(
            f"weights={weights}: expected the model.keras of a training run, got another"
        )
    return trained


def read_weights(
    model: keras.Model, weights: str | os.PathLike[str], trained: keras.Model | None
) -> None:
    """Loads all weights, those of the classifier where there is one.

    Args:
        model: The application's network.
        weights: The file.
        trained: The network that `trained_network` loaded from it, or None.

    Raises:
        UserError: If the weights are those of another network.
    """
    if trained is not None:
        _copy(trained, model, weights)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # raised for layers not in the file
            model.load_weights(weights)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise UserError(
            f"weights={weights}: expected those of this network, got {error}"
        ) from error


def _copy(trained: keras.Model, model: keras.Model, weights: str | os.PathLike[str]) -> None:
    wanted, given = _layers(model), _layers(trained)
    for name in [*wanted, *(name for name in given if name not in wanted and name != "logits")]:
        if wanted.get(name) != given.get(name):
            raise UserError(
                f"weights={weights}: expected those of this network, got those of another, which "
                f"differs at {name}; take the genotype, layers, init_channels, stem and classes of "
                "its training run"
            )
    for name in wanted:
        model.get_layer(name).set_weights(trained.get_layer(name).get_weights())


def _layers(model: keras.Model) -> dict[str, tuple[list[str], list[tuple[int, ...]]]]:
    """Returns the inputs and the shapes of the weights of all layers of a network, by name.

    Layers of padding, which depend on the size of the images, are skipped.
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
