"""A study on a text: its networks are compared by their perplexity."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from darts_tf import data, spaces
from darts_tf.report import study as study_page
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.ptb import Recurrent
from darts_tf.study.config import StudyConfig
from darts_tf.study.pace import estimate
from darts_tf.study.rules import rules
from darts_tf.study.running import divided, run_study
from tests import contracts, texts

# Learning rates at which no seed diverges.
SLOW = {"learning_rate": 0.5, "learning_rate_min": 0.5}
# Traced in less time than a cell of eight nodes.
SMALL = Recurrent(nodes=2, name="small_recurrent")


def study(folder, seed, **settings):
    sizes = {"epochs": 1, "batch_size": 4, "init_channels": 6, "learning_rate": 0.5}
    network = {f"network_{name}": value for name, value in sizes.items()}
    return StudyConfig(
        dataset=texts.write(folder, seed),
        space="ptb",
        seed=seed % 1000,
        searches=1,
        trainings=1,
        stops="end,epoch:0",
        **{**texts.TINY, **SLOW, **network, **settings},
    )


def test_the_tables_and_the_page_of_a_study_tell_perplexities(tmp_path, seed):
    config = study(tmp_path, seed)
    with contracts.known(spaces, SMALL), contracts.repeatable():
        found = run_study(config, tmp_path / "run", space=SMALL, verbose=0)
        page = study_page.page(RunDirectory.open(tmp_path / "run"))
    trained = {
        path.parent.parent.name: RunDirectory(path.parent, "train").read_outcome()
        for path in (tmp_path / "run" / "networks").rglob("result.json")
    }
    with (tmp_path / "run" / "cells.csv").open() as file:
        cells = list(csv.DictReader(file))
    for row, cell in zip(found["rows"], cells, strict=True):
        result = trained[cell["training"].split("/")[1]]
        assert row["perplexity"]["mean"] == float(cell["perplexity"]) == result["test_perplexity"]
    by_rule = {row["rule"]: row for row in found["rows"]}
    difference = by_rule["epoch:0"]["perplexity"]["mean"] - by_rule["end"]["perplexity"]["mean"]
    if by_rule["epoch:0"]["to_end"] is not None:
        assert by_rule["epoch:0"]["to_end"]["mean"] == pytest.approx(difference)
    with (tmp_path / "run" / "epochs.csv").open() as file:
        for line in csv.DictReader(file):
            assert float(line["valid_perplexity"]) == pytest.approx(
                np.exp(float(line["valid_loss"]))
            )
    sections = dict(page.sections)
    assert ">Test perplexity<" in sections["Table"]
    assert "Test perplexity by epoch" in sections
    assert page.data["charts"]["learning"][0]["title"] == "Validation perplexity"
    told = page.html().partition("Settings")[0]
    assert "ccurac" not in told.partition("<body")[2]


def test_the_best_epoch_is_that_of_the_least_perplexity(seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(50, 500, 9)
    records = [
        EpochRecord(
            number, {}, {"recurrent": 0}, {}, valid_accuracy=0.1, measures={"valid_perplexity": one}
        )
        for number, one in enumerate(values.tolist())
    ]
    [best] = rules("best", len(records))
    assert best.choose(records, None, None).record.epoch == np.argmin(values)


def test_a_part_of_the_words_is_for_the_searches_and_the_rest_for_the_trainings(tmp_path, seed):
    config = study(tmp_path, seed, search_images=300, train_images=200)
    whole = data.load(config.dataset)
    parts = divided(whole, config)
    np.testing.assert_array_equal(parts[0].train.words, whole.train.words[:300])
    np.testing.assert_array_equal(parts[1].train.words, whole.train.words[300:500])
    for part in parts:
        assert part.facts.train_images == len(part.train)
        assert part.train.portions(0.5)[1] is whole.train.valid
    alone = divided(whole, replace(config, train_images=0))[1]
    assert len(alone.train) == len(whole.train) - 300


def test_its_hours_are_estimated_on_random_words(tmp_path, seed):
    config = study(tmp_path, seed, epochs=50)
    facts = data.load(config.dataset).facts
    with contracts.known(spaces, SMALL), contracts.repeatable():
        found = estimate(config, SMALL, facts)
    assert (found.searches, found.trainings) == (1, 3)
    assert min(found.search_hours, found.training_hours) > 0
