"""Signals are taken note of, and the handlers that were there come back."""

import contextlib
import signal
import threading

import pytest

from darts_tf.runs.interruption import SIGNALS, Interrupted, noticing
from tests.processes import start


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noticed_and_nothing_else_happens(number):
    with noticing() as request:
        assert request.number is None
        signal.raise_signal(number)
        assert request.number == number


@pytest.mark.parametrize("number", SIGNALS)
def test_a_block_with_nothing_to_lose_ends_at_once_past_everything_that_handles_errors(number):
    def work():
        with noticing(patient=False) as request:
            with contextlib.suppress(Exception):
                signal.raise_signal(number)
            assert not request, "the block goes on"

    with pytest.raises(Interrupted, match="nothing to save yet; the same command") as ended:
        work()
    assert ended.value.number == number


@pytest.mark.parametrize("patient", [True, False])
def test_a_block_with_something_to_lose_goes_on(patient):
    with noticing(patient) as request:
        request.saved("after step 1 of epoch 0")
        request.unsaved()
        signal.raise_signal(signal.SIGTERM)
        assert request.number == signal.SIGTERM


def test_the_handlers_come_back_whatever_happens():
    before = [signal.getsignal(number) for number in SIGNALS]
    inside = []
    with contextlib.suppress(ZeroDivisionError), noticing():
        inside += [signal.getsignal(number) for number in SIGNALS]
        raise ZeroDivisionError
    assert not set(inside) & set(before)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_second_ctrl_c_interrupts_at_once():
    with noticing() as request:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert request.number == signal.SIGINT


def test_another_thread_changes_nothing():
    before = [signal.getsignal(number) for number in SIGNALS]
    seen = []

    def work():
        with noticing() as request:
            seen.extend((request.number, *(signal.getsignal(number) for number in SIGNALS)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None, *before]


def test_the_message_tells_the_signal_and_how_to_go_on():
    told = str(Interrupted(signal.SIGTERM, "epoch 3, step 4"))
    assert told == "SIGTERM: saved epoch 3, step 4; the same command resumes from there"


@pytest.mark.parametrize(("seconds", "status"), [(30, 0), (1, -signal.SIGALRM)])
def test_what_takes_too_long_is_ended_also_where_python_gets_no_turn(seconds, status):
    process = start(
        """
import ctypes, signal
from darts_tf.runs.interruption import ending_after
before = signal.getsignal(signal.SIGALRM)
with ending_after(given[0]):
    ctypes.PyDLL(None).usleep(3_000_000 if given[0] == 1 else 1000)  # holds Python's lock
assert signal.getsignal(signal.SIGALRM) == before
assert signal.alarm(0) == 0
""",
        seconds,
    )
    process.communicate()
    assert process.returncode == status
