"""Searches for a recurrent cell on a text: whole ones, killed ones, and those that cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest

import darts_tf
from darts_tf import methods, report, spaces
from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.ptb import Recurrent
from tests import contracts, texts
from trainers import presets

# Traced in less time than a cell of eight nodes.
SMALL = Recurrent(nodes=3, name="small_recurrent")


def test_a_killed_search_resumes_to_the_bit(seed, tmp_path):
    config = SearchConfig(
        dataset=texts.write(tmp_path, seed),
        seed=seed,
        stop_criterion="none",
        checkpoint_every="1step",
        **texts.TINY,
    )
    runs = [RunDirectory(tmp_path / name, "search") for name in ("alone", "killed")]
    with contracts.known(spaces, SMALL), contracts.repeatable():
        with contracts.copied_when_killed(runs[0], runs[1].path, epochs=1):
            found = darts_tf.search(config, runs[0].path, space=SMALL, verbose=0)
        darts_tf.search(config, runs[1].path, space=SMALL, verbose=0)
        contracts.check_alike(*runs)
        SMALL.check(found.genotype)
        assert read_genotype(runs[0].read_outcome()) == found.genotype
        page = report.write_report(runs[0].path).read_text(encoding="utf-8")
    assert "Validation perplexity" in page
    for record in found.records:
        assert record.measures["train_perplexity"] == math.exp(record.train_loss)
        assert record.measures["valid_perplexity"] == math.exp(record.valid_loss)
        assert set(record.skip_connects) == {"recurrent"}
    first, last = (record.alphas["recurrent"] for record in found.records)
    assert np.shape(first) == (6, 5)
    assert not np.array_equal(first, last)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": "darts"}, "expected images for the space 'darts', got text"),
        ({"batch_size": 1000}, "batch_size: expected rows of more than text_bptt=10 words"),
        ({"method": "pc_darts", "init_channels": 8}, "partial channels"),
        ({"method": "darts_minus"}, "auxiliary skip-connects"),
        ({"method": "snas"}, "expected one of the family cells with the method snas"),
        ({"method": "oles"}, "expected one of the family cells with the method oles"),
    ],
)
def test_what_cannot_be_searched_is_refused(settings, message, seed, tmp_path):
    given = {**texts.TINY, "space": "ptb", **settings}
    config = SearchConfig(dataset=texts.write(tmp_path, seed), **given)
    with pytest.raises(UserError, match=message) as error:
        darts_tf.search(config, tmp_path / "run", verbose=0)
    assert len(str(error.value).splitlines()) == 1


def test_a_recurrent_cell_is_not_searched_on_images(tmp_path):
    images = np.zeros((20, 8, 8, 1), np.uint8), np.arange(20) % 2
    with pytest.raises(UserError, match="expected text for the space 'ptb', got images"):
        darts_tf.search(SearchConfig(space="ptb"), tmp_path / "run", data=images, verbose=0)
    assert not (tmp_path / "run").exists()


def test_the_preset_has_the_authors_settings():
    config, _ = parse(["--flagfile=ptb.flags"], SearchConfig, "", presets=presets.folder("search"))
    assert (config.space, config.epochs, config.batch_size) == ("ptb", 50, 256)
    assert (config.init_channels, config.text_bptt) == (300, 35)
    assert (config.learning_rate, config.learning_rate_min, config.momentum) == (20, 20, 0)
    assert (config.weight_decay, config.grad_clip) == (5e-7, 0.25)
    optimizer = methods.get("darts").architecture_optimizer(config, None)
    assert float(optimizer.learning_rate.numpy()) == np.float32(3e-3)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.l2) == (0.9, 0.999, 1e-3)
    rates = {"word": 0, "embedding": 0.2, "input": 0.75, "hidden": 0.25, "output": 0.75}
    assert config.text_dropout() == rates
