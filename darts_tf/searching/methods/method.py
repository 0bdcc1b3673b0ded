"""The base class of search methods: what a method may do differently from DARTS.

TensorFlow is imported inside functions, so that settings can be read and checked before it is
imported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.engine.schedules import cosine
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import criteria
from darts_tf.searching.methods.stage import Stage, Validation
from darts_tf.settings import Settings
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.engine.scoring import Batch, Score
    from darts_tf.searching.bilevel import ArchitectureGradient, BilevelStep
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Method(Settings):
    """A search method; the base class searches as DARTS does.

    A method overrides what it does differently. Its fields, made by `darts_tf.setting`, are flags
    of the search program, `--<name>_<field>`. Temperatures, masks and the like belong in variables
    of the relaxation, so that checkpoints hold them; `on_epoch_begin` sets them. A whole method,
    DARTS with a softmax that gets sharper from epoch to epoch:

    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> import keras
    >>> import tensorflow as tf
    >>> import darts_tf
    >>> @keras.saving.register_keras_serializable("example")
    ... class Sharpened(darts_tf.Relaxation):
    ...     def build(self):
    ...         super().build()
    ...         self.temperature = self.add_state("temperature", 1.0)
    ...
    ...     def mix(self, cell, alphas, seed=None):
    ...         return tf.nn.softmax(alphas / self.temperature)
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Sharpening(darts_tf.methods.Method):
    ...     name: ClassVar[str] = "sharpening"
    ...     lowest: float = darts_tf.setting(0.1, "Temperature of the last epoch.", above=0.0)
    ...
    ...     def relaxation(self, space, **kwargs):
    ...         return Sharpened(space, **kwargs)
    ...
    ...     def on_epoch_begin(self, epoch, epochs, supernet):
    ...         supernet.relaxation.temperature.assign(self.lowest ** (epoch / max(1, epochs - 1)))
    ...
    ...     def measures(self, supernet):
    ...         return {"temperature": float(supernet.relaxation.temperature.numpy())}
    >>> Sharpening(lowest=0.5).get_config()
    {'name': 'sharpening', 'lowest': 0.5}

    Then `darts_tf.search(..., method=Sharpening())` uses it, and after
    `darts_tf.methods.register(Sharpening)` the programs do, by `--method=sharpening`.
    """

    name: ClassVar[str] = ""
    # A few words for the log and the report: the strengths from which the genotype is derived,
    # where these are not the softmax of the alphas.
    reads: ClassVar[str] = ""
    # What Criterion 1* ranks, in words; empty for all alphas.
    ranks: ClassVar[str] = ""
    # Whether an iteration updates the weights before the architecture.
    weights_first: ClassVar[bool] = False
    # K: candidates compute 1 / K of the channels, and the others pass by (PC-DARTS). A method may
    # make a setting of it.
    partial: ClassVar[int] = 1
    # Whether the alphas learn; if not, there is nothing for a criterion to read.
    alphas_learn: ClassVar[bool] = True
    # Whether the loss of the alphas may have a cost for a factor (`--cost`).
    takes_cost: ClassVar[bool] = True
    # Whether the weights learn on all training images, including those of the validation portion,
    # on which the supernet is measured. A method may make a setting of it.
    whole_training_set: ClassVar[bool] = False
    # The families of the spaces that it can search; empty for all.
    families: ClassVar[tuple[str, ...]] = ()

    def searches(self, family: str) -> bool:
        """Returns whether it can search spaces of a family.

        Args:
            family: The family, such as `cells`.
        """
        return not self.families or family in self.families

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a search that makes no sense with this method.

        Args:
            config: The settings of the search.
            space: The space of the search.

        Raises:
            UserError: If it makes no sense; one line says why.
        """
        del config, space

    def stage_epochs(self, config: SearchConfig) -> tuple[int, ...]:
        """Returns the most epochs of each stage of the search, here of one.

        Args:
            config: The settings of the search.
        """
        return (config.epochs,)

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns a stage of the search.

        It must be a function of the arguments alone, so that a resumed search has the same stage.

        Args:
            number: Number of the stage, from 0.
            config: The settings of the search.
            space: The space of the search.
            records: The records of all earlier stages.
        """
        return Stage(
            number=number,
            space=space,
            layers=config.layers,
            init_channels=config.init_channels,
            epochs=self.stage_epochs(config)[number],
            arch_start_epoch=config.arch_start_epoch,
            partial=self.partial,
            first_epoch=len(records),
        )

    def counting(self, number: int, records: Sequence[EpochRecord]) -> list[EpochRecord]:
        """Returns the records that count in a stage, here its own.

        Args:
            number: Number of the stage.
            records: All records so far.
        """
        return [record for record in records if record.stage == number]

    def read_by(self, criterion: Any) -> str:
        """Returns in words what a criterion reads of this method, empty for DARTS's.

        Args:
            criterion: A `Criterion`; or any function of records, which is taken to read genotypes.
        """
        read = {"genotypes": self.reads, "rankings": self.ranks}
        return read.get(criteria.reads(criterion), "")

    def stage_over(self, stage: Stage, records: Sequence[EpochRecord]) -> bool:
        """Returns whether the method ends a stage before its last epoch, here never.

        Args:
            stage: The stage.
            records: The records that count in the stage, at least one.
        """
        del stage, records
        return False

    def snapshots(self, records: Sequence[EpochRecord]) -> Collection[int]:
        """Returns the numbers of the epochs whose state a later stage may go back to, here none.

        Args:
            records: The records that count in the current stage, at least one.
        """
        del records
        return ()

    def measured(self, epoch: int) -> tuple[str, ...]:
        """Returns which measurements the method needs after an epoch; see `Criterion.measured`.

        Args:
            epoch: Number of the epoch within its stage, from 0.
        """
        del epoch
        return ()

    def begin_stage(self, supernet: Supernet, previous: Supernet) -> None:
        """Copies into a stage what it takes over from the stage before, here nothing.

        Args:
            supernet: The supernet of the stage, built, with initial weights and alphas.
            previous: The supernet of the stage before, as its last epoch left it.
        """
        del supernet, previous

    def batch_size(self, epoch: int, stage: Stage, config: SearchConfig) -> int:
        """Returns the number of images in a batch of an epoch.

        Args:
            epoch: Number of the epoch within its stage, from 0.
            stage: The stage.
            config: The settings of the search.
        """
        del epoch, stage
        return config.batch_size

    def learning_rate(self, epoch: float, stage: Stage, config: SearchConfig) -> float:
        """Returns the learning rate of the weights in an epoch, here on half a cosine.

        Args:
            epoch: Number of the epoch within its stage, from 0; with `cosine_by=step` between whole
                numbers, by the share of its steps that were taken.
            stage: The stage.
            config: The settings of the search.
        """
        return cosine(epoch, stage.epochs, config.learning_rate, config.learning_rate_min)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the layer that owns the architecture parameters and makes edge weights from them.

        Args:
            space: The space of the stage.
            **kwargs: The layer's name and dtype.
        """
        from darts_tf.supernet.relaxation import Relaxation

        return Relaxation(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the relaxation of a stage; overridden where it depends on more than the space.

        Args:
            stage: The stage.
            config: The settings of the search.
            **kwargs: The layer's name and dtype.
        """
        del config
        return self.relaxation(stage.space, **kwargs)

    def supernet_class(self, space: Space) -> type[Supernet]:
        """Returns the class of the supernet, here that of the space's family.

        Args:
            space: The space of the stage.
        """
        from darts_tf.supernet import families

        found: type[Supernet] = families.supernet_class(space)
        return found

    def supernet(self, stage: Stage, config: SearchConfig, classes: int) -> Supernet:
        """Returns the supernet of a stage, not built yet.

        Args:
            stage: The stage.
            config: The settings of the search.
            classes: Number of classes.
        """
        from darts_tf.engine.precision import dtype_policy
        from darts_tf.supernet.families import supernet_arguments

        policy = dtype_policy(config.mixed_precision)
        make: type[Supernet] = self.supernet_class(stage.space)
        arguments = {
            "search_space": stage.space,
            "layers": stage.layers,
            "init_channels": stage.init_channels,
            "classes": classes,
            "synchronized": config.sync_batch_norm,
            "recompute": config.recompute,
            "stem": config.stem,
            "relaxation": self.stage_relaxation(stage, config, dtype=policy, name="relaxation"),
            "partial": stage.partial,
            "dtype": policy,
        }
        return make(**supernet_arguments(stage.space, config, arguments))

    def step(
        self,
        stage: Stage,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> BilevelStep:
        """Returns one iteration of the search, with its optimizers.

        Args:
            stage: The stage.
            supernet: The supernet, built.
            config: The settings of the search.
            loss_scale: The scale of the losses; None for none.
        """
        from darts_tf.searching.bilevel import BilevelStep

        del stage
        return BilevelStep(
            supernet,
            self.weight_optimizer(config, loss_scale),
            self.architecture_optimizer(config, loss_scale),
            lambda optimizer: self.architecture_gradient(config, optimizer),
            loss_scale,
            weight_gradient=self.weight_gradient,
            penalty=self.penalty,
            afterwards=self.after_architecture_step,
            before_pass=self.before_pass,
            resting=self.resting,
            weights_first=self.weights_first or config.weights_first,
            architecture_learns=self.alphas_learn,
            seed=config.seed,
        )

    def weight_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None, **kwargs: Any
    ) -> CoupledOptimizer:
        """Returns the optimizer of the weights, here SGD with momentum.

        Args:
            config: The settings of the search.
            loss_scale: The scale of the losses, which the optimizer divides by; None for none.
            **kwargs: Further arguments of `darts_tf.SGD`.
        """
        from darts_tf.engine.precision import weight_optimizer

        return weight_optimizer(
            loss_scale,
            config.learning_rate,
            config.momentum,
            **{
                "l2": config.weight_decay,
                "clip": config.grad_clip,
                "nesterov": config.nesterov,
                **kwargs,
            },
        )

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns the optimizer of the architecture parameters, here Adam.

        Args:
            config: The settings of the search.
            loss_scale: The scale of the losses, which the optimizer divides by; None for none.
        """
        from darts_tf.engine.precision import architecture_optimizer

        return architecture_optimizer(
            loss_scale,
            config.arch_learning_rate,
            config.arch_momentum,
            l2=config.arch_weight_decay,
        )

    def architecture_gradient(
        self, config: SearchConfig, optimizer: CoupledOptimizer
    ) -> ArchitectureGradient:
        """Returns the function that gives the gradient of the architecture parameters.

        Args:
            config: The settings of the search; `arch_order` names one of DARTS's gradients.
            optimizer: The optimizer of the weights, an `SGD` where second order unrolls it.
        """
        from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS

        return ARCHITECTURE_GRADIENTS[config.arch_order](optimizer)

    def updates_architecture(self, step: int) -> bool:
        """Returns whether a step updates the architecture too, here every one.

        Args:
            step: Number of the step in its epoch, from 0.
        """
        del step
        return True

    def weight_gradient(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
    ) -> tuple[Score, list[tf.Tensor]]:
        """Returns the score of a training batch and the gradient of its loss for each weight.

        Args:
            supernet: The supernet.
            train: This replica's part of the batch.
            seed: Seed of this pass's noise, int32 [2]; None for none.
        """
        from darts_tf.searching.bilevel import weight_gradient

        return weight_gradient(supernet, train, seed)

    def before_pass(self, supernet: Supernet, seed: tf.Tensor | None = None) -> None:
        """Prepares a step of the weights or of the alphas, here not at all.

        Args:
            supernet: The supernet.
            seed: Seed of the noise of the step's passes, int32 [2]; None for none.
        """
        del supernet, seed

    def resting(self, supernet: Supernet, seed: tf.Tensor | None = None) -> list[tf.Tensor] | None:
        """Returns which weights a weight step leaves as they are, here none.

        Such weights get neither gradient nor weight decay, and keep their momentum.

        Args:
            supernet: The supernet.
            seed: Seed of the weight pass's noise, int32 [2]; None for none.

        Returns:
            A bool scalar for each of `supernet.weight_variables`, or None.
        """
        del supernet, seed
        return None

    def penalty(self, supernet: Supernet, seed: tf.Tensor | None = None) -> tf.Tensor | None:
        """Returns a term that is added to the loss of the architecture step, here none.

        Args:
            supernet: The supernet.
            seed: Seed of the architecture pass's noise, int32 [2], with which the relaxation draws
                the same edge weights as in that pass; None for none.

        Returns:
            A scalar, or None.
        """
        del supernet, seed
        return None

    def after_architecture_step(self, supernet: Supernet) -> None:
        """Runs after each update of the architecture, in the step's graph; prunes, for example.

        It may assign variables that the relaxation has made by `add_state`.

        Args:
            supernet: The supernet.
        """
        del supernet

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Prepares an epoch: sets temperatures, masks or rates.

        It is called again with the same epoch when a killed run resumes within that epoch.

        Args:
            epoch: Number of the epoch within its stage, from 0.
            epochs: The most epochs of the stage.
            supernet: The supernet.
        """
        del epoch, epochs, supernet

    def before_training(
        self, epoch: int, epochs: int, supernet: Supernet, validation: Validation
    ) -> None:
        """Runs after `on_epoch_begin`, before the epoch's first step; decides edges, for example.

        It is called again when a killed run resumes within the epoch, so variables of the
        relaxation have to tell whether its work is done already.

        Args:
            epoch: Number of the epoch within its stage, from 0.
            epochs: The most epochs of the stage.
            supernet: The supernet.
            validation: Measures the supernet on the validation images.
        """
        del epoch, epochs, supernet, validation

    def on_epoch_end(
        self, epoch: int, epochs: int, supernet: Supernet, validation: Validation
    ) -> None:
        """Runs once at the end of an epoch, before its record is made; decides edges, for example.

        Args:
            epoch: Number of the epoch within its stage, from 0.
            epochs: The most epochs of the stage.
            supernet: The supernet.
            validation: Measures the supernet on the validation images.
        """
        del epoch, epochs, supernet, validation

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns numbers of the method for an epoch's record, such as a temperature, by name.

        Args:
            supernet: The supernet.
        """
        del supernet
        return {}

    def derive(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype that is derived from the strengths of the relaxation.

        Args:
            strengths: For each cell an array [edges, candidates], each strength from 0 to 1.
            space: The space of the stage.
        """
        return space.derive(strengths)

    def counted(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype whose skip-connects Criterion 1 counts, here the derived one.

        A method whose derivation limits skip-connects returns the genotype without that limit.

        Args:
            strengths: As in `derive`.
            space: The space of the stage.
        """
        return self.derive(strengths, space)

    def get_config(self) -> dict[str, Any]:
        """Returns the method's name and settings, for `darts_tf.methods.get`."""
        return {"name": self.name, **vars(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a method from what `get_config` returned."""
        return cls(**{key: value for key, value in config.items() if key != "name"})
