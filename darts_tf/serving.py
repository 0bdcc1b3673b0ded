"""Where an export goes: the numbered folders that TensorFlow Serving polls."""

import os
from pathlib import Path

from darts_tf.errors import UserError


def version_folder(directory: str | os.PathLike[str], version: int | None = None) -> Path:
    """Returns the folder of a version that does not exist yet.

    Args:
        directory: The folder of one served model; it may exist.
        version: The number, at least 1; the next one after those there when None.

    Raises:
        UserError: If the version exists, a file or a broken link is in the way, or the folder
            cannot be written.
    """
    folder = Path(directory)
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not existing.is_dir():
        what = "a file" if existing.exists() else "a link that leads nowhere"
        raise UserError(f"--output={folder}: {existing} is {what}; a folder is right")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(f"--output={folder}: no permission to write in {existing}")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    taken = [int(name) for name in names if name.isdecimal()]
    following = 1 + max(taken, default=0)
    if version is None:
        return folder / str(following)
    if version < 1:
        raise UserError(f"--version={version}: a number from 1 on is right")
    if version in taken:
        raise UserError(
            f"--version={version}: exists in {folder}; {following} is free, and chosen without the "
            "flag"
        )
    return folder / str(version)
