"""Checks that every serializable layer, model and optimizer of the library has to pass."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import math
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

import darts_tf

PACKAGE = "darts_tf"


def registered() -> dict[str, type]:
    """Returns every class that the library registers with Keras, by its name."""
    for module in pkgutil.walk_packages(darts_tf.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
    return {
        name.removeprefix(f"{PACKAGE}>"): kind
        for name, kind in keras.saving.get_custom_objects().items()
        if name.startswith(f"{PACKAGE}>")
    }


def own_arguments(kind: type) -> dict[str, Any]:
    """Returns the keyword arguments of the constructor and their defaults, with our base classes'.

    For a constructor of Keras, those without a default.
    """
    ours = [base for base in kind.__mro__ if base.__module__.partition(".")[0] == PACKAGE]
    constructors = [vars(base)["__init__"] for base in ours if "__init__" in vars(base)]
    return {
        parameter.name: parameter.default
        for constructor in constructors or [kind.__init__]
        for parameter in inspect.signature(constructor).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and parameter.name != "self"
        and (constructors or parameter.default is parameter.empty)
    }


def check_config(
    kind: type, arguments: Mapping[str, Any], fixed: frozenset[str] = frozenset()
) -> list[Any]:
    """Checks `get_config` against the constructor, and creates an object in each way of Keras.

    Args:
        kind: The class.
        arguments: All keyword arguments of the constructor, with values other than the defaults.
        fixed: The arguments of a base class that this class has only one value for.

    Returns:
        The object created directly, by `from_config`, and through JSON text.
    """
    expected = {name: value for name, value in own_arguments(kind).items() if name not in fixed}
    assert set(arguments) == set(expected), "a case gives every named argument"
    for name, default in expected.items():
        assert _plain(arguments[name]) != _plain(default), f"{name} is given its default"
    shared = {"name": "a_name"}
    if not issubclass(kind, keras.optimizers.Optimizer):
        shared |= {"dtype": "float64", "trainable": False}
    made = kind(**{**arguments, **shared})
    clone = kind.from_config(made.get_config())
    text = json.dumps(keras.saving.serialize_keras_object(made))
    twins = [made, clone, keras.saving.deserialize_keras_object(json.loads(text))]
    for twin in twins:
        assert type(twin) is kind
        config = twin.get_config()
        for name, value in {**arguments, **shared}.items():
            if name == "dtype":
                assert twin.dtype == value
            else:
                assert name in config, f"{name} is not in the config"
                assert _same(config[name], value), f"{name}: {config[name]!r} for {value!r}"
    return twins


def check_layer(
    kind: type,
    arguments: Mapping[str, Any],
    compute: Callable[[Any], Any],
    fixed: frozenset[str] = frozenset(),
) -> None:
    """Checks the config of a layer, its lazy build, and that restored copies compute the same.

    Args:
        kind: The class.
        arguments: As in `check_config`.
        compute: Builds the layer if necessary, and returns its output for a fixed input.
        fixed: As in `check_config`.
    """
    made, *twins = check_config(kind, arguments, fixed)
    assert not any(layer.weights or layer.built for layer in (made, *twins))
    compute(made)
    rng = np.random.default_rng(0)
    for weight in made.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    expected = compute(made)
    for twin in twins:
        compute(twin)
        assert [w.shape for w in twin.weights] == [w.shape for w in made.weights]
        twin.set_weights(made.get_weights())
        keras.tree.map_structure(np.testing.assert_array_equal, compute(twin), expected)


def check_optimizer(kind: type, arguments: Mapping[str, Any]) -> None:
    """Checks the config of an optimizer, and that restored copies continue from its state.

    Args:
        kind: The class.
        arguments: As in `check_config`.
    """
    made, *twins = check_config(kind, arguments)
    assert not any(optimizer.built for optimizer in (made, *twins))
    start, gradient = np.linspace(-1, 1, 5), np.linspace(0.5, 2, 5)
    weight = keras.Variable(start, dtype="float64")
    made.build([weight])
    made.apply([keras.ops.convert_to_tensor(gradient)])
    others = [keras.Variable(weight.numpy(), dtype="float64") for _ in twins]
    for twin, other in zip(twins, others, strict=True):
        twin.build([other])
        state: dict[str, Any] = {}
        made.save_own_variables(state)
        twin.load_own_variables(state)
        twin.apply([keras.ops.convert_to_tensor(-gradient)])
    made.apply([keras.ops.convert_to_tensor(-gradient)])
    assert not np.array_equal(weight.numpy(), start)
    for other in others:
        np.testing.assert_array_equal(other.numpy(), weight.numpy())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _same(found: Any, given: Any) -> bool:
    if isinstance(given, float):
        # Keras keeps a learning rate in float32.
        return math.isclose(found, given, rel_tol=1e-7)
    return _plain(found) == _plain(given)
