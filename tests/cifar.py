"""CIFAR-10's real builder on a few random images, written in the format of its archive."""

from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow_datasets as tfds

from darts_tf import data

BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


def prepare(folder: Path, random: np.random.Generator, images: int = 6) -> dict[str, np.ndarray]:
    """Prepares the data set in `folder / "data"`, with so many images a batch file.

    Returns:
        Under train and test the records: a label, then all red pixels row by row, all green, all
        blue.
    """
    archive = folder / "archive" / "cifar-10-batches-bin"
    archive.mkdir(parents=True)
    names = "\n".join(data.DATASETS["cifar10"].classes) + "\n"
    (archive / "batches.meta.txt").write_text(names)
    written: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for name in BATCHES:
        records = random.integers(0, 256, (images, 3073), np.uint8)
        records[:, 0] %= 10
        (archive / f"{name}.bin").write_bytes(records.tobytes())
        written["test" if name == "test_batch" else "train"].append(records)
    manager = tfds.download.DownloadManager
    with mock.patch.object(manager, "download_and_extract", return_value=archive.parent):
        tfds.builder("cifar10", data_dir=folder / "data").download_and_prepare()
    return {split: np.concatenate(records) for split, records in written.items()}
