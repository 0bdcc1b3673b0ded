"""Preparing a TFDS data set on the disk, whole or not at all, from archives or a download."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.download.util import DownloadError

import darts_tf.data.sources.digits
import darts_tf.data.sources.tiny_imagenet  # noqa: F401, makes their names known to TFDS
from darts_tf.data.sources.archives import broken, check_jpeg, explained, manual_folder, missing
from darts_tf.data.sources.gzip_headers import restored
from darts_tf.data.sources.origins import MANUAL, Origin
from darts_tf.errors import UserError

_logger = logging.getLogger(__name__)


def prepare(origin: Origin, root: Path, download: bool) -> None:
    """Prepares a data set in a temporary folder, then moves it into place in one step.

    Python's random numbers go on as if nothing had been prepared: a run must not depend on it.

    Args:
        origin: Where the data set comes from.
        root: The folder of all data sets, with the archives in their folder.
        download: Whether archives that are missing there may be downloaded.

    Raises:
        UserError: If an archive is broken or cannot be downloaded, or `root` cannot be written.
    """
    if origin.archives:
        _logger.info(f"{origin.name}: being prepared in {root}, once; a large one takes hours")
    place = None
    state = random.getstate()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{origin.folder}-", dir=root) as temporary:
            builder = tfds.builder(origin.builder, data_dir=temporary)
            place = root / Path(builder.data_dir).relative_to(temporary)
            if origin.encoded:
                _check_images(builder, origin, root)
            _write(builder, origin, root, Path(temporary), download)
            place.parent.mkdir(parents=True, exist_ok=True)
            Path(builder.data_dir).rename(place)
    except OSError as error:
        # Another process may have been first; then its files are as good.
        if place is None or not (place / "dataset_info.json").exists():
            raise UserError(
                f"data_dir: data set '{origin.name}' cannot be put into {root}: {error}; "
                "give another --data_dir"
            ) from error
    finally:
        random.setstate(state)


def _write(builder: Any, origin: Origin, root: Path, temporary: Path, download: bool) -> None:
    folder = manual_folder(origin, root)
    whole = restored(origin, folder, temporary / "archives")
    is_fetched = bool(missing(origin, root))
    config = tfds.download.DownloadConfig(
        extract_dir=temporary / "extracted",
        manual_dir=whole,
        try_download_gcs=False,
    )
    try:
        with _quietly():
            builder.download_and_prepare(
                download_dir=root / MANUAL.parent if origin.archives else temporary / "downloads",
                download_config=config,
                file_format="array_record" if origin.encoded else None,
            )
    except NonMatchingChecksumError as error:
        false = _false_archive(builder, whole)
        where = folder / false if false else Path(origin.url)
        raise broken(origin, where, "its checksum is not that of the published one") from error
    except RuntimeError as error:
        cause = error.__cause__  # what TFDS wraps
        if not isinstance(cause, tf.errors.ResourceExhaustedError):
            raise
        raise OSError(cause.message) from error
    except (DownloadError, OSError) as error:
        if not (download and is_fetched):
            raise
        archives = " and ".join(str(path) for path in missing(origin, root))
        raise UserError(
            f"data set '{origin.name}': cannot be downloaded ({error}); expected a network, or "
            f"{archives}, put there from {origin.url}"
        ) from error


def _false_archive(builder: Any, folder: Path) -> str | None:
    """Returns the name of an archive that is not the published one, None if none there is."""
    for info in builder.url_infos.values():
        path = folder / info.filename
        if path.is_file() and tfds.download.checksums.compute_url_info(path) != info:
            return str(info.filename)
    return None


def _check_images(builder: Any, origin: Origin, root: Path) -> None:
    """Has ImageNet's own builder look at each JPEG, since none may stop a training in its midst."""
    generate = builder._generate_examples

    def checked(archive: Any, validation_labels: Any = None, **rest: Any) -> Iterator[Any]:
        train, valid = (manual_folder(origin, root) / name for name in origin.archives)
        path = train if validation_labels is None else valid
        with explained(origin, path):
            for key, record in generate(archive, validation_labels=validation_labels, **rest):
                jpeg = record["image"].read()
                check_jpeg(origin, path / record["file_name"], jpeg)
                yield key, {**record, "image": io.BytesIO(jpeg)}

    builder._generate_examples = checked


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Shows TFDS's progress on a terminal only, and its warnings of splits without labels never."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        if sys.stderr.isatty():
            yield
        else:
            unseen = io.StringIO()
            with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
                yield
    finally:
        logger.setLevel(before)
