"""Whole runs on a user's own folder and on JPEGs that stay on the disk.

Seeds and threads hold for a whole process, so they run in processes of their own.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import spaces
from darts_tf.data import load
from darts_tf.data.batches import evaluation_batches
from darts_tf.networks.model_file import load_model
from darts_tf.runs.history import EpochRecord
from tests import layouts
from tests.processes import SHORT_RUN, finish, start
from tests.small_space import SMALL, registration

_RUN = (
    SHORT_RUN
    + registration()
    + """
import darts_tf
from tests.every_operation import FEW
for kind, settings, directory in given:
    if kind == "search":
        darts_tf.search(darts_tf.SearchConfig(**settings), directory)
    else:
        darts_tf.train(darts_tf.TrainingConfig(**settings), FEW, directory)
"""
)
_SMALL = {"epochs": 1, "layers": 3, "init_channels": 2, "batch_size": 6, "threads": 1}


def grey_folder(path: Path, random: np.random.Generator) -> Path:
    for name in ("left", "right", "up"):
        (path / name).mkdir(parents=True)
        for number in range(7):
            pixels = random.integers(0, 256, (*random.integers(9, 20, 2), 1), np.uint8)
            (path / name / f"{number}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A search of a folder, and two trainings on ImageNet with the same settings."""
    folder = tmp_path_factory.mktemp("runs")
    photos = grey_folder(folder / "photos", np.random.default_rng(0))
    layouts.prepare("imagenet", folder / "data")
    searched = {**_SMALL, "dataset": f"image_folder:{photos}", "image_size": 8}
    searched["space"] = SMALL.name
    spaces.register(SMALL)
    trained = {
        **_SMALL,
        "dataset": "imagenet",
        "data_dir": str(folder / "data"),
        "image_size": 32,
        "stem": "imagenet",
        "auxiliary_weight": 0.0,
        "epochs": 2,
    }
    finish(
        start(
            _RUN,
            ("search", searched, str(folder / "search")),
            ("train", trained, str(folder / "first")),
        ),
        start(_RUN, ("train", trained, str(folder / "again"))),
    )
    return folder


def test_a_folder_of_grey_images_is_searched(runs):
    [line] = (runs / "search" / "history.jsonl").read_text().splitlines()
    record = EpochRecord.from_dict(json.loads(line))
    assert 0.5 < record.train_loss < 4
    assert 0 <= record.valid_accuracy <= 1
    assert (runs / "search" / "genotype.json").exists()


def test_a_training_on_jpegs_repeats_to_the_bit(runs):
    histories, results, models = [], [], []
    for name in ("first", "again"):
        lines = (runs / name / "history.jsonl").read_text().splitlines()
        histories.append([{**json.loads(line), "timing": None} for line in lines])
        results.append({**json.loads((runs / name / "result.json").read_text()), "cost": None})
        models.append((runs / name / "model.keras").read_bytes())
    assert len(histories[0]) == 2
    for first, again in (histories, results, models):
        assert first == again


def test_the_result_of_a_training_on_jpegs_tells_errors_and_names(runs):
    result = json.loads((runs / "first" / "result.json").read_text())
    test = load("imagenet", str(runs / "data"), image_size=32).test
    model = load_model(runs / "first" / "model.keras")
    batches = evaluation_batches(test, 10, transform=lambda pixels, seed: pixels)
    [(pixels, labels, _)] = batches.as_numpy_iterator()
    scores = model.predict(pixels, verbose=0)
    better = (scores > scores[np.arange(10), labels][:, None]).sum(1)
    assert result["top1_error_percent"] == pytest.approx(100 * (better >= 1).mean())
    assert result["top5_error_percent"] == pytest.approx(100 * (better >= 5).mean())
    assert result["classes"] == layouts.imagenet_wnids()
    assert (result["dataset"], result["image_size"]) == ("imagenet", 32)
