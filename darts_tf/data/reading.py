"""Errors of reading images, told in one line that names the file or the data set."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from darts_tf.errors import UserError

_LOST = (
    tf.errors.NotFoundError,
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.PermissionDeniedError,
)
# What TensorFlow makes of an error of ours in the midst of a pipeline.
_OURS = (tf.errors.InvalidArgumentError, tf.errors.UnknownError)
_TEXT = re.compile(r"UserError: (.*)")
_NOTES = re.compile(r"\{\{.*?\}\} ?| ?\[Op:.*")


@contextmanager
def explained(where: object) -> Iterator[None]:
    """Tells in one line that what a block asks a `tf.data` pipeline for cannot be read.

    Args:
        where: The data set or its file, for errors that name none.

    Raises:
        UserError: If a file is missing, cut off or damaged. Anything else goes on as it is.
    """
    try:
        yield
    except _LOST as error:
        text = _NOTES.sub("", error.message.partition("\n")[0])
        raise unreadable(where, text) from error
    except _OURS as error:
        found = _TEXT.search(error.message)
        if not found:
            raise
        raise UserError(found[1]) from error


def each(batches: Iterable[Any], where: object) -> Iterator[Any]:
    """Yields what a pipeline holds; `explained` holds for it, but not for what is done with it.

    Args:
        batches: A `tf.data.Dataset`.
        where: As in `explained`.
    """
    iterator = iter(batches)
    end = object()
    while True:
        with explained(where):
            element = next(iterator, end)
        if element is end:
            return
        yield element


def unreadable(where: object, problem: object) -> UserError:
    """Returns the error for a file of a prepared data set that cannot be read.

    Args:
        where: The file, or the folder it is in.
        problem: What is wrong with it.
    """
    return UserError(
        f"{where}: cannot be read ({problem}); restore the file, or remove the data set's folder "
        "and prepare it again, then run the same command again to resume"
    )
