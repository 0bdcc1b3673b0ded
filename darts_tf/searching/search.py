"""The search: alternating steps, epoch by epoch, until a criterion of DARTS+ stops it."""

import logging
import os
import time
from collections.abc import Callable
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
from darts_tf.engine.devices import make_repeatable, make_strategy
from darts_tf.engine.durability import Durability
from darts_tf.engine.loop import Mean, Pace, device_name, run_epoch
from darts_tf.engine.optimizers import cosine
from darts_tf.engine.precision import (
    architecture_optimizer,
    dtype_policy,
    make_loss_scale,
    weight_optimizer,
)
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.replicas import check_shares, compile_step
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.engine.workers import own_run
from darts_tf.layers.normalization import average_statistics
from darts_tf.report.tensorboard import Board
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.interruption import Request, noticing
from darts_tf.runs.progress import search_line, seconds_left
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.searching.callbacks import StopSearch
from darts_tf.searching.stopping import Criterion, SkipConnects, StableRanking, never, state
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, AnyGenotype, read_genotype
from darts_tf.supernet.model import Supernet

_logger = logging.getLogger(__name__)


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


def search(config: SearchConfig, run_directory: str | os.PathLike[str]) -> SearchResult:
    """Searches for a cell and stops early (DARTS+, section 4.2).

    The same settings give the same history and genotype, to the bit.

    Args:
        config: All settings.
        run_directory: Where the run's files go. A finished run there is read, not repeated; an
            unfinished one goes on from its last checkpoint. Of several workers, only the chief
            has it.

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
        make_repeatable(config.seed, config.threads, config.jit_compile)
        strategy = make_strategy(config.strategy)
        with noticing() as request:  # after the strategy, which would take SIGTERM for itself
            return _searched(config, run, strategy, request)


def _searched(
    config: SearchConfig,
    run: RunDirectory,
    strategy: tf.distribute.Strategy,
    request: Request,
) -> SearchResult:
    profiler = Profiler(config.profiled(), run.tensorboard)
    epochs = _Epochs(config, strategy, profiler)
    durability = Durability(run, config, strategy, epochs.variables, request, epochs.facts)
    stop = StopSearch(
        criterion(config),
        ranks=config.stable_ranks,
        first_epoch=config.arch_start_epoch,
        records=[EpochRecord.from_dict(line) for line in durability.go_on()],
    )
    board = Board(run, config, [record.to_dict() for record in stop.records])
    callbacks = keras.callbacks.CallbackList([stop], model=epochs.supernet)
    epochs.supernet.stop_training = False
    callbacks.on_train_begin()
    with profiler:
        while durability.epoch < config.epochs and not epochs.supernet.stop_training:
            begun, epoch = time.monotonic(), durability.epoch
            callbacks.on_epoch_begin(epoch)
            logs, pace = epochs.run(epoch, durability)
            callbacks.on_epoch_end(epoch, logs)
            timing = {"seconds": time.monotonic() - begun, **pace._asdict()}
            record = stop.records[-1] = replace(stop.records[-1], timing=timing)
            line = record.to_dict()
            run.append_history(line)
            board.add(line)
            _logger.info(_line(config, stop))
            report.refresh(run)
            durability.after_epoch()
    callbacks.on_train_end()
    board.finish()
    reason = stop.reason or f"the last of {config.epochs} epochs"
    genotype = stop.genotype
    if genotype is None:
        raise RuntimeError("the supernet's cells gave no genotype")
    epoch = stop.records[-1].epoch
    seconds = sum(record.timing["seconds"] for record in stop.records)
    days = seconds * strategy.num_replicas_in_sync / 86400
    run.write_json(
        run.genotype,
        {
            "genotype": genotype.to_dict(),
            "epoch": epoch,
            "reason": reason,
            "cost": {"device_days": days, "device": device_name()},
        },
    )
    report.refresh(run)
    return SearchResult(genotype, epoch, reason, tuple(stop.records))


def _line(config: SearchConfig, stop: StopSearch) -> str:
    """Returns what a person is told of the last epoch."""
    record = stop.records[-1]
    words = state(stop.criterion, stop.records)
    if record.epoch < config.arch_start_epoch:
        words = "weights only"
    seconds = [one.timing["seconds"] for one in stop.records]
    left = 0.0 if stop.reason else seconds_left(seconds, config.epochs)
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


class _Epochs:
    """The supernet with its data and compiled steps."""

    def __init__(
        self, config: SearchConfig, strategy: tf.distribute.Strategy, profiler: Profiler
    ) -> None:
        self.config = config
        self.profiler = profiler
        self.strategy = strategy
        images = data.load(config.dataset, config.data_dir, config.image_size, config.download)
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
            lambda train, valid: step(Batch(*train), Batch(*valid)),
            config.jit_compile,
        )
        self.weights_only = compile_step(
            strategy,
            lambda train, valid: step.update_weights(Batch(*train)),
            config.jit_compile,
        )
        self.evaluate = compile_step(strategy, self._evaluate, config.jit_compile)

    def run(self, epoch: int, durability: Durability) -> tuple[dict[str, float], Pace]:
        """Runs what is left of an epoch; returns its logs and the pace of its training steps."""
        rate = cosine(
            epoch, self.config.epochs, self.config.learning_rate, self.config.learning_rate_min
        )
        self.optimizer.learning_rate = rate
        step = self.bilevel if epoch >= self.config.arch_start_epoch else self.weights_only
        train, pace = self._run(
            step,
            self._batches(epoch, len(durability.scores)),
            len(self.train),
            f"epoch {epoch}, training",
            self.profiler,
            durability,
        )
        average_statistics(self.supernet)
        plain = evaluation_batches(
            self.valid,
            self.config.batch_size,
            transform=plain_transform(self.facts),
        )
        valid, _ = self._run(self.evaluate, plain, len(self.valid), f"epoch {epoch}, validation")
        logs = {
            "loss": train.loss,
            "accuracy": train.accuracy,
            "val_loss": valid.loss,
            "val_accuracy": valid.accuracy,
            "learning_rate": rate,
        }
        return logs, pace

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

    def _run(
        self,
        step: Callable[..., Score],
        batches: tf.data.Dataset,
        images: int,
        text: str,
        profiler: Profiler | None = None,
        durability: Durability | None = None,
    ) -> tuple[Mean, Pace]:
        size = self.config.batch_size
        return run_epoch(step, iter(batches), images, size, text, profiler, durability)

    def _evaluate(self, *batch: tf.Tensor) -> Score:
        return score(self.supernet(batch[0], training=False), Batch(*batch))


def _finished(run: RunDirectory) -> SearchResult:
    found = run.read_json(run.genotype)
    records = tuple(EpochRecord.from_dict(line) for line in run.read_history())
    return SearchResult(read_genotype(found), int(found["epoch"]), str(found["reason"]), records)
