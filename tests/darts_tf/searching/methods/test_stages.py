"""A search in stages: a new supernet on fewer candidates, from the records of the one before."""

import json

import numpy as np
import pytest

from tests.processes import SHORT_RUN, finish, start

_RUN = (
    SHORT_RUN
    + """
import os, signal
from dataclasses import dataclass, replace
from typing import ClassVar
import keras
import numpy as np
import darts_tf
from darts_tf import methods

def tell(*words):
    with open(given[0] + ".told", "a") as file:
        print(json.dumps(words), file=file)

@dataclass(frozen=True, kw_only=True)
class Narrowing(methods.Method):
    name: ClassVar[str] = "narrowing"

    def stage_epochs(self, config):
        return (2, 2)

    def stage(self, number, config, space, records):
        stage = super().stage(number, config, space, records)
        if number == 0:
            return replace(stage, arch_start_epoch=1)
        strengths = darts_tf.softmax(records[-1].alphas)
        mean = np.mean([strengths[cell] for cell in space.cells], axis=(0, 1))
        # The three best operations; on the first edge of each cell the best two.
        kept = [space.candidates[i] for i in np.argsort(-mean)[:3]]
        edges = {cell: [kept[:2], kept] for cell in space.cells}
        return replace(stage, space=space.narrowed(edges), layers=4)

    def begin_stage(self, supernet, previous):
        supernet.classifier.bias.assign(previous.classifier.bias.numpy())
        tell("taken over", supernet.cell_count, previous.cell_count)

    def batch_size(self, epoch, stage, config):
        return config.batch_size - 2 * epoch

    def on_epoch_end(self, epoch, epochs, supernet, validation):
        averages = [variable.numpy() for variable in supernet.non_trainable_variables]
        whole, part = validation(), validation(batches=1, by_batch=True)
        for variable, value in zip(supernet.non_trainable_variables, averages, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
        assert part != whole == validation()
        tell("ended", epoch, epochs, whole.loss)

class Killing(keras.callbacks.Callback):
    def __init__(self, epoch):
        self.last = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

directory, seed, last = given
rng = np.random.default_rng(seed)
images, labels = rng.integers(0, 256, (48, 8, 8, 1), np.uint8), np.arange(48) % 3
config = darts_tf.SearchConfig(
    seed=seed, layers=3, init_channels=2, batch_size=12, arch_learning_rate=0.05,
    stop_criterion="none", threads=1,
)
candidates = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3")
space = darts_tf.SearchSpace(candidates, nodes=1)
callbacks = [Killing(last)]
data = images, labels
darts_tf.search(
    config, directory, method=Narrowing(), space=space, data=data, callbacks=callbacks
)
"""
)


def history(run):
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A search that was left alone, and one that was killed in each of its stages."""
    folder = tmp_path_factory.mktemp("stages")
    seed = int(np.random.default_rng().integers(2**31))
    left_alone = start(_RUN, str(folder / "alone"), seed, None)
    for last in (1, 3):
        process = start(_RUN, str(folder / "killed"), seed, last)
        process.communicate()
        assert process.returncode == -9, seed
    finish(left_alone, start(_RUN, str(folder / "killed"), seed, None))
    return folder


def test_a_search_killed_in_each_stage_ends_as_one_left_alone(runs):
    assert history(runs / "killed") == history(runs / "alone")
    genotypes = [
        json.loads((runs / name / "genotype.json").read_text()) for name in ("killed", "alone")
    ]
    assert genotypes[0]["genotype"] == genotypes[1]["genotype"]


def test_a_method_is_told_of_each_stage_and_of_each_epochs_end_once(runs):
    told = [json.loads(line) for line in (runs / "alone.told").read_text().splitlines()]
    losses = [line["valid_loss"] for line in history(runs / "alone")]
    assert told == [
        *(["ended", epoch, 2, losses[epoch]] for epoch in (0, 1)),
        ["taken over", 4, 3],
        *(["ended", epoch, 2, losses[2 + epoch]] for epoch in (0, 1)),
    ]


def test_each_stage_begins_anew_on_what_the_one_before_left(runs):
    first, second = history(runs / "alone")[:2], history(runs / "alone")[2:]
    assert [line.get("stage", 0) for line in (*first, *second)] == [0, 0, 1, 1]
    assert np.shape(first[0]["alphas"]["normal"]) == (2, 4)
    assert np.shape(second[0]["alphas"]["normal"]) == (2, 3)
    assert not np.any(second[0]["stable_epochs"]["normal"])
    assert [len(names) for names in second[0]["kept"]["normal"]] == [2, 3]
    page = (runs / "alone" / "report.html").read_text()
    assert "Stage" in page
    # The rate of each stage has a cosine of its own, over its two epochs.
    rates = [line["learning_rate"] for line in (*first, *second)]
    assert rates[:2] == rates[2:]
    assert rates[1] < rates[0]
