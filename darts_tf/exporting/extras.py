"""Optional dependencies: the packages that only some exports need."""

from importlib.util import find_spec

from darts_tf.errors import UserError

# The packages of each extra in pyproject.toml that the library imports.
IMPORTED = {"onnx": ("onnx", "tf2onnx")}


def require(extra: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Args:
        extra: The extra's name in pyproject.toml.

    Raises:
        UserError: If one of the packages is missing.
    """
    missing = [name for name in IMPORTED[extra] if find_spec(name) is None]
    if missing:
        raise UserError(
            f'expected {" and ".join(missing)} to be installed; run pip install "darts_tf[{extra}]"'
        )
