"""How every program runs: one line for a user's mistake, and a log beside the run."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from darts_tf.errors import UserError
from darts_tf.interruption import Interrupted


def run(name: str, main: Callable[[Sequence[str]], None]) -> int:
    """Runs a program's main function on the command line's arguments.

    Args:
        name: The program's name, which opens its line on stderr.
        main: Takes the arguments that follow the program's name.

    Returns:
        The exit status: 0; 2 after a user's mistake, told in one line on stderr; 128 and the
        signal's number after a run that has saved itself; 130 after Ctrl-C elsewhere.
    """
    # TensorFlow's notes and hints would bury ours; its errors stay, and a user's own value wins.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"{name}: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return 2
    except Interrupted as saved:
        print(f"{name}: {saved}", file=sys.stderr)
        return 128 + saved.number
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    return 0


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Sends what the library logs to the terminal and, with the time, to a file.

    Args:
        path: The log, continued where it exists.

    Raises:
        UserError: If the file cannot be written.
    """
    try:
        file = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; a file that can be written is right") from error
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout), file]
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
        logger.level, logger.propagate = before
