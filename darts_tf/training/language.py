"""Training of a recurrent genotype's language model on a text, and its perplexity."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf import report
from darts_tf.config import TrainingConfig
from darts_tf.data.augment.transforms import plain_transform
from darts_tf.data.batches import evaluation_batches, training_batches
from darts_tf.data.dataset import AnyDataset, Dataset
from darts_tf.data.fingerprint import fingerprint
from darts_tf.data.text import TextSplit
from darts_tf.engine.devices import building
from darts_tf.engine.epochs import Epoch, EpochLoop, Line, RunStage
from darts_tf.engine.images import read_images
from darts_tf.engine.precision import (
    dtype_policy,
    make_loss_scale,
    scale_batch,
    unscale_score,
    weight_optimizer,
)
from darts_tf.engine.replicas import Clock, compile_step
from darts_tf.engine.schedules import warmed_cosine
from darts_tf.engine.scoring import Batch, Score, perplexities, score
from darts_tf.engine.session import Session
from darts_tf.errors import UserError
from darts_tf.layers.recurrent import copies
from darts_tf.networks.recurrent import RecurrentNetwork, inference_language_model
from darts_tf.report.board import open_board
from darts_tf.runs.progress import training_line
from darts_tf.spaces.genotype import Genotype
from darts_tf.training.averaging import Averages
from darts_tf.training.ending import end_run

# Words that are read at once where nothing is learned.
_AT_ONCE = 256


def train_language_model(
    config: TrainingConfig,
    genotype: Genotype,
    dataset: AnyDataset,
    session: Session,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[keras.Model, Mapping[str, Any]]:
    """Trains a language model, measures its perplexity, and writes the files of a run.

    Args:
        config: All settings; those of images are not read.
        genotype: The cell.
        dataset: The text.
        session: The run, which is not finished.
        callbacks: As for `darts_tf.train`.

    Returns:
        The model for inference, and the contents of `result.json`.

    Raises:
        UserError: If a setting asks for what a language model does not have, or a loss is infinite
            or NaN.
        Interrupted: If SIGTERM or SIGINT has asked for the end; a checkpoint is saved.
    """
    if config.initial_model:
        raise UserError("initial_model: expected none for a text, got one")
    run = session.run
    text = read_images(dataset, run)
    made: list[_Training] = []  # the only entry: a run has one stage

    def make_stage(number: int, lines: Sequence[Line], previous: RunStage | None) -> RunStage:
        del number, lines, previous
        made[:] = [_Training(config, genotype, text, session.strategy)]
        return made[0].stage()

    loop = EpochLoop(session, [config.epochs], make_stage, text.facts, fingerprint(text))
    board = open_board(run, config, loop.history, genotype)
    loop.run(
        _line,
        training_line,
        listeners=[board.add],
        afterwards=[lambda line: report.refresh(run)],
        callbacks=callbacks,
    )
    network, averages = made[0].network, made[0].averages
    test: Any = text.test
    valid: Any = text.train.portions(1.0)[1]
    with averages.in_use():
        model = inference_language_model(network)
        measured = {"valid_perplexity": perplexity(network, valid)}
        if not config.held_out:
            measured["test_perplexity"] = perplexity(network, test)
    run.write_json(run.vocabulary, {"words": list(text.facts.classes)})
    data = {"dataset": text.facts.name, "vocabulary": len(text.facts.classes)}
    return model, end_run(run, loop, board, model, genotype, measured, data)


def perplexity(network: RecurrentNetwork, text: TextSplit) -> float:
    """Returns the perplexity of a network on a whole text, which is read as one row.

    Args:
        network: The network, built.
        text: The text, not arranged. Its first word, before which there is none, is not predicted.
    """

    @tf.function(reduce_retracing=True, autograph=False)
    def read(words: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits, state = network.go_on(words[:, :-1], state)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            words[:, 1:], tf.cast(logits, tf.float32)
        )
        return tf.reduce_sum(tf.cast(losses, tf.float64)), state

    state = tf.zeros((1, network.size), network.compute_dtype)
    total, words = 0.0, text.words[None]
    for start in range(0, len(text) - 1, _AT_ONCE):
        loss, state = read(tf.constant(words[:, start : start + _AT_ONCE + 1]), state)
        total += float(loss)
    return perplexities({"val_loss": total / (len(text) - 1)})["valid_perplexity"]


def _line(epoch: Epoch, logs: Mapping[str, float], timing: Mapping[str, float]) -> Line:
    """Returns the line of an epoch in the history."""
    return {
        "epoch": epoch.number,
        "train_loss": logs["loss"],
        "train_accuracy": logs["accuracy"],
        "valid_loss": logs["val_loss"],
        "valid_accuracy": logs["val_accuracy"],
        **perplexities(logs),
        "learning_rate": logs["learning_rate"],
        "timing": timing,
    }


class _Training:
    """The network, its text, its optimizer and its compiled steps."""

    def __init__(
        self,
        config: TrainingConfig,
        genotype: Genotype,
        text: Dataset,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.config = config
        self.train, self.valid = (
            part.arranged(config.batch_size, config.text_bptt) for part in text.train.portions(1.0)
        )
        self.transform = plain_transform(text.facts)
        with building(strategy):
            self.network = RecurrentNetwork(
                genotype,
                len(text.facts.classes),
                config.init_channels,
                config.batch_size,
                config.text_dropout(),
                dtype=dtype_policy(config.mixed_precision),
            )
            self.network.build()
            self.loss_scale = make_loss_scale(config.mixed_precision)
            self.optimizer = weight_optimizer(
                self.loss_scale,
                config.learning_rate,
                config.momentum,
                l2=config.weight_decay,
                clip=config.grad_clip,
            )
            self.optimizer.build(self.network.trainable_variables)
            self.averages = Averages(self.network.trainable_variables, config.text_nonmono)
        self.variables = [
            *self.network.variables,
            *self.optimizer.variables,
            *(self.loss_scale.variables if self.loss_scale else ()),
            *self.averages.variables,
        ]
        self.step = compile_step(
            strategy,
            lambda clock, *batch: self._step(clock, Batch(*batch)),
            config.jit_compile,
            clocked=True,
        )
        self.evaluate = compile_step(strategy, self._evaluate, config.jit_compile)

    def stage(self) -> RunStage:
        """Returns the only stage of a training run."""
        return RunStage(self.network, self.variables, self.run)

    def run(self, epoch: Epoch) -> dict[str, float]:
        """Runs the rest of an epoch, validates, and returns the epoch's logs."""
        config = self.config
        rate = warmed_cosine(
            epoch.number,
            config.epochs,
            config.learning_rate,
            config.learning_rate_min,
            config.warmup_epochs,
        )
        self.optimizer.learning_rate = rate
        batches = training_batches(
            self.train,
            config.batch_size,
            seed=config.seed,
            epoch=epoch.number,
            transform=self.transform,
            first_step=epoch.steps_done,
        )
        mean = epoch.train(self.step, batches, len(self.train), config.batch_size)
        batches = evaluation_batches(self.valid, config.batch_size, transform=self.transform)
        with self.averages.in_use():
            valid = epoch.evaluate(self.evaluate, batches, len(self.valid), config.batch_size)
        self.averages.watch(valid.loss)
        return {
            "loss": mean.loss,
            "accuracy": mean.accuracy,
            "val_loss": valid.loss,
            "val_accuracy": valid.accuracy,
            "learning_rate": rate,
        }

    def _step(self, clock: Clock, batch: Batch) -> Score:
        batch = scale_batch(batch, self.loss_scale)
        seed = tf.constant([self.config.seed, 0], tf.int32)
        for part in clock:
            seed = tf.random.experimental.stateless_fold_in(seed, part)
        weights = [variable.value for variable in self.network.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            states, logits = self.network.states_and_logits(batch.images, True, seed)
            result = score(logits, batch)
            loss = result.loss + self._slowness(states, batch.sample_weights)
        result = unscale_score(result, self.loss_scale)
        self.optimizer.apply(tape.gradient(loss, weights))
        self.averages.update()
        return result

    def _slowness(self, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Returns AWD-LSTM's temporal activation regularization, times the loss scale."""
        if not self.config.text_slowness or self.config.text_bptt < 2:
            return tf.zeros((), weights.dtype)
        later, earlier, _ = copies(states, 3)  # the decoder is the third reader
        changes = tf.cast(later[:, 1:] - earlier[:, :-1], weights.dtype)
        return (
            self.config.text_slowness
            * tf.reduce_mean(tf.square(changes))
            * tf.reduce_sum(weights)  # 1, or the loss scale
        )

    def _evaluate(self, *batch: tf.Tensor) -> Score:
        return score(self.network(batch[0], training=False), Batch(*batch))
