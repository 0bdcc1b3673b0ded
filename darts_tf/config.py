"""The settings of a search and of a training: named, typed, documented and bounded in one place.

The defaults are the paper's for CIFAR-10 (DARTS+, sections 4.2 and 4.3). The programs make their
flags from these fields. Making a config reads no file: what it leaves to the data set is filled in
by `darts_tf.data.resolve`, which looks the data set up, once a run.
"""

import json
import re
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Self

from darts_tf.data.facts import DatasetFacts, portions
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from darts_tf.runs.machine import usable_cores
from darts_tf.settings import Settings, flag_lines, setting
from darts_tf.spaces import space_of, zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.stems import STEMS

__all__ = [
    "RunConfig",
    "SearchAndTrainingConfig",
    "SearchConfig",
    "TrainingConfig",
    "flag_lines",
    "training_flag_lines",
]

_epochs = partial(setting, low=1)
_batch_size = partial(setting, text="Images in a batch, over all devices.", low=1)
_layers = partial(setting, text="Cells; those at 1/3 and 2/3 of the depth are reductions.", low=3)
_init_channels = partial(setting, text="Channels of the first cell.", low=2)


def _dropout(rate: float, what: str) -> Any:
    """Declares a rate of dropout of language models."""
    return setting(rate, f"Probability of dropping {what}.", low=0.0, below=1.0)


_learning_rate_min = partial(setting, text="Learning rate at which the cosine ends.", low=0.0)


