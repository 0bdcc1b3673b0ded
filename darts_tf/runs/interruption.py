"""SIGTERM and SIGINT: a request to save the run before the process ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(Exception):  # noqa: N818 - it is not an error
    """A run has saved its state and ends because of a signal.

    Args:
        number: The signal.
        where: The step of the checkpoint, for the message.
    """

    def __init__(self, number: int, where: str) -> None:
        super().__init__(
            f"{signal.Signals(number).name}: saved {where}; the same command resumes from there"
        )
        self.number = number


class Request:
    """A request by a signal to end the run.

    Attributes:
        number: The signal, None as long as there was none.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number


@contextmanager
def ending_after(seconds: int) -> Iterator[None]:
    """Ends the process by SIGALRM if the block takes longer, even while Python is blocked.

    TensorFlow holds Python's lock while it waits for other workers, so no exception can be raised.
    Outside of the main thread there is no limit.

    Args:
        seconds: The longest time that the block may take.
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
def noticing() -> Iterator[Request]:
    """Notes signals while the block runs; a second SIGINT interrupts at once.

    Outside of the main thread, where Python has no handlers, signals have their usual effect.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request._take) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
