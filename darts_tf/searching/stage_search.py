"""A stage of a search: the supernet with its images, steps and optimizers, epoch by epoch."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.data.augment.transforms import plain_transform, search_transform
from darts_tf.data.batches import (
    endless_batches,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from darts_tf.data.dataset import Dataset
from darts_tf.engine.devices import building
from darts_tf.engine.epochs import Epoch, Line, RunStage
from darts_tf.engine.images import divide
from darts_tf.engine.loop import Mean
from darts_tf.engine.precision import make_loss_scale
from darts_tf.engine.replicas import Clock, check_shares, compile_step
from darts_tf.engine.schedules import each_step
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.engine.variables_state import VariablesState
from darts_tf.errors import DivergenceError
from darts_tf.layers.normalization import average_statistics
from darts_tf.registry import resolve as implementation
from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import methods
from darts_tf.searching.costs import cost_factor
from darts_tf.searching.measurements import MEASUREMENTS
from darts_tf.supernet.shared_trace import keeping, passing_variables

_logger = logging.getLogger(__name__)


class StageSearch:
    """The supernet of a stage, with its data and its compiled steps.

    Args:
        config: The settings of the search.
        method: The method of the search.
        plan: The stage.
        strategy: The strategy of the devices.
        images: The data set of the search.
        measured: From the number of an epoch within its stage to the names of the measurements that
            are made after it.

    Attributes:
        supernet: The supernet, built.
        optimizer: The optimizer of its weights.
        architecture_optimizer: The optimizer of its architecture parameters.
        variables: All variables that change: those of the supernet, the optimizers and the loss
            scale.
        plan: The stage, with its number of steps.
    """

    def __init__(
        self,
        config: SearchConfig,
        method: methods.Method,
        plan: methods.Stage,
        strategy: tf.distribute.Strategy,
        images: Dataset,
        measured: Callable[[int], Sequence[str]],
    ) -> None:
        self.config = config
        self.method = method
        self.measured = measured
        self.measurements: dict[str, Callable[[tf.data.Dataset], float]] = {}
        self.strategy = strategy
        self.facts = images.facts
        self.train, self.valid = divide(
            images.train,
            self.facts.classes,
            config.train_portion,
            config.valid_portion,
            config.portions_by,
        )
        if method.whole_training_set:
            self.train = images.train
        self.train, self.valid = (
            part.arranged(config.batch_size, config.text_bptt) for part in (self.train, self.valid)
        )
        numbers = range(plan.start_epoch, plan.epochs)
        for batch_size in {method.batch_size(number, plan, config) for number in numbers}:
            check_shares(strategy, len(self.train), batch_size)
        check_shares(strategy, len(self.valid), config.batch_size)
        steps = steps_per_epoch(len(self.train), config.batch_size)
        self.plan = plan = replace(plan, steps=steps)
        with building(strategy):
            self.supernet = method.supernet(plan, config, len(self.facts.classes))
            loss_scale = make_loss_scale(config.mixed_precision)
            self.supernet.build((None, *self.train.shape))
            for cell, alphas in (plan.start or {}).items():
                self.supernet.relaxation.alphas[cell].assign(np.asarray(alphas))
            step = method.step(plan, self.supernet, config, loss_scale)
        self.cost = step.cost = cost_factor(config, self.supernet)
        self.optimizer = step.weight_optimizer
        self.architecture_optimizer = step.architecture_optimizer
        self.variables = [
            *self.supernet.variables,
            *step.weight_optimizer.variables,
            *step.architecture_optimizer.variables,
            *(loss_scale.variables if loss_scale else ()),
        ]
        self.bilevel = compile_step(
            strategy,
            lambda clock, train, valid: step(Batch(*train), Batch(*valid), clock),
            config.jit_compile,
            clocked=True,
        )
        self.weights_only = compile_step(
            strategy,
            lambda clock, train, valid: step.update_weights(Batch(*train), clock),
            config.jit_compile,
            clocked=True,
        )
        self.evaluate = compile_step(strategy, self._evaluate, config.jit_compile)
        self.evaluate_by_batch = compile_step(strategy, self._evaluate_by_batch, config.jit_compile)

    def go_on(self, previous: "StageSearch") -> None:
        """Takes over the state of the architecture's optimizer, where the plan says so.

        Args:
            previous: The stage before.
        """
        if not self.plan.arch_optimizer_goes_on:
            return
        for variable, before in zip(
            self.architecture_optimizer.variables,
            previous.architecture_optimizer.variables,
            strict=True,
        ):
            variable.assign(before.numpy())

    def go_back(self, run: RunDirectory) -> None:
        """Restores the state after an earlier epoch, where the plan says so.

        Args:
            run: The run, which has the snapshot.
        """
        if self.plan.goes_back_to is None:
            return
        state = Checkpoints(run).snapshot(self.plan.goes_back_to)
        VariablesState(self.strategy, self.variables).restore(state)
        number, epoch = self.plan.number, self.plan.goes_back_to
        _logger.info("stage %d goes back to the state after epoch %d", number, epoch)

    def keep_state(
        self, run: RunDirectory, counting: Sequence[EpochRecord], lines: Sequence[Line]
    ) -> None:
        """Writes down the state after an epoch if a later stage may go back to it.

        Args:
            run: The run.
            counting: The records that count in the stage.
            lines: All lines of the history.
        """
        wanted = self.method.snapshots(counting)
        if not wanted:
            return
        checkpoints, epoch = Checkpoints(run), counting[-1].epoch
        if epoch in wanted:
            state = VariablesState(self.strategy, self.variables)
            checkpoints.save_snapshot(epoch, state.arrays())
        # A run that is killed may be resumed from its oldest checkpoint.
        earlier = [EpochRecord.from_dict(line) for line in lines[: checkpoints.oldest_epoch()]]
        if not earlier:
            return
        then = self.method.counting(earlier[-1].stage, earlier)
        checkpoints.keep_snapshots({*wanted, *self.method.snapshots(then)})

    def stage(
        self,
        over: Callable[[Sequence[Line]], bool],
        leads_on: Callable[[Sequence[Line]], bool],
    ) -> RunStage:
        """Returns the stage for the epoch loop.

        Args:
            over: Tells whether the stage ends before its last epoch.
            leads_on: Tells whether another stage follows.
        """
        epochs = self.plan.epochs - self.plan.start_epoch
        return RunStage(self.supernet, self.variables, self.run, over, leads_on, epochs)

    def run(self, epoch: Epoch) -> dict[str, float]:
        """Runs the steps of an epoch that are left, validates, and returns the epoch's logs.

        Args:
            epoch: The epoch.

        Returns:
            Numbers by Keras's names, such as `val_loss`, and the measurements by theirs.

        Raises:
            DivergenceError: If a loss, a variable or a measurement is infinite or NaN.
        """
        config, plan = self.config, self.plan
        number = plan.start_epoch + epoch.of_stage
        rate = self._set_learning_rate(number)
        self.method.on_epoch_begin(number, plan.epochs, self.supernet)

        all_batches = evaluation_batches(
            self.valid, config.batch_size, transform=plain_transform(self.facts)
        )

        def validation(*, batches: int | None = None, by_batch: bool = False) -> Mean:
            images, count = all_batches, len(self.valid)
            if batches is not None:
                images, count = all_batches.take(batches), min(count, batches * config.batch_size)
            evaluate = self.evaluate_by_batch if by_batch else self.evaluate
            return epoch.evaluate(evaluate, images, count, config.batch_size)

        self.method.before_training(number, plan.epochs, self.supernet, validation)
        learns = number >= plan.arch_start_epoch

        def step(element: Any, spec: Any, clock: Clock) -> Score:
            both = learns and self.method.updates_architecture(clock.step)
            return (self.bilevel if both else self.weights_only)(element, spec, clock)

        batch_size = self.method.batch_size(number, plan, config)
        batches = self._batches(epoch.number, number, epoch.steps_done, batch_size)
        before_step = each_step(config.cosine_by, number, self._set_learning_rate)
        train = epoch.train(step, batches, len(self.train), batch_size, before_step)
        average_statistics(self.supernet)
        valid = validation()
        self.method.on_epoch_end(number, plan.epochs, self.supernet, validation)
        return {
            "loss": train.loss,
            "accuracy": train.accuracy,
            "val_loss": valid.loss,
            "val_accuracy": valid.accuracy,
            "learning_rate": rate,
            **self._measure(epoch, number, batch_size),
        }

    def _set_learning_rate(self, epoch: float) -> float:
        rate = self.method.learning_rate(epoch, self.plan, self.config)
        self.optimizer.learning_rate = rate
        return rate

    def cost_measures(self) -> dict[str, float]:
        """Returns the expected cost for an epoch's record, in its unit; none without a cost."""
        if self.cost is None:
            return {}
        weights = self.supernet.relaxation.expected_weights()
        expected = self.cost.costs.expected(self.supernet.for_cells(weights))
        return {"expected_cost": float(expected)}

    def _measurement(self, name: str) -> Callable[[tf.data.Dataset], float]:
        """Returns the function of a measurement, which is made on first use."""
        if name not in self.measurements:
            make = implementation(MEASUREMENTS[name])
            optimizer = self.architecture_optimizer
            self.measurements[name] = make(self.strategy, self.supernet, optimizer)
        return self.measurements[name]

    def _measure(self, epoch: Epoch, number: int, batch_size: int) -> dict[str, float]:
        """Returns the measurements that are due, on the batch of the last architecture step."""
        last = steps_per_epoch(len(self.train), batch_size) - 1
        numbers = {}
        for name in self.measured(number):
            batch = self._validation_batches(epoch.number, number, last, batch_size)
            numbers[name] = self._measurement(name)(batch)
            if not math.isfinite(numbers[name]):
                raise DivergenceError(
                    f"epoch {epoch.number}: expected a finite {name}, got {numbers[name]}; the "
                    "checkpoints before it are kept. Try a lower --arch_learning_rate first"
                )
        return numbers

    def _batches(self, epoch: int, number: int, first: int, batch_size: int) -> tf.data.Dataset:
        """Returns pairs of training and validation batches of an epoch, from step `first` on."""
        train = training_batches(
            self.train,
            batch_size,
            seed=self.config.seed,
            epoch=epoch,
            transform=search_transform(self.facts),
            first_step=first,
        )
        valid = self._validation_batches(epoch, number, first, batch_size)
        return tf.data.Dataset.zip(train, valid)

    def _validation_batches(
        self, epoch: int, number: int, first: int, batch_size: int
    ) -> tf.data.Dataset:
        """Returns the batches of an epoch's architecture steps.

        They have as many images as a batch of an epoch's weight steps, even if validation images
        have to come again, but no more than there are.

        Args:
            epoch: Number of the epoch, from 0.
            number: Its number in the stage.
            first: The first step.
            batch_size: Images in a batch of this epoch.
        """
        sizes = [self.method.batch_size(n, self.plan, self.config) for n in range(number)]
        sizes += [self.config.batch_size] * (epoch - number)  # of earlier stages
        steps = [steps_per_epoch(len(self.train), size) for size in sizes]
        most = max(len(self.train), len(self.valid))
        *sizes, batch_size = (min(size, most) for size in (*sizes, batch_size))
        images = sum(size * count for size, count in zip(sizes, steps, strict=True))
        return endless_batches(
            self.valid,
            batch_size,
            seed=self.config.seed,
            first_step=sum(steps) + first,
            steps=steps_per_epoch(len(self.train), batch_size) - first,
            transform=search_transform(self.facts),
            first_image=images + first * batch_size,
        )

    def _evaluate(self, *batch: tf.Tensor) -> Score:
        return score(self.supernet(batch[0], training=False), Batch(*batch))

    def _evaluate_by_batch(self, *batch: tf.Tensor) -> Score:
        with keeping(passing_variables(self.supernet)):
            return score(self.supernet(batch[0], training=True), Batch(*batch))
