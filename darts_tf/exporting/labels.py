"""The class names of an exported model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from darts_tf.errors import UserError, short


def class_names(labels: Sequence[str] | None, classes: int) -> list[str]:
    """Returns a name for each class.

    Example:
        >>> from darts_tf.exporting.labels import class_names
        >>> class_names(None, 3)
        ['0', '1', '2']

    Args:
        labels: The names; numbers from 0 when None.
        classes: The number of classes.

    Raises:
        UserError: If there is not one name for each class, or a name is no text.
    """
    names = [str(i) for i in range(classes)] if labels is None else _texts(labels)
    if len(names) != classes:
        raise UserError(f"labels: expected {classes}, one for each class, got {len(names)}")
    return names


def as_bytes(name: str) -> bytes:
    """Returns a name in UTF-8, or as the bytes of a file's name that is none.

    Args:
        name: The name.

    Raises:
        UserError: If it holds halves of characters.
    """
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UserError(f"labels: expected names as text, got {short(name)}") from error


def _texts(labels: Any) -> list[str]:
    if not isinstance(labels, list | tuple | np.ndarray):  # a text is a sequence of letters, too
        raise UserError(f"labels: expected a list of names, got {short(labels)}")
    for name in labels:
        if not isinstance(name, str):
            raise UserError(f"labels: expected names as text, got {short(name)}")
        as_bytes(name)
    return [str(name) for name in labels]
