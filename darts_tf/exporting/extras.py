"""Packages that only some exports need, and the extra that brings them."""

from importlib.util import find_spec

from darts_tf.errors import UserError

# What is imported here and there for an extra of that name in pyproject.toml.
IMPORTED = {"onnx": ("onnx", "tf2onnx")}


def require(extra: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Args:
        extra: Its name.

    Raises:
        UserError: If one of them is missing.
    """
    missing = [name for name in IMPORTED[extra] if find_spec(name) is None]
    if missing:
        raise UserError(
            f'{" and ".join(missing)} must be installed; pip install "darts_tf[{extra}]" is right'
        )
