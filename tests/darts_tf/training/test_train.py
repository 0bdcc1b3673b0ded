"""Whole trainings on the digits: what they write, that they repeat, and the network they leave.

Seeds and threads hold for a whole process, so each training runs in one of its own; they are few.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import data
from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.errors import UserError
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.model_file import load_model
from darts_tf.networks.network import build_network
from darts_tf.report import write_report
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import read_genotype
from darts_tf.training import train as training
from darts_tf.training.train import train
from tests import events
from tests.every_operation import FEW as GENOTYPE
from tests.processes import PAGES, SHORT_RUN, SPLIT_CPU, finish, hide, pages, start
from tests.stages import of_operations
from tests.whole_runs import WholeRuns

NAMES = ("first", "again", "other", "mixed", "mirrored", "xla")
STAGED = of_operations(
    "sep_conv_3x3", "max_pool_3x3", "dil_conv_3x3", "avg_pool_3x3", "sep_conv_5x5"
)

_TRAIN = (
    PAGES
    + SHORT_RUN
    + """
import darts_tf
for settings, directory, genotype in given:
    genotype = darts_tf.read_genotype(genotype)
    darts_tf.train(darts_tf.TrainingConfig(**settings), genotype, directory)
"""
)

# Hidden is this library alone: Keras is all that the file asks for.
_PREDICT = (
    hide("darts_tf")
    + """
