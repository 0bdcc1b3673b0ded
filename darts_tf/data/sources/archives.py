"""Checks of archives and prepared data sets on the disk, with the errors that tell of them."""

from __future__ import annotations

import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darts_tf.data.sources.origins import MANUAL, Origin
from darts_tf.errors import UserError


def data_root(data_dir: str) -> Path:
    """Returns the folder of all data sets, absolute.

    Args:
        data_dir: What the user says; "" for the folder of tensorflow-datasets.
    """
    import tensorflow_datasets as tfds

    return Path(data_dir or tfds.core.constants.DATA_DIR).expanduser().absolute()


def manual_folder(origin: Origin, root: Path) -> Path:
    """Returns the folder that a data set's archives lie in.

    Args:
        origin: Where the data set comes from.
        root: The folder of all data sets.

    Returns:
        `downloads/manual/NAME` where there is such a folder, for archives that share their file
        names with those of another data set; else `downloads/manual`.
    """
    shared = root / MANUAL
    separate = shared / origin.folder
    return separate if separate.is_dir() else shared


def missing(origin: Origin, root: Path) -> list[Path]:
    """Returns the archives of a data set that are not in place.

    Args:
        origin: Where the data set comes from.
        root: The folder of all data sets.
    """
    folder = manual_folder(origin, root)
    paths = (folder / archive for archive in origin.archives)
    return [path for path in paths if not path.is_file()]


def check_whole(origin: Origin, root: Path) -> None:
    """Looks at the ends of archives that lie in place, which tells at once that one is cut off.

    Args:
        origin: Where the data set comes from; all its archives are in place.
        root: The folder of all data sets.

    Raises:
        UserError: If one cannot be read or is not what its name says.
    """
    for archive in origin.archives:
        path = manual_folder(origin, root) / archive
        try:
            problem = _problem(path)
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            raise broken(origin, path, problem)


def broken(origin: Origin, path: Path, problem: object) -> UserError:
    """Returns the error for an archive that cannot be used.

    Args:
        origin: Where the data set comes from.
        path: The archive, or a file in it.
        problem: What is wrong with it.
    """
    return UserError(
        f"data set '{origin.name}': expected the whole archive from {origin.url}, got {path}: "
        f"{problem}"
    )


@contextmanager
def explained(origin: Origin, path: Path) -> Iterator[None]:
    """Turns what reading an archive raises into the error that names it.

    Args:
        origin: Where the data set comes from.
        path: The archive.

    Raises:
        UserError: If it is cut off, damaged, or lacks a file.
    """
    try:
        yield
    except KeyError as error:
        raise broken(origin, path, f"something is missing ({error})") from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise broken(origin, path, error) from error


def check_jpeg(origin: Origin, path: Path, jpeg: bytes) -> None:
    """Checks that an image can be decoded.

    Args:
        origin: Where the data set comes from.
        path: The archive and the image in it.
        jpeg: The image.

    Raises:
        UserError: If it is cut off or no JPEG.
    """
    import tensorflow as tf

    try:
        # An eighth of the size is the quickest decoding that reads to the end.
        tf.io.decode_jpeg(jpeg, channels=3, ratio=8)
    except tf.errors.InvalidArgumentError as error:
        raise broken(origin, path, "no JPEG that can be read") from error


def absent(origin: Origin, root: Path) -> UserError:
    """Returns the error for a data set that is not there, which says how to get it.

    Args:
        origin: Where the data set comes from.
        root: The folder of all data sets.
    """
    paths = " and ".join(str(path) for path in missing(origin, root))
    ways = ["add --download"] if origin.fetched else []
    ways += [f"put {paths} there, from {origin.url}", "give another --data_dir"]
    return UserError(f"data set '{origin.name}' is not in {root}: {', or '.join(ways)}")


def check_prepared(origin: Origin, folder: Path) -> None:
    """Checks that a data set that was prepared, by whomever, can be read.

    Args:
        origin: Where the data set comes from.
        folder: The folder of the prepared data set, with `dataset_info.json`.

    Raises:
        UserError: If it lacks a split, or is in files that cannot be read in any order.
    """
    file = folder / "dataset_info.json"
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
        splits = {split["name"] for split in info["splits"]}
        form = str(info.get("fileFormat", "tfrecord"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"data set '{origin.name}': {file} cannot be read ({error!r}); remove {folder}, "
            "and it will be prepared again"
        ) from error
    lacking = {"train", origin.test} - splits
    if lacking:
        raise UserError(
            f"data set '{origin.name}' in {folder} lacks the split '{min(lacking)}'; "
            f"remove the folder and prepare it from {' and '.join(origin.archives)}"
        )
    if origin.encoded and form != "array_record":
        raise UserError(
            f"data set '{origin.name}': expected the format array_record, which can be read in any "
            f"order, got {form} in {folder}; remove the folder, and it will be prepared again"
        )


def check_writable(name: str, root: Path) -> None:
    """Checks that a data set can be put into the folder of all data sets.

    Args:
        name: The data set's name.
        root: The folder of all data sets; it need not exist yet.

    Raises:
        UserError: If nothing can be written there.
    """
    above = next(path for path in (root, *root.parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        problem = "cannot be written" if above.is_dir() else "is not a folder"
        raise UserError(
            f"data_dir: data set '{name}' is to be put into {root}, but {above} {problem}; "
            "give another --data_dir"
        )


def _problem(path: Path) -> str:
    if path.suffix == ".zip":
        return "" if zipfile.is_zipfile(path) else "no whole zip file"
    if path.suffix == ".tar":
        with path.open("rb") as file:
            first = file.read(tarfile.BLOCKSIZE)
            file.seek(-len(first), os.SEEK_END)
            last = file.read()
        nothing = tarfile.NUL * tarfile.BLOCKSIZE
        whole = first != nothing and last == nothing and tarfile.is_tarfile(path)
        return "" if whole else "no whole tar file"
    return ""  # TFDS compares the checksum
