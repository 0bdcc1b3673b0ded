"""The profiler: which steps it records, and that the trace is there."""

import pytest
import tensorflow as tf

from darts_tf.engine import profiling
from darts_tf.engine.loop import run_epoch
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.replicas import compile_step
from darts_tf.engine.scoring import Score


@pytest.fixture
def calls(monkeypatch):
    made = []

    class Recorder:
        @staticmethod
        def start(folder):
            made.append(("start", folder))

        @staticmethod
        def stop():
            made.append(("stop",))

    monkeypatch.setattr(profiling.tf.profiler, "experimental", Recorder)
    return made


def run(profiler, steps):
    seen = []
    for number in range(steps):
        profiler.before_step()
        seen.append(number)
        profiler.after_step(Score(tf.constant(0.0), tf.constant(0.0)))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 3), (5, 6)])
def test_the_steps_from_the_first_to_the_last_are_recorded(calls, tmp_path, first, last):
    with Profiler((first, last), tmp_path) as profiler:
        run(profiler, first)
        assert calls == []
        run(profiler, last - first)
        assert len(calls) == (last > first)
        run(profiler, 1)
        run(profiler, 4)
    assert calls == [("start", str(tmp_path)), ("stop",)]


def test_a_run_that_ends_before_the_last_step_keeps_its_trace(calls, tmp_path):
    def fail():
        with Profiler((1, 9), tmp_path) as profiler:
            run(profiler, 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert calls == [("start", str(tmp_path)), ("stop",)]


@pytest.mark.parametrize("steps", [None, (7, 9)])
def test_nothing_is_recorded_where_no_step_is_asked_for(calls, tmp_path, steps):
    with Profiler(steps, tmp_path) as profiler:
        run(profiler, 5)
    assert calls == []


def test_an_epoch_leaves_a_trace_for_tensorboard(tmp_path):
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    step = compile_step(strategy, lambda x: Score(tf.reduce_sum(x), tf.reduce_sum(x)))
    batches = iter(tf.data.Dataset.from_tensor_slices((tf.ones((4, 2)),)))
    with Profiler((1, 2), tmp_path / "tensorboard") as profiler:
        run_epoch(step, batches, 8, 2, "epoch", profiler)
    [trace] = (tmp_path / "tensorboard" / "plugins" / "profile").glob("*/*.xplane.pb")
    assert trace.stat().st_size > 0
