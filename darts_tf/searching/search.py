"""The search: alternating steps, epoch by epoch, until a criterion of DARTS+ stops it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import tensorflow as tf

from darts_tf import data, report
from darts_tf.config import SearchConfig, flag_lines
from darts_tf.data.augment.transforms import plain_transform, search_transform
from darts_tf.data.batches import (
    endless_batches,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from darts_tf.engine.epochs import Epoch, EpochLoop, Line, Stage
from darts_tf.engine.optimizers import cosine
from darts_tf.engine.precision import (
    architecture_optimizer,
    dtype_policy,
    make_loss_scale,
    weight_optimizer,
)
from darts_tf.engine.replicas import check_shares, compile_step
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.engine.session import Session, started
from darts_tf.engine.workers import own_run
from darts_tf.layers.normalization import average_statistics
from darts_tf.report.tensorboard import Board
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.progress import search_line
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.searching.callbacks import StopSearch
from darts_tf.searching.stopping import Criterion, SkipConnects, StableRanking, never, state
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, AnyGenotype, read_genotype
from darts_tf.supernet.model import Supernet


@dataclass(frozen=True)
class SearchResult:
    """What a search ends with.

    Attributes:
        genotype: The cells of the stopping epoch.
        epoch: Number of that epoch, from 0.
        reason: Why the search ended there.
        records: One record an epoch.
    """

    genotype: AnyGenotype
    epoch: int
    reason: str
    records: tuple[EpochRecord, ...]


def search(
    config: SearchConfig,
    run_directory: str | os.PathLike[str],
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> SearchResult:
    """Searches for a cell and stops early (DARTS+, section 4.2).

    The same settings give the same history and genotype, to the bit.

    Args:
        config: All settings.
        run_directory: Where the run's files go. A finished run there is read, not repeated; an
            unfinished one goes on from its last checkpoint. Of several workers, only the chief
            has it.
        callbacks: Keras callbacks, called as `fit` calls them, with the supernet as their model;
            `model.stop_training = True` ends the search after the epoch.

    Returns:
        The genotype of the stopping epoch, and the records.

    Raises:
        UserError: If the data set is not there, the directory holds another run, or a loss is not a
            number.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the run is saved.
        WorkerLost: If another worker has died.
    """
    data.check(config.dataset, config.data_dir, config.download)
    with own_run(run_directory, "search", config, flag_lines(config)) as run:
        if run.outcome.exists():
            return _finished(run)
        with started(run, config) as session:
            return _searched(config, session, callbacks)


def _searched(
    config: SearchConfig, session: Session, callbacks: Sequence[keras.callbacks.Callback]
) -> SearchResult:
    run = session.run
    images = data.load(config.dataset, config.data_dir, config.image_size, config.download)

    def make_stage(number: int, lines: Sequence[Line], previous: Stage | None) -> Stage:
        del number, lines, previous
        return _Searching(config, session.strategy, images).stage()

    loop = EpochLoop(session, images.facts, [config.epochs], make_stage)
    stop = StopSearch(
        criterion(config),
        ranks=config.stable_ranks,
        first_epoch=config.arch_start_epoch,
        records=[EpochRecord.from_dict(line) for line in loop.history],
    )
    board = Board(run, config, loop.history)

    def line(epoch: Epoch, logs: Mapping[str, float], timing: Mapping[str, float]) -> Line:
        del epoch, logs
        stop.records[-1] = replace(stop.records[-1], timing=timing)
        return stop.records[-1].to_dict()

    loop.run(
        line,
        lambda line, left: _line(config, stop, left),
        listeners=[board.add, lambda line: report.refresh(run)],
        callbacks=[stop, *callbacks],
    )
    board.finish()
    genotype = stop.genotype
    if genotype is None:
        raise RuntimeError("the supernet's cells gave no genotype")
    epoch = stop.records[-1].epoch
    last = f"the last of {config.epochs} epochs"
    reason = stop.reason or (
        last if epoch + 1 == config.epochs else "a callback stopped the search"
    )
    run.write_json(
        run.genotype,
        {
            "genotype": genotype.to_dict(),
            "epoch": epoch,
            "reason": reason,
            "cost": loop.cost(),
        },
    )
    report.refresh(run)
    return SearchResult(genotype, epoch, reason, tuple(stop.records))


def _line(config: SearchConfig, stop: StopSearch, left: float) -> str:
    """Returns what a person is told of the last epoch."""
    record = stop.records[-1]
    words = state(stop.criterion, stop.records)
    if record.epoch < config.arch_start_epoch:
        words = "weights only"
    return search_line(record, words, left)


def criterion(config: SearchConfig) -> Criterion:
    """Returns the criterion that the settings ask for."""
    kinds = CELLS if config.stop_cells == "both" else (config.stop_cells,)
    known = STAGED_CELLS if config.share_alphas == "stage" else CELLS
    cells = tuple(cell for cell in known if cell.partition("_")[0] in kinds)
    match config.stop_criterion:
        case "skip_connects":
            return SkipConnects(config.stop_at_skip_connects, cells, config.min_epochs)
        case "stable_ranking":
            return StableRanking(config.stable_epochs, cells, config.min_epochs)
    return never


class _Searching:
    """The supernet with its data and compiled steps."""

    def __init__(
        self, config: SearchConfig, strategy: tf.distribute.Strategy, images: data.Dataset
    ) -> None:
        self.config = config
        self.facts = images.facts
        self.train, self.valid = images.train.portions(config.train_portion, config.valid_portion)
        for split in (self.train, self.valid):
            check_shares(strategy, len(split), config.batch_size)
        with strategy.scope():
            self.supernet = Supernet(
                layers=config.layers,
                init_channels=config.init_channels,
                classes=len(self.facts.classes),
                synchronized=config.sync_batch_norm,
                recompute=config.recompute,
                stem=config.stem,
                by_stage=config.share_alphas == "stage",
                dtype=dtype_policy(config.mixed_precision),
            )
            loss_scale = make_loss_scale(config.mixed_precision)
            self.supernet.build((None, *self.train.shape))
            step = BilevelStep(
                self.supernet,
                weight_optimizer(
                    loss_scale,
                    config.learning_rate,
                    config.momentum,
                    l2=config.weight_decay,
                    clip=config.grad_clip,
                ),
                architecture_optimizer(
                    loss_scale, config.arch_learning_rate, l2=config.arch_weight_decay
                ),
                ARCHITECTURE_GRADIENTS[config.arch_order],
                loss_scale,
            )
        self.optimizer = step.weight_optimizer
        self.variables = [
            *self.supernet.variables,
            *step.weight_optimizer.variables,
            *step.architecture_optimizer.variables,
            *(loss_scale.variables if loss_scale else ()),
        ]
        self.bilevel = compile_step(
            strategy,
            lambda clock, train, valid: step(Batch(*train), Batch(*valid)),
            config.jit_compile,
            clocked=True,
        )
        self.weights_only = compile_step(
            strategy,
            lambda clock, train, valid: step.update_weights(Batch(*train)),
            config.jit_compile,
            clocked=True,
        )
        self.evaluate = compile_step(strategy, self._evaluate, config.jit_compile)

    def stage(self) -> Stage:
        """Returns what the epoch loop needs of it."""
        return Stage(self.supernet, self.variables, self.run)

    def run(self, epoch: Epoch) -> dict[str, float]:
        """Runs what is left of an epoch; returns its logs."""
        config = self.config
        rate = cosine(epoch.of_stage, config.epochs, config.learning_rate, config.learning_rate_min)
        self.optimizer.learning_rate = rate
        step = self.bilevel if epoch.of_stage >= config.arch_start_epoch else self.weights_only
        batches = self._batches(epoch.number, epoch.steps_done)
        train = epoch.train(step, batches, len(self.train), config.batch_size)
        average_statistics(self.supernet)
        plain = evaluation_batches(
            self.valid, config.batch_size, transform=plain_transform(self.facts)
        )
        valid = epoch.evaluate(self.evaluate, plain, len(self.valid), config.batch_size)
        return {
            "loss": train.loss,
            "accuracy": train.accuracy,
            "val_loss": valid.loss,
            "val_accuracy": valid.accuracy,
            "learning_rate": rate,
        }

    def _batches(self, epoch: int, first: int) -> tf.data.Dataset:
        steps = steps_per_epoch(len(self.train), self.config.batch_size)
        seed, transform = self.config.seed, search_transform(self.facts)
        train = training_batches(
            self.train,
            self.config.batch_size,
            seed=seed,
            epoch=epoch,
            transform=transform,
            first_step=first,
        )
        valid = endless_batches(
            self.valid,
            self.config.batch_size,
            seed=seed,
            first_step=epoch * steps + first,
            steps=steps - first,
            transform=transform,
        )
        return tf.data.Dataset.zip(train, valid)

    def _evaluate(self, *batch: tf.Tensor) -> Score:
        return score(self.supernet(batch[0], training=False), Batch(*batch))


def _finished(run: RunDirectory) -> SearchResult:
    found = run.read_json(run.genotype)
    records = tuple(EpochRecord.from_dict(line) for line in run.read_history())
    return SearchResult(read_genotype(found), int(found["epoch"]), str(found["reason"]), records)