import keras, numpy as np
folder, images = given
model = keras.saving.load_model(folder + "/model.keras")
print(json.dumps(model.predict(np.load(images), verbose=0).tolist()))
"""
)


@dataclass(frozen=True)
class Runs(WholeRuns):
    """The trainings that the tests share.

    `again` repeats `first`, after another training in the same process. `other` has another seed;
    `mixed` also mixes images and smooths labels; `mirrored` does the work of `mixed` on two
    devices. `staged` trains a cell for each stage after the stem of Tiny-ImageNet, and XLA
    compiles the steps of `xla`.
    """

    def settings(self, name):
        usual = {"init_channels": 4, "seed": self.seed, "epochs": 2, "cutout": 2}
        other = {"seed": self.seed + 1, "epochs": 1}
        mixed = other | {"mixup": 1.0, "label_smoothing": 0.1}
        special = {
            "other": other,
            "mixed": mixed,
            "mirrored": mixed | {"strategy": "mirrored", "sync_batch_norm": True},
            # A third of the images, so that XLA compiles a step for one size of batches.
            "xla": {"batch_size": 479, "init_channels": 2, "epochs": 1}
            | {"auxiliary_weight": 0.0, "jit_compile": True},
            "staged": {"layers": 5, "init_channels": 2, "epochs": 1, "auxiliary_weight": 0.0}
            | {"stem": "tiny_imagenet", "strategy": "one_device"},
        }
        return self.shared(name) | usual | special.get(name, {})

    def config(self, name):
        return TrainingConfig(**self.settings(name))

    def result(self, name):
        return self.read(name, "result.json")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = Runs.of(tmp_path_factory.mktemp("trainings"))
    config = made.config("again").resolved(data.DATASETS["digits"])
    made.break_off("train", training_flag_lines(config, GENOTYPE))
    cells = dict.fromkeys(NAMES, GENOTYPE) | {"staged": STAGED}
    jobs = {
        name: (made.settings(name), str(made.folder / name), genotype.to_json())
        for name, genotype in cells.items()
    }
    finish(
        start(_TRAIN, jobs["first"], jobs["mixed"], jobs["xla"]),
        start(
            SPLIT_CPU + _TRAIN, *(jobs[name] for name in ("other", "again", "mirrored", "staged"))
        ),
    )
    return made


def test_the_history_has_a_line_for_each_epoch(runs):
    history = runs.history("first")
    assert [line["epoch"] for line in history] == [0, 1]
    for line in history:
        rate = 0.025 * (1 + math.cos(math.pi * line["epoch"] / 2)) / 2
        assert line["learning_rate"] == pytest.approx(rate, rel=1e-12)
        assert line["drop_path"] == 0.2 * line["epoch"] / 2
        assert 0 < line["train_loss"] < 5
        assert 0 <= line["train_accuracy"] <= 1
        assert set(line["timing"]) == {"seconds", "images_per_second", "waiting"}


@pytest.mark.parametrize("name", ["first", "again", "staged"])
def test_tensorboard_shows_the_history_and_the_errors(runs, name):
    history, result = runs.history(name), runs.result(name)
    shown = events.read(runs.folder / name / "tensorboard")
    events.check_scalars(shown, history)
    for error in ("top1_error_percent", "top5_error_percent"):
        assert shown.values[f"test/{error}"] == {history[-1]["epoch"]: np.float32(result[error])}
    assert list(shown.values["cells"]) == [0]
    assert shown.settings["init_channels"] == runs.config(name).init_channels
    assert shown.ended


def test_the_result_tells_errors_costs_and_facts(runs):
    result = runs.result("first")
    network = build_network(GENOTYPE, (8, 8, 1), 10, layers=3, init_channels=4)
    assert 0 <= result.pop("top5_error_percent") <= result.pop("top1_error_percent") <= 100
    cost = result.pop("cost")
    assert cost["device_days"] > 0
    assert cost["device"]
    assert result == {
        "parameters": parameters(network),
        "multiply_adds": multiply_adds(network),
        "epochs": 2,
        "dataset": "digits",
        "image_size": 8,
        "classes": [str(i) for i in range(10)],
        "genotype": json.loads(GENOTYPE.to_json()),
    }


def test_the_model_gives_the_test_errors_with_keras_alone(runs, tmp_path):
    test = data.load("digits", str(runs.folder / "data")).test
    np.save(tmp_path / "images.npy", test.images)
    [text] = finish(start(_PREDICT, str(runs.folder / "first"), str(tmp_path / "images.npy")))
    scores = np.array(json.loads(text))
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
    of_the_right_one = scores[np.arange(360), test.labels]
    better = (scores > of_the_right_one[:, None]).sum(1)
    result = runs.result("first")
    assert result["top1_error_percent"] == pytest.approx(100 * (better >= 1).mean())
    assert result["top5_error_percent"] == pytest.approx(100 * (better >= 5).mean())
    pairs = runs.read("first", "confusions.json")["pairs"]
    answers = scores.argmax(1)
    assert np.array_equal(np.load(runs.folder / "first" / "answers.npy"), answers)
    assert pairs
    for pair in pairs:
        confused = (test.labels == pair["truth"]) & (answers == pair["answer"])
        assert pair["count"] == confused.sum()
        assert all(confused[picture["index"]] for picture in pair["pictures"])


def test_the_same_settings_give_the_same_files_even_where_a_run_broke_off(runs):
    first, again = (runs.repeatable(name, "result.json") for name in ("first", "again"))
    assert first == again
    for name in ("model.keras", "answers.npy", "confusions.json"):
        first, again = ((runs.folder / run / name).read_bytes() for run in ("first", "again"))
        assert first == again


def test_a_page_is_made_after_each_epoch_and_the_last_one_is_that_of_the_files(runs):
    made = pages(runs.folder / "first")
    assert made == [([0], False), ([0, 1], False), ([0, 1], True)]
    told = (runs.folder / "first" / "report.html").read_bytes()
    assert write_report(runs.folder / "first").read_bytes() == told


def test_another_seed_gives_another_training(runs):
    # In epoch 0 the drop path is 0 and the rate full, however many epochs follow.
    first, other = (runs.history(name)[0] for name in ("first", "other"))
    assert (first["learning_rate"], first["drop_path"]) == (other["learning_rate"], 0)
    assert first["train_loss"] != other["train_loss"]


def test_mixed_images_and_smooth_labels_are_another_training(runs):
    [plain], [mixed] = runs.history("other"), runs.history("mixed")
    assert mixed["train_loss"] != plain["train_loss"]


@pytest.mark.parametrize(
    "settings",
    [{}, {"padding": 0.05}, {"auto_augment": True}, {"mixup": 0.5}, {"label_smoothing": 0.2}],
    ids="".join,
)
def test_each_setting_changes_what_it_says_of_a_batch(settings, seed):
    facts = data.DATASETS["cifar10"]
    random = np.random.default_rng(seed)
    images = tf.constant(random.integers(0, 256, (16, 32, 32, 3), np.uint8))
    labels = tf.constant(random.integers(0, 10, 16), tf.int32)
    key = tf.constant([seed, 5], tf.int32)
    transform, labelled = training.transforms(TrainingConfig(**settings).resolved(facts), facts)
    plain, _ = training.transforms(TrainingConfig().resolved(facts), facts)
    changed = (transform(images, key).numpy() != plain(images, key).numpy()).any()
    assert changed == ("padding" in settings or "auto_augment" in settings)
    assert (labelled is None) == ("mixup" not in settings and "label_smoothing" not in settings)
    if labelled is not None:
        mixed, soft = labelled(plain(images, key), labels, key)
        assert (mixed.numpy() != plain(images, key).numpy()).any() == ("mixup" in settings)
        lowest = 0.02 if "label_smoothing" in settings else 0.0
        assert soft.numpy().min() == pytest.approx(lowest)


def test_padding_bounds_how_far_crops_are_shifted(seed):
    plain = dataclasses.replace(data.DATASETS["fashion_mnist"], mean=(0.0,), deviation=(1.0,))
    images = np.zeros((300, 28, 28, 1), np.uint8)
    images[:, 14, 14] = 255
    for padding, share in ((4, -1), (0, 0), (1, 0.01), (3, 0.1)):
        config = TrainingConfig(padding=share, cutout=0).resolved(plain)
        transform, _ = training.transforms(config, plain)
        shifted = transform(tf.constant(images), tf.constant([seed, 7], tf.int32)).numpy()
        _, rows, _, _ = np.nonzero(shifted)
        assert set(rows - 14) == set(range(-padding, padding + 1))


def test_two_devices_that_share_statistics_do_what_one_does(runs):
    [one], [two] = runs.history("mixed"), runs.history("mirrored")
    assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-3)
    assert two["train_accuracy"] == pytest.approx(one["train_accuracy"], abs=0.01)


def test_a_cell_for_each_stage_is_trained_told_and_exported(runs, tmp_path):
    result = runs.result("staged")
    assert read_genotype(result) == STAGED
    network = build_network(STAGED, (8, 8, 1), 10, 5, 2, stem="tiny_imagenet")
    assert result["parameters"] == parameters(network)
    model = load_model(runs.folder / "staged" / "model.keras")
    folder = export_saved_model(model, tmp_path / "serving")
    images = data.load("digits", str(runs.folder / "data")).test.images.astype(np.float32)
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    served = serve(pixels=tf.constant(images))["scores"].numpy()
    np.testing.assert_allclose(served, model.predict(images, verbose=0), atol=1e-5)


def test_a_finished_training_is_read_and_not_repeated(runs):
    before = runs.files()
    trained = train(runs.config("first"), GENOTYPE, runs.folder / "first")
    assert trained.result == runs.result("first")
    assert trained.model.input_shape == (None, 8, 8, 1)
    assert before == runs.files()


def test_another_training_in_the_same_directory_is_refused(runs):
    with pytest.raises(UserError, match="other flags: --genotype"):
        train(runs.config("first"), zoo.get("DARTS_V2"), runs.folder / "first")
    with pytest.raises(UserError, match="other flags: --seed"):
        train(runs.config("other"), GENOTYPE, runs.folder / "first")


def test_a_training_needs_a_data_set_that_is_there(tmp_path):
    config = TrainingConfig(dataset="cifar10", data_dir=str(tmp_path))
    with pytest.raises(UserError, match="cifar10"):
        train(config, GENOTYPE, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_xla_trains_a_network_with_max_pools(runs):
    assert "max_pool_3x3" in dict(GENOTYPE.reduce)
    assert runs.result("xla")["epochs"] == 1
