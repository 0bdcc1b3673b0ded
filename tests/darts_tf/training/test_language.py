"""Trainings of language models: whole ones, killed ones, and their perplexity."""

from __future__ import annotations

import json
from itertools import pairwise

import keras
import numpy as np
import pytest

import darts_tf
from darts_tf import zoo
from darts_tf.config import TrainingConfig
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from tests import contracts, texts

CELL = "DARTS_PTB_V2"


def config_of(folder, seed, **settings):
    return TrainingConfig(
        dataset=texts.write(folder, seed),
        seed=seed,
        **{**texts.TINY, "text_nonmono": 1, "text_slowness": 0.01, **settings},
    )


def test_a_killed_training_resumes_to_the_bit_and_its_model_has_its_perplexity(seed, tmp_path):
    rates = {"learning_rate": 1.0, "learning_rate_min": 1.0}
    config = config_of(tmp_path, seed, epochs=3, checkpoint_every="1step", **rates)
    runs = [RunDirectory(tmp_path / name, "train") for name in ("alone", "killed")]
    with contracts.repeatable():
        with contracts.copied_when_killed(runs[0], runs[1].path, epochs=1):
            trained = darts_tf.train(config, zoo.get(CELL), runs[0].path, verbose=0)
        darts_tf.train(config, zoo.get(CELL), runs[1].path, verbose=0)
    contracts.check_alike(*runs)
    assert runs[0].model.read_bytes() == runs[1].model.read_bytes()

    text = darts_tf.datasets.load(config.dataset)
    guessing = np.log(len(text.facts.classes))
    assert runs[0].read_history()[-1]["valid_loss"] < guessing
    assert json.loads(runs[0].vocabulary.read_text())["words"] == list(text.facts.classes)
    model = keras.saving.load_model(runs[0].model)
    parts = {"valid": text.train.valid, "test": text.test}
    for name, part in parts.items():
        assert trained.result[f"{name}_perplexity"] == pytest.approx(
            perplexity(model, part.words, config.init_channels), rel=1e-4
        )
    page = darts_tf.report.write_report(runs[0].path).read_text(encoding="utf-8")
    assert "Test perplexity" in page
    again = darts_tf.train(config, zoo.get(CELL), runs[0].path, verbose=0)
    assert again.result == contracts.plain(trained.result)


def perplexity(model, words, size):
    """Word by word, by the model alone."""
    state, total = np.zeros((1, size), np.float32), 0.0
    for word, following in pairwise(words):
        scores, state = map(np.asarray, model([np.array([word]), state]))
        total -= np.log(float(scores[0, following]))
    return np.exp(total / (len(words) - 1))


def test_without_the_test_text_only_the_other_is_measured(seed, tmp_path):
    config = config_of(tmp_path, seed, epochs=1, held_out=0.1, text_nonmono=0, text_slowness=0.0)
    result = darts_tf.train(config, zoo.get(CELL), tmp_path / "run", verbose=0).result
    assert "valid_perplexity" in result
    assert "test_perplexity" not in result


@pytest.mark.parametrize(
    ("settings", "cell", "message"),
    [
        ({}, "DARTS_V2", "expected images for the space 'darts', got text"),
        ({"initial_model": "model.keras"}, CELL, "initial_model: expected none for a text"),
        ({"batch_size": 1000}, CELL, "batch_size: expected rows of more than text_bptt=10"),
    ],
)
def test_what_cannot_be_trained_is_refused(settings, cell, message, seed, tmp_path):
    config = config_of(tmp_path, seed, **settings)
    with pytest.raises(UserError, match=message) as error:
        darts_tf.train(config, zoo.get(cell), tmp_path / "run", verbose=0)
    assert len(str(error.value).splitlines()) == 1


def test_a_recurrent_cell_is_not_trained_on_images(tmp_path):
    images = np.zeros((20, 8, 8, 1), np.uint8), np.arange(20) % 2
    with pytest.raises(UserError, match="expected text for the space 'ptb', got images"):
        darts_tf.train(TrainingConfig(), zoo.get(CELL), tmp_path / "run", data=images, verbose=0)