@dataclass(frozen=True, kw_only=True)
class RunConfig(Settings):
    """Settings that a search and a training have in common."""

    dataset: str = setting(
        "cifar10",
        f"Data set: {', '.join(DATASETS)}; image_folder:PATH for images of your own, one folder a "
        "class; tfds:NAME for an image classification data set of TensorFlow Datasets; or "
        "text_file:PATH for a text of your own.",
    )
    data_dir: str = setting("", "Folder of the data sets; empty for tensorflow-datasets' own.")
    download: bool = setting(
        False, "Whether a data set that is not there may be downloaded.", recorded=False
    )
    image_size: int = setting(0, "Side of the images in pixels; 0 for the data set's own.", low=0)
    stem: str = setting(
        "auto",
        "First layers: cifar keeps the image's size, tiny_imagenet halves it, imagenet divides it "
        "by 8; auto takes the data set's own.",
        choices=("auto", *STEMS),
    )
    skip_damaged: bool = setting(
        False, "Whether files of an image folder that cannot be decoded are left out."
    )
    portions_by: str = setting(
        "auto",
        "How training images are divided: order takes the first ones, as DARTS does; class a share "
        "of each class; auto is class for images of one's own, order for all others.",
        choices=("auto", "order", "class"),
        before="order",
    )
    seed: int = setting(0, "Seed of everything random.", low=0, high=2**31 - 1)
    threads: int = setting(
        0, "CPU threads, on which the last bits of a result depend; 0 for one a core.", low=0
    )
    strategy: str = setting(
        "auto",
        "Devices: auto takes all GPUs, or the CPU where there is none; multi_worker all those of "
        "the machines in TF_CONFIG.",
        choices=("auto", "one_device", "mirrored", "multi_worker"),
    )
    worker_timeout: int = setting(
        300, "Seconds in which all machines of TF_CONFIG must come.", low=1, recorded=False
    )
    mixed_precision: str = setting(
        "float32",
        "The dtype that layers compute in; weights, alphas and averages are float32 in any case.",
        choices=("float32", "bfloat16", "float16"),
    )
    jit_compile: bool = setting(False, "Whether XLA compiles the steps, on one device.")
    profile_steps: str = setting(
        "", "First and last training step to profile for TensorBoard, as 10,20, from 0; or empty."
    )
    extend: bool = setting(
        False,
        "Whether a run with fewer epochs goes on from its last checkpoint, with the learning rates "
        "of the longer cosine from there on.",
        recorded=False,
    )
    checkpoint_every: str = setting(
        "1epoch", "How often a run saves itself, such as 200steps or 5epochs.", recorded=False
    )
    logger: str = setting(
        "none",
        "Where the numbers of each epoch go besides: epochs.csv in the run's directory, MLflow, or "
        "Weights & Biases.",
        choices=("none", "csv", "mlflow", "wandb"),
        recorded=False,
    )
    sync_batch_norm: bool = setting(False, "Whether devices normalize over the whole batch.")
    learning_rate: float = setting(0.025, "Learning rate of the weights at the start.", above=0.0)
    learning_rate_min: float = _learning_rate_min(0.0)
    cosine_by: str = setting(
        "epoch",
        "Whether the learning rate follows its cosine from epoch to epoch or from step to step.",
        choices=("epoch", "step"),
    )
    momentum: float = setting(0.9, "Momentum of SGD for the weights.", low=0.0, below=1.0)
    nesterov: bool = setting(False, "Whether SGD looks ahead by Nesterov's momentum.")
    weight_decay: float = setting(3e-4, "L2 added to the weights' gradient.", low=0.0)
    grad_clip: float = setting(5.0, "Greatest global norm of the weights' gradient.", above=0.0)
    text_bptt: int = setting(
        35, "Words of a text in a window, through which gradients go back.", low=1
    )
    text_word_dropout: float = _dropout(0.0, "whole words of a text")
    text_embedding_dropout: float = _dropout(0.2, "entries of the embeddings")
    text_input_dropout: float = _dropout(0.75, "entries of the input of a recurrent cell")
    text_hidden_dropout: float = _dropout(0.25, "entries of its hidden state and nodes")
    text_output_dropout: float = _dropout(0.75, "entries of its output")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learning_rate_min > self.learning_rate:
            raise UserError(
                f"learning_rate_min: expected at most learning_rate ({self.learning_rate}), "
                f"got {self.learning_rate_min}"
            )
        self.profiled()
        self.checkpoint_interval()
        if not self.threads:
            object.__setattr__(self, "threads", usable_cores())

    def resolved(self, facts: DatasetFacts) -> Self:
        """Returns the settings with what they leave to the data set filled in.

        Filling in twice with the same facts changes nothing.

        Args:
            facts: Facts of the data set.

        Returns:
            The complete settings.

        Raises:
            UserError: If a setting does not fit the data set.
        """
        self.check(facts)
        return replace(self, **self.filled(facts))

    def filled(self, facts: DatasetFacts) -> dict[str, Any]:
        """Returns the settings that the data set decides, by name.

        Args:
            facts: Facts of the data set.
        """
        return {
            "dataset": facts.name,
            "stem": facts.stem if self.stem == "auto" else self.stem,
            "portions_by": facts.portions_by if self.portions_by == "auto" else self.portions_by,
        }

    @classmethod
    def decided(cls, facts: DatasetFacts) -> dict[str, Any]:
        """Returns the values that settings have on a data set unless others are given, by name.

        Args:
            facts: Facts of the data set.

        Returns:
            Those that the data set decides, but for its name.
        """
        return {name: value for name, value in cls().filled(facts).items() if name != "dataset"}

    def check(self, facts: DatasetFacts) -> None:
        """Checks the settings against the facts of the data set.

        Args:
            facts: Facts of the data set.

        Raises:
            UserError: If a setting does not fit them.
        """
        del facts

    def text_dropout(self) -> dict[str, float]:
        """Returns the rates of dropout of a language model by name."""
        names = ("word", "embedding", "input", "hidden", "output")
        return {name: getattr(self, f"text_{name}_dropout") for name in names}

    def profiled(self) -> tuple[int, int] | None:
        """Returns the first and the last step of `profile_steps`, None where it is empty.

        Raises:
            UserError: If it has another form.
        """
        if not self.profile_steps:
            return None
        match = re.fullmatch(r"([0-9]{1,18}),([0-9]{1,18})", self.profile_steps)
        if match is None or int(match[1]) > int(match[2]):
            raise UserError(
                "profile_steps: expected two whole numbers, the first at most the second, such as "
                f"10,20; got '{self.profile_steps}'"
            )
        return int(match[1]), int(match[2])

    def checkpoint_interval(self) -> tuple[int, str]:
        """Returns the number and the unit, `step` or `epoch`, of `checkpoint_every`.

        Raises:
            UserError: If it has another form.
        """
        match = re.fullmatch(r"([1-9][0-9]{0,8}) ?(step|epoch)s?", self.checkpoint_every)
        if match is None:
            raise UserError(
                "checkpoint_every: expected a number of steps or epochs, such as 200steps or "
                f"5epochs; got '{self.checkpoint_every}'"
            )
        return int(match[1]), match[2]


