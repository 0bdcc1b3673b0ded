"""Archives and prepared data sets on the disk: what is missing, what is broken, and how to tell."""

from __future__ import annotations

import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darts_tf.data.origins import MANUAL, ORIGINS
from darts_tf.errors import UserError


def missing(name: str, root: Path) -> list[Path]:
    """Returns the archives of a data set that are not in place.

    Args:
        name: A key of `ORIGINS`.
        root: The folder of all data sets.
    """
    paths = (root / MANUAL / archive for archive in ORIGINS[name].archives)
    return [path for path in paths if not path.is_file()]


def check_whole(name: str, root: Path) -> None:
    """Looks at the ends of archives that lie in place, which tells at once that one is cut off.

    Args:
        name: A key of `ORIGINS`, all of whose archives are there.
        root: The folder of all data sets.

    Raises:
        UserError: If one cannot be read or is not what its name says.
    """
    for archive in ORIGINS[name].archives:
        path = root / MANUAL / archive
        try:
            problem = _problem(path)
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            raise broken(name, path, problem)


def broken(name: str, path: Path, problem: object) -> UserError:
    """Returns the error for an archive that cannot be used.

    Args:
        name: A key of `ORIGINS`.
        path: The archive, or a file in it.
        problem: What is wrong with it.
    """
    return UserError(
        f"data set '{name}': {path}: {problem}; the whole archive is right, "
        f"from {ORIGINS[name].url}"
    )


@contextmanager
def explained(name: str, path: Path) -> Iterator[None]:
    """Turns what reading an archive raises into the error that names it.

    Args:
        name: A key of `ORIGINS`.
        path: The archive.

    Raises:
        UserError: If it is cut off, damaged, or lacks a file.
    """
    try:
        yield
    except KeyError as error:
        raise broken(name, path, f"something is missing ({error})") from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise broken(name, path, error) from error


def check_jpeg(name: str, path: Path, jpeg: bytes) -> None:
    """Checks that an image can be decoded.

    Args:
        name: A key of `ORIGINS`.
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
        raise broken(name, path, "no JPEG that can be read") from error


def absent(name: str, root: Path) -> UserError:
    """Returns the error for a data set that is not there, which says how to get it.

    Args:
        name: A key of `ORIGINS`.
        root: The folder of all data sets.
    """
    origin = ORIGINS[name]
    paths = " and ".join(str(path) for path in missing(name, root))
    ways = ["add --download"] if origin.fetched else []
    ways += [f"put {paths} there, from {origin.url}", "give another --data_dir"]
    return UserError(f"data set '{name}' is not in {root}: {', or '.join(ways)}")


def check_prepared(name: str, folder: Path) -> None:
    """Checks that a data set that was prepared, by whomever, can be read.

    Args:
        name: A key of `ORIGINS`.
        folder: The data set's own, with `dataset_info.json`.

    Raises:
        UserError: If it lacks a split, or is in files that cannot be read in any order.
    """
    origin = ORIGINS[name]
    file = folder / "dataset_info.json"
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
        splits = {split["name"] for split in info["splits"]}
        form = str(info.get("fileFormat", "tfrecord"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"data set '{name}': {file} cannot be read ({error!r}); remove {folder}, "
            "and it will be prepared again"
        ) from error
    lacking = {"train", origin.test} - splits
    if lacking:
        raise UserError(
            f"data set '{name}' in {folder} has no split '{min(lacking)}'; remove the folder and "
            f"prepare it from {' and '.join(origin.archives)}"
        )
    if origin.encoded and form != "array_record":
        raise UserError(
            f"data set '{name}' in {folder} is in the format {form}; array_record, which can be "
            "read in any order, is right: remove the folder, and it will be prepared again"
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
