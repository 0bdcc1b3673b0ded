"""Which supernet a search space is searched in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from darts_tf.config import SearchConfig
from darts_tf.registry import resolve
from darts_tf.spaces.space import Space

_SUPERNETS: Mapping[str, str] = MappingProxyType(
    {
        "cells": "darts_tf.supernet.model:Supernet",
        "trellis": "darts_tf.supernet.trellis:TrellisSupernet",
        "mobile": "darts_tf.supernet.mobile:MobileSupernet",
        "recurrent": "darts_tf.supernet.recurrent:RecurrentSupernet",
    }
)

# What turns the arguments of `Supernet` into those of another family's class, where they differ.
_ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {"recurrent": "darts_tf.supernet.recurrent:arguments_of"}
)


def supernet_class(space: Space) -> Any:
    """Returns the class of a space's supernet, a Keras model with the interface of `Supernet`.

    Args:
        space: The space, whose `family` says which one it is.

    Raises:
        UserError: If the space has no candidates to choose from.

    Example:

        >>> from darts_tf import spaces
        >>> supernet_class(spaces.get("darts")).__name__
        'Supernet'
    """
    space.check_searchable()
    return resolve(_SUPERNETS[space.family])


def supernet_arguments(
    space: Space, config: SearchConfig, arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Returns the arguments of the class of a space's supernet.

    Args:
        space: The space.
        config: The settings of the search.
        arguments: Those that `Supernet` would be given.

    Raises:
        UserError: If there is no such supernet.
    """
    adapt = resolve(_ARGUMENTS.get(space.family))
    return arguments if adapt is None else adapt(config, arguments)
