"""What loggers to other tools share: the package, and the run there, which is resumed, too."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from darts_tf.extras import require
from darts_tf.runs.directory import RunDirectory


class ToolLogger(keras.callbacks.Callback):
    """Base class of loggers to a tool that has its own name for a run.

    The name is kept in the run's directory, so that a resumed run goes on there.

    Args:
        run: The directory.
        settings: The settings of the run.
        first_epoch: The first epoch of this process.

    Attributes:
        tool: The extra that has the tool's package.

    Raises:
        UserError: If the package is not installed.
    """

    tool: ClassVar[str]

    def __init__(self, run: RunDirectory, settings: Mapping[str, Any], first_epoch: int) -> None:
        require(self.tool)
        super().__init__()
        self._settings = dict(settings)
        self._directory, self._resumed = run, first_epoch > 0
        self._file = run.path / f"{self.tool}_run.json"

    @property
    def _title(self) -> str:
        """What people call the run: the name of its directory."""
        return self._directory.path.absolute().name

    def _known(self) -> str:
        """Returns the name that a resumed run has there; "" for one that has none."""
        if not self._resumed or not self._file.exists():
            return ""
        return str(self._directory.read_json(self._file).get("id", ""))

    def _remember(self, name: str) -> str:
        """Keeps the name that the run has there, and returns it."""
        self._directory.write_json(self._file, {"id": name})
        return name
