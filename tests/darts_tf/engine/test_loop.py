"""The loop: batches of any size in one trace, and means over images."""

import io
import re
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.loop import Mean, device_name, run_epoch
from darts_tf.engine.scoring import Score
from darts_tf.errors import UserError


class Elements:
    """An iterator of nothing, whose elements come after so many seconds."""

    element_spec = None

    def __init__(self, count, seconds=0.0):
        self.left = [seconds] * count

    def __next__(self):
        time.sleep(self.left.pop())


@pytest.mark.parametrize(("images", "sizes"), [(12, [4, 4, 4]), (9, [4, 4, 1]), (3, [3])])
def test_a_smaller_last_batch_counts_by_its_images(images, sizes):
    scores = iter([Score(1.0, 0.0), Score(2.0, 0.5), Score(7.0, 1.0)])
    seen = []

    def step(batch, spec, clock):
        seen.append(next(scores))
        return seen[-1]

    mean, _ = run_epoch(step, Elements(len(sizes)), images, 4, "epoch")
    assert isinstance(mean, Mean)
    assert len(seen) == len(sizes)
    expected = [
        sum(size * score[part] for size, score in zip(sizes, seen, strict=True)) / images
        for part in range(2)
    ]
    np.testing.assert_allclose(mean, expected, rtol=1e-12)


def test_the_pace_tells_slow_data_from_a_slow_step():
    def run(seconds_of_data, seconds_of_step):
        def step(batch, spec, clock):
            time.sleep(seconds_of_step)
            return Score(0.0, 0.0)

        return run_epoch(step, Elements(3, seconds_of_data), 12, 4, "epoch")[1]

    hungry, busy = run(0.02, 0.0), run(0.0, 0.02)
    assert hungry.waiting > busy.waiting
    assert max(hungry.images_per_second, busy.images_per_second) <= 12 / 0.06


class Terminal(io.StringIO):
    """A stream that says whether a person looks at it."""

    def __init__(self, tty):
        super().__init__()
        self.tty = tty

    def isatty(self):
        return self.tty


@pytest.mark.parametrize("tty", [True, False])
def test_a_bar_with_the_time_left_is_on_terminals_alone(monkeypatch, tty):
    monkeypatch.setattr("sys.stderr", Terminal(tty))
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # no thread that outlives the test
    run_epoch(
        lambda batch, spec, clock: Score(0.0, 0.0), Elements(3, 0.15), 12, 4, "epoch 7, training"
    )
    shown = sys.stderr.getvalue()
    if tty:
        assert re.search(r"\repoch 7, training: +67%.* 2/3 \[00:\d\d<00:\d\d, ", shown), shown
        assert not shown.rpartition("\r")[0].rpartition("\r")[2].strip()  # and goes with the epoch
    else:
        assert shown == ""


def test_the_device_has_a_name():
    assert device_name().startswith("CPU (") or tf.config.list_physical_devices("GPU")


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_told_with_its_step(loss):
    losses = iter((0.5, loss, 0.25))

    def step(element, spec, clock):
        return Score(tf.constant(next(losses)), tf.constant(0.0))

    with pytest.raises(UserError, match=rf"^epoch 7, training loss of step 1: {loss}; "):
        run_epoch(step, Elements(3), 3, 1, "epoch 7, training")
