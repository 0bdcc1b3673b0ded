"""Writing a TFDS data set to the disk, whole or not at all, out of what is in place already."""

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

import darts_tf.data.digits
import darts_tf.data.tiny_imagenet  # noqa: F401, makes their names known to TFDS
from darts_tf.data.archives import broken, check_jpeg, explained, missing
from darts_tf.data.origins import MANUAL, ORIGINS
from darts_tf.errors import UserError

_logger = logging.getLogger(__name__)


def prepare(name: str, root: Path, download: bool) -> None:
    """Prepares a data set in a folder of this process's own, then moves it into place in one step.

    Python's random numbers go on as if nothing had been prepared: a run must not depend on it.

    Args:
        name: A key of `ORIGINS`.
        root: The folder of all data sets, which holds the archives in `MANUAL`.
        download: Whether archives that are missing there may be downloaded.

    Raises:
        UserError: If an archive is broken or cannot be downloaded, or `root` cannot be written.
    """
    origin = ORIGINS[name]
    if origin.archives:
        _logger.info(f"{name}: being prepared in {root}, once; a large one takes hours")
    place = None
    state = random.getstate()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=root) as own:
            builder = tfds.builder(origin.builder, data_dir=own)
            place = root / builder.name / str(builder.version)
            if name == "imagenet":
                _check_images(builder, root)
            _write(name, builder, root, Path(own), download)
            place.parent.mkdir(exist_ok=True)
            Path(builder.data_dir).rename(place)
    except OSError as error:
        # Another process may have been first; then its files are as good.
        if place is None or not (place / "dataset_info.json").exists():
            raise UserError(
                f"data_dir: data set '{name}' cannot be put into {root}: {error}; "
                "give another --data_dir"
            ) from error
    finally:
        random.setstate(state)


def _write(name: str, builder: Any, root: Path, own: Path, download: bool) -> None:
    origin = ORIGINS[name]
    from_net = bool(missing(name, root))
    config = tfds.download.DownloadConfig(
        extract_dir=own / "extracted",
        manual_dir=root / MANUAL,
        try_download_gcs=False,
    )
    archives = [root / MANUAL / archive for archive in origin.archives]
    try:
        with _quietly():
            builder.download_and_prepare(
                download_dir=root / MANUAL.parent if origin.archives else own / "downloads",
                download_config=config,
                file_format="array_record" if origin.encoded else None,
            )
    except NonMatchingChecksumError as error:
        where = Path(origin.url) if from_net else archives[0]
        raise broken(name, where, "its checksum is not that of the published one") from error
    except RuntimeError as error:
        cause = error.__cause__  # what TFDS wraps
        if not isinstance(cause, tf.errors.ResourceExhaustedError):
            raise
        raise OSError(cause.message) from error
    except (DownloadError, OSError) as error:
        if not (download and from_net):
            raise
        raise UserError(
            f"data set '{name}': cannot be downloaded ({error}); a machine with a network, or "
            f"{archives[0]}, put there from {origin.url}, is right"
        ) from error


def _check_images(builder: Any, root: Path) -> None:
    """Has ImageNet's own builder look at each JPEG, since none may stop a training in its midst."""
    generate = builder._generate_examples

    def checked(archive: Any, validation_labels: Any = None, **rest: Any) -> Iterator[Any]:
        train, valid = (root / MANUAL / name for name in ORIGINS["imagenet"].archives)
        path = train if validation_labels is None else valid
        with explained("imagenet", path):
            for key, record in generate(archive, validation_labels=validation_labels, **rest):
                jpeg = record["image"].read()
                check_jpeg("imagenet", path / record["file_name"], jpeg)
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
