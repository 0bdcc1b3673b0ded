"""What the layers of a functional model read, by their names."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


class Wiring(NamedTuple):
    """How the layers of a model hang together.

    Attributes:
        sources: By the name of a layer those of the layers that it reads, in order; empty for a
            model that is not functional.
        readers: By the name of a layer how often others read it, or the model returns it.
    """

    sources: Mapping[str, list[str]]
    readers: Counter[str]


def wiring(model: keras.Model) -> Wiring:
    """Returns how the layers of a model hang together.

    Example:
        >>> import keras
        >>> from darts_tf.exporting.wiring import wiring
        >>> images = keras.Input((4,), name="images")
        >>> twice = keras.layers.Add(name="twice")([images, images])
        >>> sources, readers = wiring(keras.Model(images, twice))
        >>> sources["twice"], readers["images"], readers["twice"]
        (['images', 'images'], 2, 1)

    Args:
        model: Any model.
    """
    entries = [entry for entry in model.get_config().get("layers", ()) if "inbound_nodes" in entry]
    sources = {entry["name"]: _sources(entry) for entry in entries}
    readers = Counter(source for names in sources.values() for source in names)
    if entries:
        returned = {id(tensor) for tensor in model.outputs}
        readers.update(layer.name for layer in model.layers if id(layer.output) in returned)
    return Wiring(sources, readers)


def remade(
    model: keras.Model,
    remake: Callable[[keras.layers.Layer], keras.layers.Layer],
    call: Callable[..., Any],
) -> keras.Model:
    """Returns a functional model with other layers, and the weights that both have.

    Args:
        model: The model, which stays as it is.
        remake: Makes a layer anew, under its name; its weights may be fewer or more at the end.
        call: Called with the new layer and its arguments; returns what takes its output's place.
    """
    result = keras.models.clone_model(model, clone_function=remake, call_function=call)
    known = {layer.name: layer for layer in model.layers}
    for layer in result.layers:
        if layer.name in known:
            for weight, value in zip(layer.weights, known[layer.name].weights, strict=False):
                weight.assign(value)
    return result


def is_linear(layer: keras.layers.Layer) -> bool:
    """Returns whether a layer is a convolution without an activation."""
    return type(layer) in _CONVOLUTIONS and layer.activation is keras.activations.linear


def _sources(entry: Mapping[str, Any]) -> list[str]:
    names: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                names.append(value["config"]["keras_history"][0])
            else:
                walk(list(value.values()))
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(entry.get("inbound_nodes", ()))
    return names
