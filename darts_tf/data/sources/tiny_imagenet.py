"""Tiny-ImageNet-200 as a TFDS builder, which reads the distributed zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from darts_tf.data.sources.archives import broken, check_jpeg, explained
from darts_tf.data.sources.origins import MANUAL, ORIGINS

_ORIGIN = ORIGINS["tiny_imagenet"]
_TOP = "tiny-imagenet-200"
_CLASSES = 200
_CITATION = """\
@misc{le2015tiny,
  author = {Le, Ya and Yang, Xuan},
  title = {Tiny ImageNet Visual Recognition Challenge},
  howpublished = {CS 231N, Stanford University},
  year = {2015}
}
"""

Examples = Iterator[tuple[str, dict[str, Any]]]


class TinyImagenet(tfds.core.GeneratorBasedBuilder):
    """64x64 color photographs of 200 classes of ImageNet, 500 a class to train and 50 to validate.

    `manual_dir` must hold `tiny-imagenet-200.zip`. Its own test images have no labels and are left
    out. A class is named by its WordNet number and, where `words.txt` has it, its first word.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012, the name and form are TFDS's
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Put {_ORIGIN.archives[0]} from {_ORIGIN.url} into DATA_DIR/{MANUAL}."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(64, 64, 3), encoding_format="jpeg"),
                    "label": tfds.features.ClassLabel(num_classes=_CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="http://cs231n.stanford.edu/",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Examples]:
        path = Path(dl_manager.manual_dir) / _ORIGIN.archives[0]
        with explained(_ORIGIN, path), zipfile.ZipFile(path) as archive:
            wnids = _lines(archive, "wnids.txt")
            if len(set(wnids)) != _CLASSES:
                raise broken(_ORIGIN, path, f"wnids.txt has {len(wnids)} lines, not {_CLASSES}")
            words = dict(line.split("\t", 1) for line in _lines(archive, "words.txt"))
            annotations = [line.split("\t") for line in _lines(archive, "val/val_annotations.txt")]
            names = archive.namelist()
        first_words = (words.get(wnid, "").partition(",")[0] for wnid in wnids)
        self.info.features["label"].names = [
            f"{wnid} {word}".strip() for wnid, word in zip(wnids, first_words, strict=True)
        ]
        train = []
        for label, wnid in enumerate(wnids):
            folder = f"{_TOP}/train/{wnid}/images/"
            images = [name for name in names if name.startswith(folder) and name != folder]
            if not images:
                raise broken(_ORIGIN, path, f"{folder} holds no image")
            train += [(name, label) for name in images]
        labels = {wnid: label for label, wnid in enumerate(wnids)}
        unknown = [name for name, wnid, *_ in annotations if wnid not in labels]
        if unknown:
            raise broken(_ORIGIN, path, f"val_annotations.txt gives {unknown[0]} an unknown class")
        valid = [(f"{_TOP}/val/images/{name}", labels[wnid]) for name, wnid, *_ in annotations]
        return {
            "train": self._generate_examples(path, train),
            "validation": self._generate_examples(path, valid),
        }

    def _generate_examples(self, path: Path, images: list[tuple[str, int]]) -> Examples:
        with explained(_ORIGIN, path), zipfile.ZipFile(path) as archive:
            for name, label in images:
                jpeg = archive.read(name)
                check_jpeg(_ORIGIN, path / name, jpeg)
                yield name, {"image": io.BytesIO(jpeg), "label": label}


def _lines(archive: zipfile.ZipFile, name: str) -> list[str]:
    return archive.read(f"{_TOP}/{name}").decode().splitlines()
