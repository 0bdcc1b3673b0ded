"""RandWire from end to end: a random search on the digits, its page, its network, an export."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import darts_tf
from darts_tf import report, spaces
from darts_tf.config import TrainingConfig
from darts_tf.errors import UserError
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.rand_wire import RandWire
from darts_tf.tuning.config import RandomSearchConfig
from tests.contracts import copied_when_killed, repeatable

FEW = RandWire("few", generator={"name": "er", "probability": 0.5}, nodes=5)
SETTINGS = {
    "dataset": "digits",
    "layers": 3,
    "init_channels": 4,
    "epochs": 1,
    "batch_size": 300,
    "auxiliary_weight": 0.0,
    "drop_path": 0.1,
    "cutout": 0,
    "warmup_epochs": 0,
}


@pytest.fixture(autouse=True)
def _few():
    spaces.register(FEW)


def test_a_random_search_on_the_digits_is_drawn_and_its_best_network_is_exported(folder, seed):
    config = RandomSearchConfig(
        **SETTINGS, data_dir=str(folder / "data"), space="few", samples=2, seed=seed
    )
    found = darts_tf.random_search(config, folder / "search", verbose=0)
    genotypes = {one["seed"]: darts_tf.read_genotype(one) for one in found["tried"]}
    assert genotypes == {one: FEW.sample(np.random.default_rng(one)) for one in (seed, seed + 1)}
    page = report.write_report(folder / "search").read_text()
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    [cells] = data["genotypes"]
    best = darts_tf.read_genotype(found)
    assert {name: tuple(cell["output"]) for name, cell in cells.items()} == {
        cell: best.output(cell) for cell in best.cells
    }
    assert data["looks"]["wire"]["family"] == "wire"

    trained = RunDirectory(folder / "search" / f"seed_{found['seed']}", "train")
    result = trained.read_json(trained.result)
    model = keras.saving.load_model(trained.model)
    assert darts_tf.read_genotype(result) == best
    # The curve of held-out images ends where the network for inference is; one image may be a tie.
    [line] = trained.read_history()
    accuracy = 1 - result["valid_top1_error_percent"] / 100
    assert line["valid_accuracy"] == pytest.approx(accuracy, abs=0.002)
    assert np.isfinite(line["valid_loss"])
    assert sum(map(np.size, model.trainable_weights)) == result["parameters"]
    pixels = np.random.default_rng(seed).uniform(0, 255, (3, 8, 8, 1)).astype("float32")
    served = tf.saved_model.load(str(export_saved_model(model, folder / "served")))
    scores = served.signatures["serving_default"](pixels=tf.constant(pixels))["scores"]
    np.testing.assert_allclose(scores, model(pixels), rtol=0, atol=1e-5)


def test_a_killed_training_resumes_to_the_bit(folder, seed):
    config = TrainingConfig(
        **SETTINGS | {"epochs": 2},
        data_dir=str(folder / "data"),
        seed=seed,
        checkpoint_every="1step",
    )
    genotype = FEW.sample(np.random.default_rng(seed))
    runs = [RunDirectory(folder / name, "train") for name in ("alone", "killed")]
    with repeatable():
        with copied_when_killed(runs[0], runs[1].path, epochs=1):
            darts_tf.train(config, genotype, runs[0].path, verbose=0)
        darts_tf.train(config, genotype, runs[1].path, verbose=0)
    lines = [[{**line, "timing": None} for line in run.read_history()] for run in runs]
    assert lines[0] == lines[1]
    answers = [np.load(run.answers) for run in runs]
    np.testing.assert_array_equal(*answers)


def test_it_takes_as_many_layers_as_graphs(folder):
    with pytest.raises(UserError, match=r"^layers: expected at most 3, got 20$"):
        RandomSearchConfig(dataset="digits", space="few")
    with pytest.raises(UserError, match=r"^--layers: expected at most 3, got 20$"):
        darts_tf.train(
            TrainingConfig(dataset="digits", data_dir=str(folder / "data")),
            FEW.sample(np.random.default_rng(0)),
            folder / "refused",
        )
