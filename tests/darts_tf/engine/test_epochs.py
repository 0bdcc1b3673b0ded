"""The epoch loop: stages in a row, runs that are killed anywhere, and what callbacks are told."""

import csv
import gc
import json
import signal
import weakref
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.engine.epochs import EpochLoop, RunStage
from darts_tf.engine.replicas import compile_step
from darts_tf.engine.scoring import Score
from darts_tf.engine.session import Session
from darts_tf.errors import UserError
from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Interrupted, Request, noticing

LENGTHS = (2, 3, 1)
BATCHES, BATCH_SIZE = 2, 4
CONFIG = SearchConfig(dataset="digits", checkpoint_every="1step", seed=3)


class Killed(Exception):  # noqa: N818 - it is not an error
    """Ends a run as a kill does: without a word to anybody."""


class Walk:
    """A stage whose model has one weight, which takes a random step as its clock says."""

    def __init__(self, number, strategy, killed_at=None):
        self.model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(number + 1)])
        self.killed_at = killed_at
        self.taken = []
        weight = self.model.weights[0]

        def step(clock, images):
            seed = tf.stack([100 * number + clock.epoch, clock.step])
            weight.assign_add(tf.random.stateless_normal(weight.shape, seed))
            return Score(tf.reduce_mean(weight.value), tf.reduce_mean(images))

        self.step = compile_step(strategy, step, clocked=True)

    def run(self, epoch):
        whole = tf.data.Dataset.from_tensors((tf.ones(BATCH_SIZE),)).repeat(BATCHES)
        options = tf.data.Options()
        options.autotune.enabled = False  # an iterator with it may wait as it goes, for a minute
        batches = whole.skip(epoch.steps_done).with_options(options)
        if self.killed_at is not None and self.killed_at[0] == epoch.number:
            taken = self.killed_at[1] - epoch.steps_done
            batches = batches.take(taken)
            self.killed_at = None
            with pytest.raises(StopIteration):
                epoch.train(self.step, batches, BATCHES * BATCH_SIZE, BATCH_SIZE)
            raise Killed
        mean = epoch.train(self.step, batches, BATCHES * BATCH_SIZE, BATCH_SIZE)
        return {"loss": mean.loss, "accuracy": mean.accuracy}


