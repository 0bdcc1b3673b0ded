"""The time that a study will take, by the pace of this machine."""

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.split import ArraySplit
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
            f"{self.searches} searches, {self.search_hours:.1f} hours; at most {self.trainings} "
            f"trainings, {self.training_hours:.1f} hours"
        )


def estimate(config: StudyConfig, space: Space, facts: DatasetFacts) -> Estimate:
    """Times a few steps of each search and of a training, on random images of the data set's size.

    The second of two epochs is timed, for the first one builds the graph; that time, a minute a
    run at most, is not in the estimate.

    Args:
        config: The settings of the study, with nothing left to the data set.
        space: The search space.
        facts: Facts of the data set, with its number of training images.
    """
    images = config.search_images or facts.train_images
    portion = config.train_portion
    others = config.train_images or facts.train_images - config.search_images
    training_steps = math.ceil(others / config.network_batch_size)
    search_steps = math.ceil(math.floor(images * portion) / config.batch_size)
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for one in config.searched():
            few = replace(config.search_of(one, config.seed), epochs=2, arch_start_epoch=0)
            step = _search_step(few, space, facts, Path(folder) / one.name)
            seconds += config.searches * config.epochs * search_steps * step
        genotype = random_genotype(space, np.random.default_rng(config.seed))
        short = config.training_of(config.seed, epochs=2)
        data = _random_images(facts, _STEPS * short.batch_size, short.batch_size)
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
    portion = config.train_portion
    count = math.ceil(_STEPS * config.batch_size / min(portion, 1 - portion))
    data = _random_images(facts, count, config.batch_size)
    search(config, path, space=space, data=data, verbose=0)
    steps = math.ceil(math.floor(count * portion) / config.batch_size)
    return read_history(path)[1].timing["seconds"] / steps


def _random_images(facts: DatasetFacts, train: int, test: int) -> Dataset:
    rng = np.random.default_rng(0)
    size = facts.image_size

    def split(count: int) -> ArraySplit:
        images = rng.integers(0, 256, (count, size, size, facts.channels), np.uint8)
        labels = np.arange(count, dtype=np.int32) % len(facts.classes)
        return ArraySplit(images, labels)

    return Dataset(replace(facts, train_images=train, test_images=test), split(train), split(test))
