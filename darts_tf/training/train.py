"""Training of a genotype's network from scratch, and its test."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf import report
from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.data.augment.transforms import (
    LabelledTransform,
    Transform,
    labelled_transform,
    plain_transform,
    training_transform,
)
from darts_tf.data.batches import evaluation_batches, training_batches
from darts_tf.data.dataset import AnyDataset, Dataset
from darts_tf.data.datasets import resolve
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.fingerprint import fingerprint
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.devices import building
from darts_tf.engine.epochs import Epoch, EpochLoop, Line, RunStage
from darts_tf.engine.images import divide, read_images
from darts_tf.engine.precision import (
    dtype_policy,
    make_loss_scale,
    scale_batch,
    unscale_score,
    weight_optimizer,
)
from darts_tf.engine.replicas import check_shares, compile_step
from darts_tf.engine.schedules import each_step, warmed_cosine
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.engine.session import Session, open_session
from darts_tf.engine.workers import open_run
from darts_tf.errors import DivergenceError, UserError
from darts_tf.layers.drop_path import set_drop_path
from darts_tf.networks.initial_weights import start_from
from darts_tf.networks.model_file import load_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.registry import resolve as implementation
from darts_tf.report.board import open_board
from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.progress import training_line
from darts_tf.settings import earlier_lines
from darts_tf.spaces import space_of
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.training.confusions import confusions
from darts_tf.training.ending import end_run
from darts_tf.training.evaluation import error_rates, predictions


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training run.

    Attributes:
        model: The network for inference, from pixels to probabilities, of stock Keras layers.
        result: The contents of `result.json`: errors in percent, parameters, multiply-adds, the
            genotype, and facts of the data set.
    """

    model: keras.Model
    result: Mapping[str, Any]


def train(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str] | RunDirectory,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    data: Any = None,
    verbose: Verbosity = "auto",
) -> TrainingResult:
    """Trains a network from scratch on the whole training set, then tests it (DARTS+, section 4.3).

    The test images are read after the last epoch only. With `held_out` a part of the training
    images takes their place, and the test images are not read at all: its errors, such as
    `valid_top1_error_percent`, may choose among cells or settings. The same settings give the same
    result, bit for bit.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import darts_tf
        >>> images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), np.uint8)
        >>> labels = np.arange(32) % 2
        >>> genotype = darts_tf.zoo.get("DARTS_PLUS_CIFAR10")
        >>> config = darts_tf.TrainingConfig(epochs=1, layers=3, init_channels=2, batch_size=16)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     trained = darts_tf.train(config, genotype, folder, data=(images, labels), verbose=0)
        >>> trained.model.predict(images, verbose=0).shape
        (32, 2)

    Args:
        config: All settings.
        genotype: The cells; or what `read_genotype` reads.
        run_directory: Where the run's files go. A finished run is read, not repeated; an unfinished
            one resumes from its last checkpoint. Of several workers, only the chief uses it. A
            `RunDirectory` has been claimed by the caller.
        callbacks: Keras callbacks, called as `fit` calls them, with the network as their model;
            `model.stop_training = True` ends the run after the epoch.
        data: The data set, in any form that `darts_tf.data.resolve` takes, such as NumPy arrays;
            None for the one that `config` names.
        verbose: "auto" shows a line an epoch where logging has not been configured, and a progress
            bar in a terminal or a notebook; 1 shows both in any case, 0 neither.

    Returns:
        The inference network, and its result.

    Raises:
        UserError: If there is no such data set, the images are too small for the network, the
            directory holds another run, the settings ask for repeats, or a loss is infinite or NaN.
        Interrupted: If SIGTERM or SIGINT has asked for the end; a checkpoint is saved.
        WorkerLost: If another worker has died.
    """
    if config.repeats > 1:
        raise UserError(
            f"repeats: expected 1, got {config.repeats}; train_repeats trains several times"
        )
    genotype = read_genotype(genotype)
    config, dataset = resolve(config, data, space_of(genotype))
    with (
        show_progress(verbose) as bar,
        open_run(run_directory, "train", config, training_flag_lines(config, genotype)) as run,
    ):
        run.describe(Description.of([(config, "")], decided=config.decided(dataset.facts)))
        if run.finished():
            return TrainingResult(load_model(run.model), run.read_outcome())
        with open_session(run, config, bar) as session:
            train_in_session = implementation(_TRAININGS[dataset.facts.kind])
            return TrainingResult(*train_in_session(config, genotype, dataset, session, callbacks))


