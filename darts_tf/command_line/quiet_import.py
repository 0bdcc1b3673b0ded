"""The import of TensorFlow without TensorFlow's own lines, wherever in a program it happens."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from darts_tf.engine.memory import collecting_later
from darts_tf.runs.quiet import quietly

_NAME = "tensorflow"


@contextmanager
def quiet_import() -> Iterator[None]:
    """Makes the first import of TensorFlow inside the context quiet, and lists the devices with it.

    If the import fails, TensorFlow's lines are shown.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow where the finders after this one do.

    Finding is not importing yet: other packages look whether there is a TensorFlow.
    """

    def __init__(self) -> None:
        self._looking = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Runs a module with another loader, quietly."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with quietly(), collecting_later():
            self._loader.exec_module(module)
            module.config.list_physical_devices()
