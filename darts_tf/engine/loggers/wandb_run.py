"""The logger `wandb`: a run of Weights & Biases."""

import uuid
from collections.abc import Mapping
from typing import Any

from darts_tf.engine.loggers.tool import ToolLogger
from darts_tf.errors import UserError


class WandbLogger(ToolLogger):
    """Logs the numbers of each epoch to a run of Weights & Biases.

    The tool's own variables say where it goes: `WANDB_MODE=offline` keeps it in the directory of
    the run, `WANDB_PROJECT`, `WANDB_ENTITY` and `WANDB_API_KEY` name a project and an account. A
    resumed run goes on with the same run there.

    Args:
        run: The directory.
        settings: The settings of the run.
        first_epoch: The first epoch of this process.

    Raises:
        UserError: If wandb is not installed.
    """

    tool = "wandb"
    _there: Any = None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Begins the run there, or goes on with it.

        Raises:
            UserError: If wandb cannot begin it, without an account for instance.
        """
        import wandb

        try:
            self._there = wandb.init(
                id=self._known() or self._remember(uuid.uuid4().hex),
                name=self._title,
                dir=str(self._directory.path),
                config=self._settings,
                resume="allow",
            )
        except wandb.Error as error:
            raise UserError(
                f"logger: expected to begin a run of Weights & Biases, got: {error} "
                "WANDB_MODE=offline needs no account"
            ) from error

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Logs an epoch."""
        self._there.log(dict(logs or {}), step=epoch)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Ends the run there."""
        self._there.finish()
