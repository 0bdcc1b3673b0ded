"""The images of a run: read, written down with it, and divided into portions."""

import logging
from collections.abc import Sequence

import numpy as np

from darts_tf.data.account import some
from darts_tf.data.dataset import AnyDataset, Dataset
from darts_tf.data.split import Split
from darts_tf.runs.directory import RunDirectory

_logger = logging.getLogger(__name__)


def read_images(dataset: AnyDataset, run: RunDirectory) -> Dataset:
    """Reads the data set of a run, and records in the run's directory what was read.

    Only some sources give such an account. A run that has a checkpoint keeps the account that it
    has, because the images have not been compared with the checkpoint's yet.

    Args:
        dataset: The data set, looked up.
        run: The directory that receives the account, `images.json`.

    Returns:
        The data set with its images.

    Raises:
        UserError: If the data set cannot be read.
    """
    images = dataset.load()
    kept = run.images.exists() and run.checkpoints.is_dir()
    if images.account is not None and not kept:
        run.write_json(run.images, images.account.to_dict())
    return images


def divide(
    split: Split, classes: Sequence[str], train_portion: float, valid_portion: float, by: str
) -> tuple[Split, Split]:
    """Divides training images into two portions: see `Split.portions`.

    Logs a warning if one of the portions has no image of some classes.

    Args:
        split: The training images.
        classes: The names of the classes.
        train_portion: Share of the first portion.
        valid_portion: Share of the second one; 0 for all others.
        by: `order` takes the first images, `class` a share of each class.

    Returns:
        The first and the second portion.

    Raises:
        UserError: If one of the two would be empty, or both do not fit in.
    """
    parts = split.portions(train_portion, valid_portion, by)
    for name, part in zip(("first", "second"), parts, strict=True):
        labels = part.known_labels()
        if labels is None:
            continue
        absent = np.setdiff1d(np.arange(len(classes)), labels)
        if len(absent):
            _logger.warning(
                f"{len(absent):,} of {len(classes):,} classes have no image in the {name} portion "
                f"of the training images, {len(part):,}: {some([classes[i] for i in absent])}"
            )
    return parts
