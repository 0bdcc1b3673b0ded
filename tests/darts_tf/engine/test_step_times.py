"""The time of steps, without that of the first one's graph, by a clock of the test's own."""

import pytest

from darts_tf.engine import step_times
from darts_tf.engine.step_times import StepTimes


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(step_times.time, "perf_counter", lambda: now[0])

    def step(seconds):
        now[0] += seconds
        return seconds

    return step


@pytest.mark.parametrize(
    ("seconds", "tracing"),
    [([30, 1, 1, 2], 29), ([1, 1], 0), ([1, 2, 3], 0), ([30], 0), ([], 0)],
)
def test_tracing_is_what_the_first_step_took_longer(clock, seconds, tracing):
    timed = StepTimes(clock)
    assert [timed(each) for each in seconds] == seconds
    assert (timed.seconds, timed.tracing()) == (seconds, tracing)


@pytest.mark.parametrize(
    ("seconds", "told"), [([30, 4, 5, 4, 9], [4]), ([30, 9], []), ([60], []), ([9, 11, 50], [11])]
)
def test_a_steps_time_is_told_once_it_is_known_and_not_before(clock, seconds, told):
    heard = []
    timed = StepTimes(clock, heard.append)
    for each in seconds:
        timed(each)
    assert heard == told
