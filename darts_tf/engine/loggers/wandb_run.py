"""The logger `wandb`: a run of Weights & Biases."""

import uuid
from collections.abc import Mapping
from typing import Any

import keras

from darts_tf.engine.loggers.identity import known, remember
from darts_tf.errors import UserError
from darts_tf.extras import require
from darts_tf.runs.directory import RunDirectory


class WandbLogger(keras.callbacks.Callback):
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

    def __init__(self, run: RunDirectory, settings: Mapping[str, Any], first_epoch: int) -> None:
        require("wandb")
        super().__init__()
        self._run, self._settings, self._first = run, dict(settings), first_epoch
        self._there: Any = None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Begins the run there, or goes on with it.

        Raises:
            UserError: If wandb cannot begin it, without an account for instance.
        """
        import wandb

        name = known(self._run, "wandb") if self._first else ""

        try:
            self._there = wandb.init(
                id=name or remember(self._run, "wandb", uuid.uuid4().hex),
                name=self._run.path.absolute().name,
                dir=str(self._run.path),
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