class Run:
    """A run in a directory, which goes on each time it is started."""

    def __init__(self, path, lengths=LENGTHS, over=None, config=CONFIG):
        self.directory = RunDirectory(path, "search")
        self.directory.claim(["--seed=3"])
        self.lengths = lengths
        self.over = over or (lambda lines: False)
        self.config = config
        self.made = []

    def start(self, callbacks=(), killed_at=None, listeners=(), request=None):
        keras.utils.set_random_seed(self.config.seed)
        strategy = tf.distribute.OneDeviceStrategy("CPU:0")

        def make_stage(number, lines, previous):
            self.made.append((number, len(lines), previous is not None))
            walk = Walk(number, strategy, killed_at)
            return RunStage(walk.model, walk.model.variables, walk.run, self.over)

        session = Session(self.directory, self.config, strategy, request or Request())
        loop = EpochLoop(session, self.lengths, make_stage, DATASETS["digits"])
        loop.run(
            lambda epoch, logs, timing: {
                "epoch": epoch.number,
                "stage": epoch.stage,
                "of_stage": epoch.of_stage,
                "loss": logs["loss"],
                "timing": timing,
            },
            lambda line, left: f"epoch {line['epoch']}: up to {left} s",
            listeners,
            callbacks,
        )
        return loop

    def history(self):
        lines = self.directory.history.read_text().splitlines()
        return [{**json.loads(line), "timing": None} for line in lines]

    def weights(self):
        return Checkpoints(self.directory).latest().arrays


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing has disturbed."""
    run = Run(tmp_path_factory.mktemp("whole"))
    run.start()
    return run


def test_stages_follow_each_other_and_epochs_are_counted_over_all(tmp_path):
    run = Run(tmp_path)
    loop = run.start()
    places = [(line["epoch"], line["stage"], line["of_stage"]) for line in run.history()]
    assert places == [(0, 0, 0), (1, 0, 1), (2, 1, 0), (3, 1, 1), (4, 1, 2), (5, 2, 0)]
    assert run.made == [(0, 0, False), (1, 2, True), (2, 5, True)]
    assert loop.stage_number == 2
    assert [dict(line, timing=None) for line in loop.history] == run.history()
    assert loop.cost()["device_days"] > 0


@pytest.mark.parametrize("epoch", range(sum(LENGTHS)))
def test_a_run_that_is_killed_anywhere_ends_as_one_that_never_was(tmp_path, epoch, seed, whole):
    broken = Run(tmp_path)
    steps = seed % BATCHES
    with pytest.raises(Killed):
        broken.start(killed_at=(epoch, steps))
    broken.directory.append_history({"epoch": epoch, "from": "a run that broke off"})
    broken.start()
    assert broken.history() == whole.history()
    one, other = broken.weights(), whole.weights()
    assert list(one) == list(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


def asked_to_end(run, monkeypatch, at):
    """Starts a run that gets SIGTERM while it traces its first step, or as an epoch begins."""

    class Asking(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == at:
                signal.raise_signal(signal.SIGTERM)

    def traced(*arguments):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the step goes on")

    with monkeypatch.context() as patch, noticing(patient=False) as request:
        if at == "tracing":
            patch.setattr(tf.random, "stateless_normal", traced)
        run.start([Asking()], request=request)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("tracing", "SIGTERM: nothing to save yet; the same command begins again"),
        (0, "SIGTERM: nothing to save yet; the same command begins again"),
        (1, "SIGTERM: saved after step 0 of epoch 1; the same command resumes from there"),
    ],
)
def test_a_signal_is_obeyed_at_once_where_all_is_saved(tmp_path, monkeypatch, at, told, whole):
    asked = Run(tmp_path)
    with pytest.raises(Interrupted, match=told):
        asked_to_end(asked, monkeypatch, at)
    assert len(asked.directory.read_history()) == int(at == 1)
    assert asked.directory.checkpoints.exists() == (at == 1)
    asked.start()
    assert asked.history() == whole.history()


def test_a_run_says_what_it_runs_and_estimates_without_the_first_step(tmp_path, caplog):
    caplog.set_level("INFO", "darts_tf")
    run = Run(tmp_path)
    run.start()
    first, epoch, *_ = caplog.messages
    assert "1,437 images, 10 classes, " in first
    assert first.endswith(f"epochs 0 to {sum(LENGTHS) - 1}; building the graph")
    left = float(epoch.removeprefix("epoch 0: up to ").removesuffix(" s"))
    [seconds, *_] = [line["timing"]["seconds"] for line in run.directory.read_history()]
    assert left < (sum(LENGTHS) - 1) * seconds


def test_a_checkpoint_of_the_first_stage_is_as_it_was_before_there_were_stages(tmp_path):
    run = Run(tmp_path, lengths=(1, 1))
    with pytest.raises(Killed):
        run.start(killed_at=(0, 1))
    assert not any("stage" in name for name in run.weights())
    run.start()
    [name] = [name for name in run.weights() if "stage" in name]
    np.testing.assert_array_equal(run.weights()[name], [1, 1])


def test_a_stage_may_be_over_before_its_last_epoch(tmp_path):
    run = Run(tmp_path, over=lambda lines: lines[-1]["of_stage"] == 1)
    run.start()
    stages = [(line["epoch"], line["stage"]) for line in run.history()]
    assert stages == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)]


class Told(keras.callbacks.Callback):
    """Notes what it is told, and stops after an epoch."""

    def __init__(self, last=None):
        super().__init__()
        self.last = last
        self.told = []

    def on_train_begin(self, logs=None):
        self.told.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append((epoch, self.model.layers[0].units))

    def on_epoch_end(self, epoch, logs=None):
        assert set(logs) == {"loss", "accuracy"}
        self.told.append(epoch)
        self.model.stop_training = epoch == self.last

    def on_train_end(self, logs=None):
        assert logs["accuracy"] == 1
        self.told.append("end")


def test_callbacks_are_called_as_fit_calls_them_with_the_model_of_the_stage(tmp_path):
    callback = Told()
    Run(tmp_path, lengths=(2, 1)).start([callback])
    assert callback.told == ["begin", (0, 1), 0, (1, 1), 1, (2, 2), 2, "end"]
    assert callback.params["epochs"] == 3


@pytest.mark.parametrize("last", [0, 1, 3])
def test_a_callback_ends_the_run_after_an_epoch(tmp_path, last):
    callback = Told(last)
    run = Run(tmp_path)
    run.start([callback])
    assert [line["epoch"] for line in run.history()] == list(range(last + 1))
    assert callback.told[-2:] == [last, "end"]


def test_keras_own_callbacks_work(tmp_path):
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_weights_only=True)
    early = keras.callbacks.EarlyStopping("loss", patience=0, baseline=-1e9, mode="min")
    run = Run(tmp_path / "run")
    run.start([best, early])
    assert (tmp_path / "best.weights.h5").exists()
    assert len(run.history()) == 2  # Keras never stops in the first one


def test_listeners_get_each_line_once_it_is_in_the_history_and_before_the_checkpoint(tmp_path):
    run = Run(tmp_path)
    seen = []

    def listen(line):
        assert line["epoch"] == run.history()[-1]["epoch"]
        assert Checkpoints(run.directory).latest().epoch == line["epoch"]
        seen.append(line["epoch"])

    run.start(listeners=[listen])
    assert seen == list(range(sum(LENGTHS)))


def test_what_a_line_tells_of_the_time_left(tmp_path, caplog):
    caplog.set_level("INFO", "darts_tf")
    Run(tmp_path, lengths=(2,)).start()
    first, last = [message for message in caplog.messages if message.startswith("epoch")]
    assert float(first.split()[-2]) > 0
    assert last == "epoch 1: up to 0.0 s"


def test_nothing_of_a_run_is_kept_after_its_end(tmp_path):
    callback = Told()
    loop = Run(tmp_path, lengths=(1, 1)).start([callback])
    model = weakref.ref(loop.stage.model)
    del loop, callback
    keras.utils.clear_session(free_memory=False)
    gc.collect()
    assert model() is None


def test_a_run_with_other_images_does_not_go_on(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(Killed):
        run.start(killed_at=(1, 0))
    path = max(run.directory.checkpoints.iterdir())
    found = Checkpoints(run.directory).latest()
    arrays = {name: array + (name.startswith("images")) for name, array in found.arrays.items()}
    path.unlink()
    Checkpoints(run.directory).save(type(found)(found.epoch, found.step, arrays))
    with pytest.raises(UserError, match="expected the images that the run began with"):
        run.start()


def test_a_file_named_stop_ends_a_run_after_an_epoch_also_where_it_is_killed_then(tmp_path, whole):
    run = Run(tmp_path)
    stop = run.directory.stop
    loop = run.start(listeners=[lambda line: stop.touch() if line["epoch"] == 3 else None])
    assert [line["epoch"] for line in run.history()] == [0, 1, 2, 3]
    assert loop.ended_by_hand
    assert stop.exists()  # until the outcome is written
    assert run.start().ended_by_hand
    assert len(run.history()) == 4
    run.directory.stop_is_done()
    assert not run.start().ended_by_hand
    assert run.history() == whole.history()


def test_the_table_of_a_run_that_was_killed_is_that_of_one_that_never_was(tmp_path, seed):
    """The logger of the settings is called after the other callbacks, with each epoch's logs."""
    config = replace(CONFIG, logger="csv")
    undisturbed, broken = (Run(tmp_path / name, config=config) for name in ("whole", "broken"))
    undisturbed.start()
    with pytest.raises(Killed):
        broken.start(killed_at=(seed % sum(LENGTHS), seed % BATCHES))
    broken.start()
    tables = [(run.directory.path / "epochs.csv").read_text() for run in (undisturbed, broken)]
    assert tables[0] == tables[1]
    losses = [float(row["loss"]) for row in csv.DictReader(tables[0].splitlines())]
    assert losses == [line["loss"] for line in undisturbed.history()]
