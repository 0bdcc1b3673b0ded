"""Entry point of all programs: exit status, one-line error messages, and the log of a run."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import darts_tf
from darts_tf.command_line.quiet_import import quiet_import
from darts_tf.config import RunConfig
from darts_tf.errors import UserError, reason
from darts_tf.runs.cluster import WorkerLost, cluster_of
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Interrupted
from darts_tf.runs.quiet import LEVEL
from darts_tf.settings import earlier_lines


def run(name: str, main: Callable[[Sequence[str]], None]) -> int:
    """Runs the main function of a program on the arguments of the command line.

    Args:
        name: Name of the program, the prefix of its error messages.
        main: The main function; takes the arguments without the program's name.

    Returns:
        The exit status: 0 for success; 2 for a UserError, printed in one line on stderr; 75
        (EX_TEMPFAIL, try again) after the loss of a worker; 128 plus the signal's number after a
        run that was interrupted and has saved a checkpoint; 130 after Ctrl-C elsewhere; 141 where
        nobody reads the rest of what is printed.
    """
    if sys.argv[1:] in (["--version"], ["-version"]):
        print(f"{name}, darts_tf {darts_tf.__version__}")
        return 0
    # Hides TensorFlow's info messages and warnings, unless the user has set the variable.
    os.environ.setdefault(LEVEL, "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with quiet_import():
            main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
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
    """Claims the run directory and does the work of the run, or reports that it is finished.

    Args:
        directory: The run directory. Of several workers, only the chief accesses it.
        flags: The lines of the flag file of the run.
        config: The settings.
        work: The call of the library; the directory is claimed when it is called.

    Returns:
        Whether this process can read the files of the run: true except for workers that are not
        the chief.

    Raises:
        UserError: If the directory belongs to another run, or the work fails.
    """
    cluster = cluster_of(config.strategy)
    if cluster is not None and not cluster.chief:
        with logging_to(None):
            work()
        return False
    with logging_to(None):
        state = directory.claim(flags, earlier_lines(type(config)), config.extend)
    if state == "finished":
        print(f"{directory.path}: this run is finished")
        if cluster is not None:  # the other workers wait for the chief
            work()
    else:
        with logging_to(directory.log):
            work()
    return True


@contextmanager
def logging_to(path: Path | None) -> Iterator[None]:
    """Sends the log messages of the library to the terminal and, with timestamps, to a file.

    Args:
        path: The log file, appended to if it exists; None for the terminal alone.

    Raises:
        UserError: If the file or the terminal cannot be written, now or later.
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
            with suppress(OSError):  # the error of its last line has been raised already
                file.close()
        logger.level, logger.propagate = before


class _Lines(logging.StreamHandler):
    """A log handler that raises a UserError, in place of a traceback, if it cannot write."""

    def __init__(self, stream: TextIO, name: object) -> None:
        super().__init__(stream)
        self._name_of_stream = name

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Raises the error of a message that could not be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        raise _unwritable(self._name_of_stream, error) from error


def _unwritable(name: object, error: OSError) -> UserError:
    return UserError(f"{name}: {reason(error, 'expected a writable file')}")