@dataclass(frozen=True, kw_only=True)
class SearchConfig(RunConfig):
    """Settings of a search (DARTS+, section 4.2)."""

    method: str = setting(
        "darts", "Search method, by name: how the architecture is relaxed and moved."
    )
    space: str = setting("darts", "Search space, by name: the cells that can be found.")
    benchmark_dir: str = setting(
        "",
        "Folder of the files of the space's benchmark, whose accuracy of each epoch's cell is told "
        "beside the supernet's; for nas_bench_201, NATS-tss-v1_0-3ffb9-simple.",
        recorded=False,
    )
    epochs: int = _epochs(60, "The most epochs; also the length of the cosine.")
    batch_size: int = _batch_size(64)
    layers: int = _layers(8)
    init_channels: int = _init_channels(16)
    train_portion: float = setting(
        0.5,
        "Share of the training images for the weights.",
        above=0.0,
        below=1.0,
    )
    valid_portion: float = setting(
        0.0,
        "Share of the training images for the architecture; 0 for the rest.",
        low=0.0,
        below=1.0,
    )
    learning_rate_min: float = _learning_rate_min(0.001)
    arch_learning_rate: float = setting(
        3e-4, "Learning rate of Adam for the architecture parameters.", above=0.0
    )
    arch_momentum: float = setting(
        0.5,
        "Decay of Adam's average of the architecture parameters' gradients, its beta_1.",
        low=0.0,
        below=1.0,
    )
    arch_weight_decay: float = setting(
        1e-3, "L2 added to the architecture parameters' gradient.", low=0.0
    )
    weights_first: bool = setting(
        False, "Whether an iteration updates the weights before the architecture."
    )
    arch_order: str = setting(
        "first",
        "Architecture gradient: first order on a validation batch; second order, through a step of "
        "the weights; or one_level, together with the weights on the training batch.",
        choices=("first", "second", "one_level"),
    )
    recompute: bool = setting(
        False, "Compute edges again in gradients: a third of the memory for more time."
    )
    arch_start_epoch: int = setting(0, "First epoch that moves the architecture.", low=0)
    cost: str = setting(
        "",
        "What the networks that are found should cost little of: multiply_adds, parameters, or a "
        "JSON file with a table of latencies, as trainers.latency measures them; empty for no "
        "cost. The loss of the architecture is multiplied by cost_weight * (log E / log "
        "cost_reference) ^ cost_exponent, where E is the expected cost; single_path_nas adds that "
        "number.",
    )
    cost_weight: float = setting(
        0.2, "Factor of the architecture's loss at the reference.", above=0.0
    )
    cost_reference: float = setting(
        0.0,
        "The cost that a network should have, a number of operations or weights, or in the "
        "unit of the table.",
        low=0.0,
    )
    cost_exponent: float = setting(0.3, "How much a cost above the reference counts.", above=0.0)
    share_alphas: str = setting(
        "network",
        "Where the cells of one type share their architecture: in the whole network, or in each "
        "stage, from one reduction cell to the next.",
        choices=("network", "stage"),
    )
    stop_criterion: str = setting(
        "skip_connects",
        "When to stop, by name: skip_connects is Criterion 1, stable_ranking is Criterion 1*; none "
        "for all epochs.",
    )
    stop_at_skip_connects: int = setting(
        2, "Criterion 1: skip-connects in one cell that end the search.", low=1, high=8
    )
    stop_free_operations: bool = setting(
        False,
        "Criterion 1: whether pools and all other operations without weights count, too.",
    )
    stop_cells: str = setting(
        "normal", "Cells that the criterion looks at.", choices=("normal", "reduce", "both")
    )
    stable_epochs: int = setting(
        10, "Criterion 1*: consecutive epochs for which the ranking holds.", low=1
    )
    stable_ranks: int = setting(
        4, "Criterion 1*: leading places of the ranking that must hold.", low=1, high=4
    )
    min_epochs: int = setting(
        1,
        "Fewest epochs before a criterion may stop; with 1, it may once the alphas have moved "
        "clearly beyond their initial noise.",
        low=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.arch_start_epoch >= self.epochs:
            raise UserError(
                f"arch_start_epoch: expected less than epochs ({self.epochs}), or nothing is "
                f"searched; got {self.arch_start_epoch}"
            )
        fewest = DARTS.staged().fewest_layers
        if self.share_alphas == "stage" and self.layers < fewest:
            raise UserError(
                f"layers: expected at least {fewest} with share_alphas=stage, so that each "
                f"stage has a cell; got {self.layers}"
            )
        if self.mixed_precision == "float16" and self.arch_order == "second":
            raise UserError(
                "mixed_precision: expected float32 or bfloat16 with arch_order=second, got "
                "float16: a step of the weights cannot be taken on a scaled loss"
            )

    def check(self, facts: DatasetFacts) -> None:
        """Checks that each of the two portions has at least one training image.

        Args:
            facts: Facts of the data set.

        Raises:
            UserError: If one has none.
        """
        super().check(facts)
        if facts.train_images:
            portions(facts.train_images, self.train_portion, self.valid_portion)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(RunConfig):
    """Settings of the training of a network from scratch (DARTS+, section 4.3)."""

    epochs: int = _epochs(2000, "Epochs; also the length of the cosine.")
    batch_size: int = _batch_size(96)
    layers: int = _layers(20)
    init_channels: int = _init_channels(36)
    held_out: float = setting(
        0.0,
        "Share of the training images that is held out and tested on, in place of the test images; "
        "0 for none.",
        low=0.0,
        below=1.0,
    )
    initial_model: str = setting(
        "",
        "The model.keras of a training with the same cells, whose weights this one starts from, "
        "those of the classifier only for as many classes; empty for random weights.",
    )
    squeeze_excite: bool = setting(False, "Whether each cell ends in squeeze and excitation.")
    auxiliary_weight: float = setting(
        0.4, "Weight of the auxiliary head's loss; 0 for no head.", low=0.0
    )
    drop_path: float = setting(
        0.2, "Probability of drop path at the end, growing from 0.", low=0.0, below=1.0
    )
    cutout: int = setting(
        -1, "Side of cutout's square in pixels; 0 for none, -1 for the data set's own.", low=-1
    )
    padding: float = setting(
        -1.0,
        "Zeros on each side of an image before a random crop of its own size, as a share of its "
        "side, and at least one pixel unless 0; -1 for the data set's own.",
        low=-1.0,
        below=1.0,
    )
    auto_augment: bool = setting(False, "Whether AutoAugment's policy for the data set is applied.")
    mixup: float = setting(
        0.0, "Alpha of mixup, which trains on images between images; 0 for none.", low=0.0
    )
    label_smoothing: float = setting(
        0.0, "Part of each label that goes to all classes alike.", low=0.0, below=1.0
    )
    warmup_epochs: int = setting(
        0, "Epochs in which the learning rate climbs to its full value, before the cosine.", low=0
    )
    repeats: int = setting(
        1,
        "Trainings, with seeds that follow each other, whose errors give mean and deviation.",
        low=1,
    )

    text_slowness: float = setting(
        1e-3,
        "Factor of the mean square by which hidden states change from word to word, in the loss.",
        low=0.0,
    )
    text_nonmono: int = setting(
        5,
        "Weights of a language model are averaged once the validation loss is above the best of "
        "all but so many epochs before; 0 for never.",
        low=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if -1 < self.padding < 0:
            raise UserError(f"padding: expected -1 or at least 0, got {self.padding}")
        if self.warmup_epochs >= self.epochs:
            raise UserError(
                f"warmup_epochs: expected less than epochs ({self.epochs}), or no cosine follows; "
                f"got {self.warmup_epochs}"
            )
        if self.seed + self.repeats > 2**31:
            raise UserError(
                f"repeats: expected at most {2**31 - self.seed} from seed {self.seed}, so that the "
                f"last seed is below {2**31}; got {self.repeats}"
            )
        if self.repeats > 1 and self.strategy == "multi_worker":
            raise UserError(
                "repeats: expected 1 with strategy=multi_worker, for a process joins its cluster "
                f"once; got {self.repeats}"
            )

    def filled(self, facts: DatasetFacts) -> dict[str, Any]:
        """Returns the settings that the data set decides, by name."""
        cutout = facts.cutout if self.cutout < 0 else self.cutout
        return {**super().filled(facts), "cutout": cutout}

    def check(self, facts: DatasetFacts) -> None:
        """Checks that images are left to train on, cropped as said, and have AutoAugment's policy.

        Args:
            facts: Facts of the data set.

        Raises:
            UserError: If no image is left, crops have no padding, or no policy was published.
        """
        super().check(facts)
        if self.padding > 0 and facts.crop != "pad":
            raise UserError(
                f"padding: expected -1 for {facts.name}, whose images are resized parts of larger "
                f"ones; got {self.padding}"
            )
        if self.held_out and facts.train_images:
            try:
                portions(facts.train_images, 1 - self.held_out, 0.0)
            except UserError:
                raise UserError(
                    "held_out: expected a share that leaves images to train on and to test on, got "
                    f"{self.held_out} of {facts.train_images} images"
                ) from None
        if self.auto_augment and not facts.policy:
            raise UserError(
                f"auto_augment: expected false for {facts.name}, for which no policy was "
                "published; got true"
            )


# The settings that the training of a found network shares with its search.
_SHARED = (
    "dataset",
    "data_dir",
    "download",
    "image_size",
    "skip_damaged",
    "portions_by",
    "stem",
    "seed",
    "threads",
    "strategy",
    "worker_timeout",
    "mixed_precision",
    "jit_compile",
    "checkpoint_every",
    "sync_batch_norm",
    "momentum",
    "grad_clip",
    "text_bptt",
    "text_word_dropout",
    "text_embedding_dropout",
    "text_input_dropout",
    "text_hidden_dropout",
    "text_output_dropout",
)
_NETWORK = "network_"


@dataclass(frozen=True, kw_only=True)
class SearchAndTrainingConfig(SearchConfig):
    """Settings of searches, and of the trainings of the networks that they find.

    Those of the trainings begin with `network_`; what both have in common is there once.

    Example:
        >>> config = SearchAndTrainingConfig(dataset="digits", network_layers=5)
        >>> config.search_config().layers, config.training_config().layers
        (8, 5)
    """

    network_epochs: int = setting(100, "Epochs of the training of a found network.", low=1)
    network_batch_size: int = setting(96, "Images in a batch of that training.", low=1)
    network_layers: int = setting(8, "Cells of a found network.", low=3)
    network_init_channels: int = setting(16, "Channels of its first cell.", low=2)
    network_learning_rate: float = setting(
        0.025, "Learning rate of its training at the start.", above=0.0
    )
    network_weight_decay: float = setting(3e-4, "L2 added to the gradient of its weights.", low=0.0)
    network_auxiliary_weight: float = setting(
        0.0, "Weight of its auxiliary head's loss; 0 for no head.", low=0.0
    )
    network_drop_path: float = setting(
        0.0, "Its probability of drop path at the end, growing from 0.", low=0.0, below=1.0
    )

    def search_config(self, **changes: Any) -> SearchConfig:
        """Returns the settings of a search.

        Args:
            **changes: Settings by name that replace those here.

        Raises:
            UserError: If they do not go with the others.
        """
        names = (field.name for field in fields(SearchConfig))
        return SearchConfig(**{name: getattr(self, name) for name in names} | changes)

    def training_config(self, **changes: Any) -> TrainingConfig:
        """Returns the settings of a training.

        Args:
            **changes: Settings by name, without `network_`, that replace those here.

        Raises:
            UserError: If they do not go with the others.
        """
        values = {name: getattr(self, name) for name in _SHARED}
        for field in fields(self):
            if field.name.startswith(_NETWORK):
                values[field.name.removeprefix(_NETWORK)] = getattr(self, field.name)
        return TrainingConfig(**values | changes)


def training_flag_lines(config: TrainingConfig, genotype: Genotype) -> tuple[str, ...]:
    """Returns the lines of a flag file that repeats a training, its genotype included.

    Args:
        config: Settings of the training.
        genotype: The cells; a published genotype is written by its name, any other as JSON.

    Returns:
        `flag_lines(config)` and a line `--genotype=...`.

    Raises:
        UserError: If no network of the genotype has so many cells.
    """
    try:
        space_of(genotype).check_layers(config.layers)
    except UserError as error:
        raise UserError(f"--{error}") from error
    names = (name for name in zoo.names() if zoo.get(name) == genotype)
    inline = json.dumps(genotype.to_dict(), separators=(",", ":"))
    return (*flag_lines(config), f"--genotype={next(names, inline)}")
