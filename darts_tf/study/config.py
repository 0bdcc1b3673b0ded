"""The settings of a study."""

from dataclasses import dataclass
from typing import Any

from darts_tf.config import SearchAndTrainingConfig, SearchConfig, TrainingConfig
from darts_tf.data.facts import DatasetFacts
from darts_tf.errors import UserError
from darts_tf.settings import setting
from darts_tf.study.rules import Rule, rules
from darts_tf.study.searched import Searched, searched


@dataclass(frozen=True, kw_only=True)
class StudyConfig(SearchAndTrainingConfig):
    """Settings of a study: those of its searches and of their networks, and its own.

    A search that no criterion ends contains every stopped one as its beginning. So each method is
    searched once a seed, rules choose cells from its history, and each cell is trained several
    times under one protocol.

    Example:
        >>> config = StudyConfig(dataset="digits", stop_criterion="none", stops="skip_connects,end")
        >>> [rule.name for rule in config.rules()]
        ['skip_connects', 'end']
    """

    stop_criterion: str = setting(
        "none", "A study's searches run to their last epoch; `stops` has the criteria."
    )
    searches: int = setting(
        10, "Searches of each method, with seeds that follow each other.", low=1
    )
    beside: str = setting(
        "",
        "Methods beside that of --method, separated by commas, with their default settings; "
        "darts:second and darts:one_level are DARTS with another architecture gradient.",
    )
    stops: str = setting(
        "end,skip_connects,stable_ranking,best",
        "Rules that choose a cell from a history, separated by commas: end, best for the epoch of "
        "the best validation accuracy or perplexity, epoch:20, a criterion, or a criterion that "
        "may stop from an epoch on, skip_connects:10.",
    )
    random: bool = setting(True, "Whether a random cell stands beside each search of a seed.")
    trainings: int = setting(2, "Trainings of each cell, with seeds that follow each other.", low=1)
    search_images: int = setting(
        0, "The first training images, for the searches alone; 0 for all images for both.", low=0
    )
    train_images: int = setting(
        0, "The images behind those, for the trainings alone; 0 for the rest.", low=0
    )
    network_cutout: int = setting(
        -1, "Side of cutout's square in trainings; 0 for none, -1 for the data set's own.", low=-1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stop_criterion != "none":
            raise UserError(
                "stop_criterion: expected none, since the searches of a study run to their last "
                f"epoch and stops has the criteria; got {self.stop_criterion}"
            )
        if self.train_images and not self.search_images:
            raise UserError(
                "train_images: expected 0 where searches have all images too, got "
                f"{self.train_images}; search_images divides the images"
            )
        if self.seed + max(self.searches, self.trainings) > 2**31:
            raise UserError(
                f"searches: expected a last seed below {2**31}, got {self.searches} searches and "
                f"{self.trainings} trainings from seed {self.seed}"
            )
        if self.strategy == "multi_worker":
            raise UserError(
                "strategy: expected another one than multi_worker, since a process joins its "
                "cluster once; several processes share a study instead"
            )
        self.rules()
        self.searched()
        try:
            self.training_config()
        except UserError as error:
            raise UserError(f"network_{error}") from error

    def check(self, facts: DatasetFacts) -> None:
        """Checks that images are left for both, and that every rule has its epoch.

        Args:
            facts: Facts of the data set.

        Raises:
            UserError: If a setting does not fit.
        """
        super().check(facts)
        wanted = self.search_images + (self.train_images or bool(self.search_images))
        if facts.train_images and wanted > facts.train_images:
            raise UserError(
                f"search_images: expected at most the {facts.train_images} training images with "
                f"those of train_images, got {wanted}"
            )
        self.training_config().check(facts)

    def rules(self) -> tuple[Rule, ...]:
        """Returns the rules of `stops`.

        Raises:
            UserError: If there is none, or one is unknown or stands twice.
        """
        return rules(self.stops, self.epochs)

    def searched(self) -> tuple[Searched, ...]:
        """Returns the methods of the study, that of `method` first.

        Raises:
            UserError: If one is unknown or stands twice.
        """
        return searched(self.method, self.arch_order, self.beside)

    def search_of(self, one: Searched, seed: int) -> SearchConfig:
        """Returns the settings of a search.

        Args:
            one: One of `searched()`.
            seed: Its seed.
        """
        return self.search_config(method=one.method, arch_order=one.order, seed=seed)

    def training_of(self, seed: int, **changes: Any) -> TrainingConfig:
        """Returns the settings of a training.

        Args:
            seed: Its seed.
            **changes: Settings by name that replace those here.
        """
        return self.training_config(seed=seed, **changes)
