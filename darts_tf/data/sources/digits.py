"""The embedded data set: scikit-learn's handwritten digits as a TFDS builder."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

_CITATION = """\
@misc{alpaydin1998optical,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title = {Optical Recognition of Handwritten Digits},
  publisher = {UCI Machine Learning Repository},
  year = {1998},
  doi = {10.24432/C50P49}
}
"""


class Digits(tfds.core.GeneratorBasedBuilder):
    """1,797 real handwritten digits, 8x8 pixels, grey, from `sklearn.datasets.load_digits`.

    They come with scikit-learn, so nothing is downloaded. The strengths 0 to 16 are scaled to
    pixels from 0 to 255. The split is fixed: image i of scikit-learn's order is a test image when
    i is a multiple of 5 (360 images), else a training image (1,437).
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012, the name and form are TFDS's

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        del dl_manager
        return {"train": self._generate_examples(False), "test": self._generate_examples(True)}

    def _generate_examples(self, test: bool) -> Iterator[tuple[int, dict[str, Any]]]:
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
        for number, (image, label) in enumerate(zip(images, digits.target, strict=True)):
            if (number % 5 == 0) == test:
                yield number, {"image": image, "label": int(label)}
