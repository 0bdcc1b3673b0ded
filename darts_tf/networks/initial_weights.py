"""The weights that a training starts from: those of a trained network with the same cells."""

import logging
import os
from pathlib import Path

import keras

from darts_tf.errors import UserError
from darts_tf.layers.drop_path import DropPath
from darts_tf.networks.families import PARTS
from darts_tf.networks.model_file import load_model

_logger = logging.getLogger(__name__)
_CLASSIFIER = "logits"


def start_from(network: keras.Model, path: str | os.PathLike[str]) -> None:
    """Assigns the weights in a file to a network that is to be trained.

    Stem and cells have to be the same. The classifier is taken over where there are as many classes
    of as many features; otherwise it starts anew, as the auxiliary head always does.

    Args:
        network: A network that `build_network` made.
        path: The `model.keras` of a training run, from pixels to probabilities.

    Raises:
        UserError: If there is no such file, or it holds a network of other cells.
    """
    if not Path(path).is_file():
        raise UserError(
            f"initial_model={path}: expected the model.keras of a training, got no file"
        )
    given = {layer.name: layer for layer in load_model(path).layers if layer.weights}
    # A drop path has its rate for a weight, which the training sets.
    layers = [layer for layer in network.layers if not isinstance(layer, DropPath)]
    wanted = {layer.name: layer for layer in layers if layer.weights}
    names = [name for name in {**wanted, **given} if name.startswith(PARTS)]
    for name in names:
        shapes = [_shapes(layers.get(name)) for layers in (wanted, given)]
        if shapes[0] != shapes[1]:
            raise UserError(
                f"initial_model={path}: expected a network with the genotype, layers, "
                f"init_channels and stem of this training, got one that differs at {name}, "
                f"{shapes[1] or 'absent'} in place of {shapes[0] or 'none'}"
            )
    if not names:
        raise UserError(f"initial_model={path}: expected a network with cells, got one without")
    for name in names:
        wanted[name].set_weights(given[name].get_weights())
    same = _shapes(wanted.get(_CLASSIFIER)) == _shapes(given.get(_CLASSIFIER))
    if same:
        wanted[_CLASSIFIER].set_weights(given[_CLASSIFIER].get_weights())
    what = "all weights but the auxiliary head's" if same else "stem and cells; a new classifier"
    _logger.info("%s: starts with %s", path, what)


def _shapes(layer: keras.layers.Layer | None) -> list[tuple[int, ...]]:
    return [] if layer is None else [tuple(weight.shape) for weight in layer.weights]
