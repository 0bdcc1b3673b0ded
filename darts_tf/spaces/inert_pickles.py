"""Pickles of others, read without importing or calling anything that they name."""

import bz2
import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.errors import UserError

_LARGEST = 2**30  # bytes of an unpacked file
_NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


def read_pickle(path: Path) -> Any:
    """Reads a pickle that bz2 has compressed.

    Containers and numbers are made. Whatever else the file names, such as a class, a function or a
    tensor, becomes an empty stand-in, and nothing is imported.

    Args:
        path: The file.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        with bz2.open(path) as file:
            content = file.read(_LARGEST + 1)
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: expected a file compressed by bz2, got {error}") from error
    if len(content) > _LARGEST:
        raise UserError(f"{path}: expected at most {_LARGEST:,} bytes unpacked, got more")
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except _FAULTS as error:
        kind = type(error).__name__
        raise UserError(f"{path}: expected a pickle, got {kind}: {error}") from error


# What Python's reader raises where the bytes are no pickle, or one that asks for the impossible.
_FAULTS = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    MemoryError,
)


class _StandIn:
    """An object of a class that is not looked up; it takes what it is given, and leaves it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        del arguments, named

    def __setstate__(self, state: Any) -> None:
        del state

    def __setitem__(self, key: Any, value: Any) -> None:
        del key, value

    def append(self, value: Any) -> None:
        """Takes an entry of a list."""
        del value

    add = extend = append


class _Dtype(_StandIn):
    """The dtype of a NumPy number."""

    def __init__(self, code: Any = "", *arguments: Any) -> None:
        super().__init__(*arguments)
        self.code = code if code in _NUMBERS else ""


def _scalar(dtype: Any, data: Any = b"") -> Any:
    """Returns a NumPy number as Python's."""
    code = getattr(dtype, "code", "")
    if not code or not isinstance(data, bytes) or len(data) != np.dtype(code).itemsize:
        return _StandIn()
    return np.frombuffer(data, f"<{code}")[0].item()


def _dict(*factory: Any) -> dict[Any, Any]:
    """Returns a `defaultdict` without its factory."""
    del factory
    return {}


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _dict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _KNOWN.get((module, name), _StandIn)

    def persistent_load(self, identifier: Any) -> _StandIn:
        del identifier
        return _StandIn()
