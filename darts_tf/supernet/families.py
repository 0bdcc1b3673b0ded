"""Which supernet a search space is searched in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from darts_tf.registry import resolve
from darts_tf.spaces.space import Space

_SUPERNETS: Mapping[str, str] = MappingProxyType(
    {
        "cells": "darts_tf.supernet.model:Supernet",
        "recurrent": "darts_tf.supernet.recurrent:RecurrentSupernet",
    }
)


def supernet_class(space: Space) -> Any:
    """Returns the class of a space's supernet, a Keras model with the interface of `Supernet`.

    Args:
        space: The space, whose `family` says which one it is.

    Example:

        >>> from darts_tf import spaces
        >>> supernet_class(spaces.get("darts")).__name__
        'Supernet'
    """
    return resolve(_SUPERNETS[space.family])
