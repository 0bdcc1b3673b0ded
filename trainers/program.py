"""How every program runs: one line for a user's mistake, and a log beside the run."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from darts_tf.config import RunConfig, flag_lines
from darts_tf.errors import UserError, reason
from darts_tf.runs.cluster import WorkerLost, cluster_of
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Interrupted


def run(name: str, main: Callable[[Sequence[str]], None]) -> int:
    """Runs a program's main function on the command line's arguments.

    Args:
        name: The program's name, which opens its line on stderr.
        main: Takes the arguments that follow the program's name.

    Returns:
        The exit status: 0; 2 after a user's mistake, told in one line on stderr; 75, which asks for
        another attempt, after the loss of a worker; 128 and the signal's number after a run that
        has saved itself; 130 after Ctrl-C elsewhere.
    """
    # TensorFlow's notes and hints would bury ours; its errors stay, and a user's own value wins.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except WorkerLost as lost:
        print(f"{name}: {lost}", file=sys.stderr)
        return os.EX_TEMPFAIL
    except Interrupted as saved:
        print(f"{name}: {saved}", file=sys.stderr)
        return 128 + saved.number
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    return 0


def carry_out(
    directory: RunDirectory, flags: Sequence[str], config: RunConfig, work: Callable[[], object]
) -> bool:
    """Does a run's work, or says that it is done.

    Args:
        directory: Of the run. Of several workers, only the chief touches it.
        flags: The lines of the run's flag file.
        config: The settings.
        work: The library's part, which may take the directory as claimed.

    Returns:
        Whether the run's files are here to be read.

    Raises:
        UserError: If the directory is another run's, or the work cannot be done.
    """
    cluster = cluster_of(config.strategy)
    if cluster is not None and not cluster.chief:
        with logging_to(None):
            work()
        return False
    if directory.claim(flags, flag_lines(type(config)())) == "finished":
        print(f"{directory.path}: this run is finished")
        if cluster is not None:  # the others wait to be told
            work()
    else:
        with logging_to(directory.log):
            work()
    return True


@contextmanager
def logging_to(path: Path | None) -> Iterator[None]:
    """Sends what the library logs to the terminal and, with the time, to a file.

    Args:
        path: The log, continued where it exists; None for the terminal alone.

    Raises:
        UserError: If the file cannot be written, at once or later, or the terminal cannot.
    """
    handlers: list[logging.Handler] = [_Lines(sys.stdout, "stdout")]
    file = None
    if path is not None:
        try:
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise _unwritable(path, error) from error
        handlers.append(_Lines(file, path))
        handlers[-1].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("darts_tf")
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        if file is not None:
            with suppress(OSError):  # its last line has been told of then
                file.close()
        logger.level, logger.propagate = before


class _Lines(logging.StreamHandler):
    """A log's lines; one that cannot be written ends the program, without logging's traceback."""

    def __init__(self, stream: TextIO, name: object) -> None:
        super().__init__(stream)
        self._name_of_stream = name

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Raises the error of a line that could not be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        raise _unwritable(self._name_of_stream, error) from error


def _unwritable(name: object, error: OSError) -> UserError:
    return UserError(f"{name}: {reason(error, 'a file that can be written is right')}")