def _train_in_session(
    config: TrainingConfig,
    genotype: Genotype,
    dataset: AnyDataset,
    session: Session,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[keras.Model, Mapping[str, Any]]:
    """Trains, tests, and writes the files of a run that is not finished."""
    run = session.run
    images = read_images(dataset, run)
    if config.held_out:
        train_split, held_out = divide(
            images.train, images.facts.classes, 1 - config.held_out, 0.0, config.portions_by
        )
        images = replace(images, train=train_split, test=held_out)
    spec = network_spec(config, genotype, images)

    def make_stage(number: int, lines: Sequence[Line], previous: RunStage | None) -> RunStage:
        del number, lines, previous
        training = _Training(config, spec, images, session.strategy)
        if config.initial_model and Checkpoints(run).latest() is None:
            start_from(training.network, config.initial_model)
        return training.stage()

    loop = EpochLoop(session, [config.epochs], make_stage, images.facts, fingerprint(images))
    board = open_board(run, config, loop.history, genotype)
    loop.run(
        _line,
        training_line,
        listeners=[board.add],
        afterwards=[lambda line: report.refresh(run)],
        callbacks=callbacks,
    )
    model = inference_network(loop.stage.model, spec, images.facts.mean, images.facts.deviation)
    scores, labels = predictions(model, images.test, config.batch_size)
    prefix = "valid_" if config.held_out else ""
    errors = {f"{prefix}{name}": error for name, error in error_rates(scores, labels).items()}
    with run.writing(run.answers) as temporary:
        np.save(temporary, np.argmax(scores, axis=1).astype(np.min_scalar_type(scores.shape[1])))
    run.write_json(run.confusions, confusions(scores, labels, images.test))
    facts = images.facts
    data = {"dataset": facts.name, "image_size": facts.image_size, "classes": list(facts.classes)}
    return model, end_run(run, loop, board, model, genotype, errors, data)


# How a network is trained, by the kind of its data set.
_TRAININGS: Mapping[str, Any] = MappingProxyType(
    {
        "images": _train_in_session,
        "text": "darts_tf.training.language:train_language_model",
    }
)


def _line(epoch: Epoch, logs: Mapping[str, float], timing: Mapping[str, float]) -> Line:
    """Returns the line of an epoch in the history."""
    return {
        "epoch": epoch.number,
        "train_loss": logs["loss"],
        "train_accuracy": logs["accuracy"],
        **({"valid_loss": logs["val_loss"]} if "val_loss" in logs else {}),
        **({"valid_accuracy": logs["val_accuracy"]} if "val_accuracy" in logs else {}),
        "learning_rate": logs["learning_rate"],
        "drop_path": logs["drop_path"],
        "timing": timing,
    }


def result_of(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str],
    data: Any = None,
    verbose: Verbosity = "auto",
) -> Mapping[str, Any]:
    """Returns the contents of `result.json` of a training run, after training if it is unfinished.

    The network is not read from a finished run, which would start TensorFlow before the next run of
    this process has set its threads.

    Args:
        config: As in `train`.
        genotype: As in `train`.
        run_directory: As in `train`.
        data: As in `train`.
        verbose: As in `train`.

    Raises:
        UserError: As `train`.
    """
    config, dataset = resolve(config, data)
    run = RunDirectory(run_directory, "train")
    flags, defaults = training_flag_lines(config, genotype), earlier_lines(TrainingConfig)
    if run.claim(flags, defaults, config.extend) != "finished":
        train(config, genotype, run, data=dataset, verbose=verbose)
    return run.read_outcome()


def transforms(
    config: TrainingConfig, facts: DatasetFacts
) -> tuple[Transform, LabelledTransform | None]:
    """Returns the augmentations of images, and of whole batches with their labels or None.

    Args:
        config: The settings, with those that the data set decides filled in.
        facts: Facts of the data set.
    """
    padded = facts if config.padding < 0 else facts.padded(config.padding)
    return (
        training_transform(padded, config.cutout, config.auto_augment),
        labelled_transform(len(facts.classes), config.mixup, config.label_smoothing),
    )


def network_spec(config: TrainingConfig, genotype: Genotype, dataset: Dataset) -> NetworkSpec:
    """Returns the specification of the network, for the images and classes of a data set.

    Args:
        config: The settings.
        genotype: The cells.
        dataset: The data set.
    """
    return NetworkSpec(
        genotype,
        dataset.train.shape,
        len(dataset.facts.classes),
        config.layers,
        config.init_channels,
        config.stem,
        config.squeeze_excite,
    )


