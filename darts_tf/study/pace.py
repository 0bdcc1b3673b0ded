"""The time that a study will take, by the pace of this machine."""

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.split import ArraySplit
from darts_tf.data.text import TextSplit
from darts_tf.errors import counted
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import read_history
from darts_tf.searching.search import search
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.space import Space
from darts_tf.study.config import StudyConfig
from darts_tf.training.train import result_of

_STEPS = 3  # of a timed epoch


class Estimate(NamedTuple):
    """What a study will take.

    Attributes:
        searches: Number of searches.
        search_hours: Hours of all of them.
        trainings: The most trainings there can be: rules that choose one cell share its trainings.
        training_hours: Hours of so many.
    """

    searches: int
    search_hours: float
    trainings: int
    training_hours: float

    def __str__(self) -> str:
        return (
            f"{counted(self.searches, 'search', 'searches')}, {self.search_hours:.1f} hours; "
            f"at most {counted(self.trainings, 'training')}, {self.training_hours:.1f} hours"
        )


def estimate(config: StudyConfig, space: Space, facts: DatasetFacts) -> Estimate:
    """Times a few steps of each search and of a training, on random data of the data set's size.

    The second of two epochs is timed, for the first one builds the graph; that time, a minute a
    run at most, is not in the estimate.

    Args:
        config: The settings of the study, with nothing left to the data set.
        space: The search space.
        facts: Facts of the data set, with its number of training images.
    """
    kind = _KINDS[facts.kind]
    searched = kind.learned(config.search_images or facts.train_images, config)
    trained = config.train_images or facts.train_images - config.search_images
    training_steps = kind.steps(trained, config.network_batch_size, config)
    search_steps = kind.steps(searched, config.batch_size, config)
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for one in config.searched():
            few = replace(config.search_of(one, config.seed), epochs=2, arch_start_epoch=0)
            step = _search_step(few, space, facts, Path(folder) / one.name)
            seconds += config.searches * config.epochs * search_steps * step
        genotype = random_genotype(space, np.random.default_rng(config.seed))
        short = config.training_of(config.seed, epochs=2)
        data = kind.data(facts, kind.few(short.batch_size, config), short.batch_size)
        result_of(short, genotype, Path(folder) / "network", data, verbose=0)
        lines = RunDirectory(Path(folder) / "network", "train").read_history()
        network_step = float(lines[1]["timing"]["seconds"]) / _STEPS
    cells = config.searches * (len(config.searched()) * len(config.rules()) + config.random)
    trainings = cells * config.trainings
    hours = trainings * config.network_epochs * training_steps * network_step / 3600
    searches = config.searches * len(config.searched())
    return Estimate(searches, seconds / 3600, trainings, hours)


def _search_step(config: SearchConfig, space: Space, facts: DatasetFacts, path: Path) -> float:
    """Returns the seconds of a step of a search, validation left out of neither."""
    kind = _KINDS[facts.kind]
    count = kind.few_searched(config)
    data = kind.data(facts, count, config.batch_size)
    search(config, path, space=space, data=data, verbose=0)
    steps = kind.steps(kind.learned(count, config), config.batch_size, config)
    return read_history(path)[1].timing["seconds"] / steps


class _Images:
    """Random images, and the steps that images make."""

    def steps(self, count: int, batch_size: int, config: SearchConfig) -> int:
        """Returns the steps of an epoch that learns from so many images."""
        del config
        return math.ceil(count / batch_size)

    def learned(self, count: int, config: SearchConfig) -> int:
        """Returns how many of the images the weights of a search learn from."""
        return math.floor(count * config.train_portion)

    def few(self, batch_size: int, config: SearchConfig) -> int:
        """Returns the images of a training of few steps."""
        del config
        return _STEPS * batch_size

    def few_searched(self, config: SearchConfig) -> int:
        """Returns the images of a search of few steps, in each of its portions."""
        portion = config.train_portion
        return math.ceil(_STEPS * config.batch_size / min(portion, 1 - portion))

    def data(self, facts: DatasetFacts, train: int, test: int) -> Dataset:
        """Returns random images to train and to test on."""
        rng = np.random.default_rng(0)
        size = facts.image_size

        def split(count: int) -> ArraySplit:
            images = rng.integers(0, 256, (count, size, size, facts.channels), np.uint8)
            labels = np.arange(count, dtype=np.int32) % len(facts.classes)
            return ArraySplit(images, labels)

        facts = replace(facts, train_images=train, test_images=test)
        return Dataset(facts, split(train), split(test))


class _Words(_Images):
    """A random text, and the steps that words make, in windows of `text_bptt` of them."""

    def steps(self, count: int, batch_size: int, config: SearchConfig) -> int:
        return (count // batch_size - 1) // config.text_bptt

    def learned(self, count: int, config: SearchConfig) -> int:
        del config
        return count

    def few(self, batch_size: int, config: SearchConfig) -> int:
        return batch_size * (_STEPS * config.text_bptt + 1)

    def few_searched(self, config: SearchConfig) -> int:
        return self.few(config.batch_size, config)

    def data(self, facts: DatasetFacts, train: int, test: int) -> Dataset:
        """Returns a random text; that to test on is as long as that to train on."""
        words = np.random.default_rng(0).integers(0, len(facts.classes), train, np.int32)
        text = TextSplit(words, valid=TextSplit(words, stream=1))
        facts = replace(facts, train_images=train, test_images=train)
        return Dataset(facts, text, TextSplit(words, stream=1))


# By `DatasetFacts.kind`.
_KINDS: Mapping[str, _Images] = MappingProxyType({"images": _Images(), "text": _Words()})
