"""The settings of a tuning run and of a random search."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from darts_tf import spaces
from darts_tf.config import SearchAndTrainingConfig, SearchConfig, TrainingConfig
from darts_tf.data.facts import DatasetFacts
from darts_tf.errors import UserError
from darts_tf.searching import criteria
from darts_tf.settings import setting
from darts_tf.tuning.space import TUNABLE, Choice, Range, chosen, rounded

# keras-tuner's name for the epochs that Hyperband gives to a trial.
HYPERBAND_EPOCHS = "tuner/epochs"
_DARTS_CHOICE = "learning_rate,weight_decay,arch_learning_rate,arch_weight_decay"


# The score of a trial, from its settings and a folder of its own.
Objective = Callable[[SearchConfig, TrainingConfig, Path], float]


@dataclass(frozen=True, kw_only=True)
class TuningConfig(SearchAndTrainingConfig):
    """Settings of a tuning run: those of its searches and of their networks, and its own.

    A trial is a search and a short training of the network that it derives, on a part of the
    training images. Its score is the accuracy on the other part, as DARTS chooses among its
    searches (DARTS, section 3.2); for a text it is the perplexity of the part to validate on.

    Example:
        >>> config = TuningConfig(dataset="digits", tune="learning_rate:0.02:0.2,layers")
        >>> search, training = config.trial({"learning_rate": 0.1, "layers": 5})
        >>> search.layers, training.held_out
        (5, 0.5)
    """

    tuner: str = setting(
        "random",
        "How trials are chosen: at random, by Hyperband, or by Bayesian optimization.",
        choices=("random", "hyperband", "bayesian"),
    )
    tune: str = setting(
        _DARTS_CHOICE,
        f"The settings that vary, of {', '.join(TUNABLE)}; learning_rate:0.02:0.2 gives a "
        "range, stop_criterion:none:stable_ranking choices.",
    )
    trials: int = setting(
        0, "The most trials; 0 for 20, or for as many as Hyperband's brackets have.", low=0
    )
    hyperband_factor: int = setting(
        3, "Hyperband keeps one trial of so many, and gives it so many times the epochs.", low=2
    )
    worker_timeout: int = setting(
        300,
        "Seconds in which the chief must answer, where several processes share the trials.",
        low=1,
        recorded=False,
    )
    network_held_out: float = setting(
        0.5,
        "Share of the training images that it is tested on, and not trained on.",
        above=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy == "multi_worker":
            raise UserError(
                "strategy: expected another one than multi_worker, since a process joins its "
                "cluster once; several machines share the trials instead, see docs/tuning.md"
            )
        self._try_trials()

    def check(self, facts: DatasetFacts) -> None:
        """Checks that the trials fit the data set, at both ends of each range.

        Args:
            facts: Facts of the data set.

        Raises:
            UserError: If one does not fit.
        """
        super().check(facts)
        self._try_trials(facts)

    def _try_trials(self, facts: DatasetFacts | None = None) -> None:
        """Checks the configs of trials, with each setting at the ends of its range."""
        tuned = self.tuned()
        try:
            self._try_trial({}, facts)
        except UserError as error:
            raise UserError(f"network_{error}") from error
        for name, domain in tuned.items():
            for value in domain.ends():
                try:
                    self._try_trial({name: value}, facts)
                except UserError as error:
                    raise UserError(f"tune: {error}") from error

    def _try_trial(self, values: Mapping[str, Any], facts: DatasetFacts | None) -> None:
        search, training = self.trial(values)
        if "stop_criterion" in values:
            criteria.get(search.stop_criterion)
        for config in (search, training):
            if facts is not None:
                config.check(facts)

    def tuned(self) -> dict[str, Range | Choice]:
        """Returns the settings that vary, each with its range."""
        return chosen(self.tune)

    def trial(self, values: Mapping[str, Any]) -> tuple[SearchConfig, TrainingConfig]:
        """Returns the settings of a trial's search and of its network's training.

        Args:
            values: The settings that vary, by name. Where Hyperband gives fewer epochs than
                `epochs`, search and training have their share of theirs, and the first epoch that
                moves the architecture is earlier by the same share.

        Raises:
            UserError: If they do not go with the other settings.
        """
        tuned = self.tuned()
        varied = {
            name: rounded(name, value, tuned[name])
            for name, value in values.items()
            if name in tuned
        }
        epochs = int(values.get(HYPERBAND_EPOCHS, self.epochs))
        start = varied.pop("arch_start_epoch", self.arch_start_epoch)
        if epochs < self.epochs:
            start = int(start) * epochs // self.epochs
        search = self.search_config(**varied | {"epochs": epochs, "arch_start_epoch": start})
        network_epochs = math.ceil(self.network_epochs * epochs / self.epochs)
        return search, self.training_config(epochs=network_epochs)


@dataclass(frozen=True, kw_only=True)
class RandomSearchConfig(TrainingConfig):
    """Settings of a random search: those of its training runs, and its own.

    The defaults are a short training, as DARTS chooses among its searches (DARTS, section 3.2).

    Example:
        >>> RandomSearchConfig(dataset="digits", samples=3).sample(seed=2).epochs
        100
    """

    space: str = setting("darts", "Search space that genotypes are drawn from, by name.")
    samples: int = setting(24, "Genotypes, each drawn with the next seed and trained.", low=1)
    epochs: int = setting(100, "Epochs of each training; also the length of the cosine.", low=1)
    held_out: float = setting(
        0.5,
        "Share of the training images that networks are compared on, and not trained on.",
        above=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.initial_model:
            raise UserError(
                "initial_model: expected none, for each genotype is another network, got "
                f"{self.initial_model}"
            )
        try:
            space = spaces.get(self.space)
        except UserError as error:
            raise UserError(f"space: {error}") from error
        space.check_layers(self.layers)
        if self.repeats > 1:
            raise UserError(
                f"repeats: expected 1, since each genotype is trained once; got {self.repeats}"
            )
        if self.strategy == "multi_worker":
            raise UserError(
                "strategy: expected another one than multi_worker, since a process joins its "
                "cluster once"
            )
        if self.seed + self.samples > 2**31:
            raise UserError(
                f"samples: expected a last seed below {2**31}, got {self.samples} samples from "
                f"seed {self.seed}"
            )

    def sample(self, seed: int) -> TrainingConfig:
        """Returns the settings of the training of one sample.

        Args:
            seed: The sample's seed.
        """
        shared = {field.name: getattr(self, field.name) for field in fields(TrainingConfig)}
        return replace(TrainingConfig(**shared), seed=seed)