class _Training:
    """The network, its images, its optimizer and its compiled step."""

    def __init__(
        self,
        config: TrainingConfig,
        spec: NetworkSpec,
        images: Dataset,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.config = config
        self.strategy = strategy
        self.images = images.train
        check_shares(strategy, len(self.images), config.batch_size)
        self.transform, self.labelled = transforms(config, images.facts)
        with building(strategy):
            self.network = build_network(
                spec,
                auxiliary=config.auxiliary_weight > 0,
                drop_path=config.drop_path > 0,
                synchronized=config.sync_batch_norm,
                dtype=dtype_policy(config.mixed_precision),
            )
            self.loss_scale = make_loss_scale(config.mixed_precision)
            self.optimizer = weight_optimizer(
                self.loss_scale,
                config.learning_rate,
                config.momentum,
                l2=config.weight_decay,
                clip=config.grad_clip,
                nesterov=config.nesterov,
            )
            self.optimizer.build(self.network.trainable_variables)
        self.variables = [
            *self.network.variables,
            *self.optimizer.variables,
            *(self.loss_scale.variables if self.loss_scale else ()),
        ]
        self.step = compile_step(strategy, self._step, config.jit_compile)
        self.held_out = images.test if config.held_out else None
        self.evaluate = compile_step(strategy, self._evaluate, config.jit_compile)
        self.facts = images.facts

    def stage(self) -> RunStage:
        """Returns the only stage of a training run."""
        return RunStage(self.network, self.variables, self.run)

    def run(self, epoch: Epoch) -> dict[str, float]:
        """Runs the rest of an epoch; returns its logs."""
        config = self.config
        rate = self._set_learning_rate(epoch.number)
        drop_path = config.drop_path * epoch.number / config.epochs
        set_drop_path(self.network, drop_path)
        batches = training_batches(
            self.images,
            config.batch_size,
            seed=config.seed,
            epoch=epoch.number,
            transform=self.transform,
            labelled=self.labelled,
            first_step=epoch.steps_done,
        )
        before_step = each_step(config.cosine_by, epoch.number, self._set_learning_rate)
        mean = epoch.train(self.step, batches, len(self.images), config.batch_size, before_step)
        return {
            "loss": mean.loss,
            "accuracy": mean.accuracy,
            **self._validated(epoch),
            "learning_rate": rate,
            "drop_path": drop_path,
        }

    def _validated(self, epoch: Epoch) -> dict[str, float]:
        """Returns the loss and accuracy on the images that are held out; nothing without them.

        They are for a curve: a loss that is no finite number is left out, and does not end the run.
        """
        if self.held_out is None:
            return {}
        size = self.config.batch_size
        last = len(self.held_out) % size
        # Each device needs an image of each batch.
        left_out = last if last < self.strategy.num_replicas_in_sync else 0
        images = len(self.held_out) - left_out
        if not images:
            return {}
        batches = evaluation_batches(self.held_out, size, transform=plain_transform(self.facts))
        batches = batches.take(-(-images // size))
        try:
            mean = epoch.evaluate(self.evaluate, batches, images, size)
        except DivergenceError:
            return {}
        return {"val_loss": mean.loss, "val_accuracy": mean.accuracy}

    def _set_learning_rate(self, epoch: float) -> float:
        config = self.config
        rate = warmed_cosine(
            epoch,
            config.epochs,
            config.learning_rate,
            config.learning_rate_min,
            config.warmup_epochs,
        )
        self.optimizer.learning_rate = rate
        return rate

    def _step(self, *elements: tf.Tensor) -> Score:
        batch = scale_batch(Batch(*elements), self.loss_scale)
        weights = [variable.value for variable in self.network.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outputs = self.network(batch.images, training=True)
            if self.config.auxiliary_weight:
                logits, auxiliary = outputs
                result = score(logits, batch)
                loss = result.loss + self.config.auxiliary_weight * score(auxiliary, batch).loss
            else:
                result = score(outputs, batch)
                loss = result.loss
        result = unscale_score(result, self.loss_scale)
        self.optimizer.apply(tape.gradient(loss, weights))
        return result

    def _evaluate(self, *batch: tf.Tensor) -> Score:
        outputs = self.network(batch[0], training=False)
        return score(outputs[0] if self.config.auxiliary_weight else outputs, Batch(*batch))
