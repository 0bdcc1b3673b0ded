"""Every source of data sets keeps the contract."""

import functools
from functools import partial

import numpy as np
import pytest
from PIL import Image

from darts_tf import datasets
from darts_tf.data import DATASETS
from darts_tf.data.source import DataRequest
from tests import contracts, layouts, texts

# Images that are in memory have no name by which they could be found.
SOURCES = [each for each in contracts.plugs(datasets) if each.values[0].name != "arrays"]


def prepare(name, folder):
    if name != "digits":
        layouts.prepare(name, folder)
    return DataRequest(name, str(folder))


def make_folder(folder):
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
        for number in range(10):
            pixels = random.integers(0, 256, (20, 24, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    return DataRequest(f"image_folder:{folder / 'photos'}", image_size=16)


def make_text(folder):
    return DataRequest(texts.write(folder, seed=0, lines=200))


def prepare_for_the_catalog(folder):
    layouts.prepare("kmnist", folder)
    return DataRequest("tfds:kmnist", str(folder))


PREPARED = {
    **{name: partial(prepare, name) for name in DATASETS},
    "image_folder": make_folder,
    "text_file": make_text,
    "tfds": prepare_for_the_catalog,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return functools.cache(lambda name: PREPARED[name](tmp_path_factory.mktemp(name)))


@pytest.mark.parametrize("plug", SOURCES)
class TestSources(contracts.DataSource):
    pass
