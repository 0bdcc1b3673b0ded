"""docs/search_loop.md: its loop is run on a few of the digits, with one node a cell."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import darts_tf
from darts_tf.spaces.darts import DARTS

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "search_loop.md").read_text(encoding="utf-8")
CODE, CALLBACK = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_shows_a_search_loop_in_25_lines():
    imports, _, loop = CODE.partition("import darts_tf\n")
    assert imports.count("import") == 2
    assert len([line for line in loop.splitlines() if line.strip()]) <= 25


def test_the_loop_searches_until_the_ranking_has_held(capsys):
    digits = load_digits()
    images = digits.images[:300, :, :, np.newaxis].astype(np.uint8)
    small = CODE.replace("size, epochs = len(labels) // 2, 64, 20", "size, epochs = 150, 50, 8")
    small = small.replace("Supernet(layers=3, init_channels=8", "Supernet(space, 3, 2")
    small = small.replace("ranks=1", "space, ranks=1")
    assert [small.count(part) for part in ("50, 8", "Supernet(space", "space, ranks=1")] == [1] * 3
    names = {
        "load": lambda: ((images, digits.target[:300]), None),
        "space": replace(DARTS, nodes=1),
    }
    exec(small, names)
    stop = names["stop"]
    assert isinstance(stop.genotype, darts_tf.Genotype)
    assert len(stop.records) == names["epoch"] + 1
    assert stop.reason is not None or len(stop.records) == 8
    assert str(stop.reason) in capsys.readouterr().out


@pytest.mark.parametrize(("accuracy", "ends"), [(0.89, False), (0.91, True)])
def test_the_callback_ends_a_search_by_its_logs(accuracy, ends):
    model = SimpleNamespace(stop_training=False)

    def search(config, run_directory, *, callbacks, verbose):
        [callback] = callbacks
        callback.set_model(model)
        callback.on_epoch_end(0, {"val_accuracy": accuracy})

    exec(CALLBACK, {"keras": keras, "config": None, "darts_tf": SimpleNamespace(search=search)})
    assert model.stop_training == ends
