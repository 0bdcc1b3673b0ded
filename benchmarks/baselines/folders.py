"""A data set as a folder of PNG files, one folder a class, as a user's own images are."""

from collections.abc import Sequence
from pathlib import Path

import keras

from darts_tf.data.datasets import load
from darts_tf.data.split import Split


def write_folder(name: str, data_dir: str, images: int, folder: Path) -> None:
    """Writes `train/CLASS/NUMBER.png` and `test/CLASS/NUMBER.png`, unless they are there.

    Args:
        name: Name of a data set that is read into memory.
        data_dir: The folder that holds it.
        images: How many of its training images, the first ones; 0 for all.
        folder: The folder to write.

    Raises:
        UserError: If there is no such data set.
    """
    done = folder.with_suffix(".done")
    if done.exists():
        return
    dataset = load(name, data_dir)
    training = dataset.train.take(slice(0, images or None))
    for part, split in {"train": training, "test": dataset.test}.items():
        _write(split, dataset.facts.classes, folder / part)
    done.touch()


def _write(split: Split, classes: Sequence[str], folder: Path) -> None:
    names = [name.replace("/", " or ") for name in classes]
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    labels, images = split.content()
    for number, (label, image) in enumerate(zip(labels, images, strict=True)):
        keras.utils.save_img(folder / names[label] / f"{number:05}.png", image, scale=False)
