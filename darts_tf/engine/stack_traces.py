"""Short stack traces in graphs.

Each operation of a graph keeps the stack trace of its creation, for messages of errors. Most of a
trace are TensorFlow's and Keras's own calls, and those of a supernet's graph take hundreds of MB.
"""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager

from tensorflow.python.util.tf_stack import StackTraceFilter

_LEFT_OUT = ("keras", "tensorflow")


class _OfTheProgram(StackTraceFilter):
    """Leaves the frames of TensorFlow and Keras out."""

    def get_filtered_filenames(self) -> Iterable[str]:
        files = frozenset(
            module.__file__
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in _LEFT_OUT and getattr(module, "__file__", None)
        )
        return files | self.parent.get_filtered_filenames()


def short_stack_traces() -> AbstractContextManager[object]:
    """Returns a context in which operations keep no frames of TensorFlow and Keras.

    It holds for graphs that the current thread builds.
    """
    return _OfTheProgram()
