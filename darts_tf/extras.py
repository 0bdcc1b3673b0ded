"""Extras: packages that only a part of the library needs, and that pip installs when asked."""

from importlib.util import find_spec

from darts_tf.errors import UserError

# For each extra in pyproject.toml the packages that the library imports for it: the name of the
# module, and that of the package.
IMPORTED = {
    "mlflow": {"mlflow": "mlflow"},
    "onnx": {"onnx": "onnx", "tf2onnx": "tf2onnx"},
    "report": {"matplotlib": "matplotlib"},
    "tensorboard": {"tensorboard": "tensorboard"},
    "tune": {"keras_tuner": "keras-tuner"},
    "wandb": {"wandb": "wandb"},
}


def missing(extra: str) -> str:
    """Returns what an extra lacks, without importing anything.

    Args:
        extra: The extra's name in pyproject.toml.

    Returns:
        The packages that are not installed and the command that installs them, as the end of
        "expected ..."; "" if all are there.
    """
    names = [name for module, name in IMPORTED[extra].items() if find_spec(module) is None]
    if not names:
        return ""
    packages = f"the package{'s' if len(names) > 1 else ''} {' and '.join(names)}"
    return f'{packages}, which pip install "darts_tf[{extra}]" installs'


def require(extra: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Args:
        extra: The extra's name in pyproject.toml.

    Raises:
        UserError: If one of the packages is missing.
    """
    if lacking := missing(extra):
        raise UserError(f"expected {lacking}")
