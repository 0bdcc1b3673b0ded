"""The conventions of TensorFlow Serving: numbered version folders and batching parameters."""

import errno
import os
from pathlib import Path

from darts_tf.errors import UserError
from darts_tf.runs.atomic import sync

# The name under which TensorFlow Serving looks for batching parameters beside a model.
BATCHING_FILE = "batching_params.pbtxt"
# The batch sizes that it pads requests to.
BATCHES = (1, 2, 4, 8, 16, 32)
_WAIT_MICROSECONDS = 1000
_WAITING_BATCHES = 64


def batching_parameters() -> str:
    """Returns batching parameters, a `BatchingParameters` in the text format.

    Its definition is in tensorflow/serving, `servables/tensorflow/session_bundle_config.proto`.
    """
    lines = [
        f"max_batch_size {{ value: {BATCHES[-1]} }}",
        f"batch_timeout_micros {{ value: {_WAIT_MICROSECONDS} }}",
        f"max_enqueued_batches {{ value: {_WAITING_BATCHES} }}",
        *(f"allowed_batch_sizes: {size}" for size in BATCHES),
    ]
    return "".join(f"{line}\n" for line in lines)


def version_folder(directory: str | os.PathLike[str], version: int | None = None) -> Path:
    """Returns the folder of a version that does not exist yet.

    Args:
        directory: The folder of one served model; it may exist.
        version: The number, at least 1; the one after the greatest when None.

    Raises:
        UserError: If the version exists, a file or a broken link is in the way, or the folder
            cannot be written.
    """
    folder = Path(directory)
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not existing.is_dir():
        what = "a file" if existing.exists() else "a broken link"
        raise UserError(f"--output={folder}: {existing} is {what}; expected a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(f"--output={folder}: no permission to write in {existing}")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    taken = [int(name) for name in names if name.isdecimal()]
    following = 1 + max(taken, default=0)
    if version is None:
        return folder / str(following)
    if version < 1:
        raise UserError(f"--version: expected at least 1, got {version}")
    if version in taken:
        raise UserError(
            f"--version={version}: exists in {folder}; expected a new number, such as {following}, "
            "the default"
        )
    return folder / str(version)


def publish(written: Path, directory: Path, version: int | None) -> Path:
    """Moves a complete folder to its version number, so that a server sees all of it or nothing.

    Args:
        written: The folder, in the same file system.
        directory: The folder of one served model.
        version: The number; the next one when None.

    Returns:
        The version's folder.

    Raises:
        UserError: If the version exists.
    """
    for path in (*written.rglob("*"), written):
        sync(path)
    while True:
        folder = version_folder(directory, version)
        try:
            written.rename(folder)
        except OSError as error:
            # Another export took the number first: the next round takes the next one.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            sync(directory)
            return folder
