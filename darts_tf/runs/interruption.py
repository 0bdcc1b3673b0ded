"""SIGTERM and SIGINT: a request to save the run before the process ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(Exception):  # noqa: N818 - it is not an error
    """A run has saved its state, or has none to save, and ends because of a signal.

    Args:
        number: The signal.
        where: The step of the checkpoint, for the message; "" if there is none.
    """

    def __init__(self, number: int, where: str) -> None:
        outcome = (
            f"saved {where}; the same command resumes from there"
            if where
            else "nothing to save yet; the same command begins again"
        )
        super().__init__(f"{signal.Signals(number).name}: {outcome}")
        self.number = number


class _AtOnce(BaseException):
    """Leaves whatever Python is doing, past everything that handles exceptions."""


class Request:
    """A request by a signal to end the run.

    It is obeyed after the step that is being taken. Where that step would be the first one that is
    not saved, the run ends at once: the first step of a run takes long, for its graph is built.

    Args:
        patient: Whether the run never ends at once, for other machines have to agree.

    Attributes:
        number: The signal, None as long as there was none.
        where: The step of the last checkpoint, in words; "" if there is none.
    """

    def __init__(self, patient: bool = True) -> None:
        self.number: int | None = None
        self.where = ""
        self._patient = patient
        self._saved = not patient

    def saved(self, where: str) -> None:
        """Records that all is saved.

        Args:
            where: The step of the checkpoint, in words; "" if there is nothing to save.
        """
        self.where = where
        self._saved = not self._patient

    def unsaved(self) -> None:
        """Records that there is something to save."""
        self._saved = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number
        if self._saved:
            raise _AtOnce


@contextmanager
def ending_after(seconds: int) -> Iterator[None]:
    """Ends the process by SIGALRM once a time is over, even while Python is blocked.

    TensorFlow holds Python's lock while it waits for other workers, so no exception can be raised.
    Outside of the main thread there is no limit.

    Args:
        seconds: The time until then; leaving the context earlier cancels the alarm.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def noticing(patient: bool = True) -> Iterator[Request]:
    """Turns SIGTERM and SIGINT into a request to end the run; a second SIGINT interrupts at once.

    Outside of the main thread, where Python has no handlers, signals have their usual effect.

    Args:
        patient: Whether the run never ends at once, for other machines have to agree.

    Yields:
        The request.

    Raises:
        Interrupted: If a signal has come while there was nothing to save.
    """
    request = Request(patient)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request._take) for number in SIGNALS}
    try:
        yield request
    except _AtOnce:
        if request.number is None:
            raise
        raise Interrupted(request.number, request.where) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
