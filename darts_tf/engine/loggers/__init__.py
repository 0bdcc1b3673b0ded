"""Loggers: Keras callbacks that write the numbers of each epoch for another tool, one file each."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras

from darts_tf.config import RunConfig
from darts_tf.registry import resolve
from darts_tf.runs.cluster import cluster_of
from darts_tf.runs.directory import RunDirectory

# What makes the callback of a run, by the choices of `--logger`; imported when it is used.
LOGGERS = {
    "csv": "darts_tf.engine.loggers.csv_file:CsvLogger",
    "mlflow": "darts_tf.engine.loggers.mlflow_run:MlflowLogger",
    "wandb": "darts_tf.engine.loggers.wandb_run:WandbLogger",
}


def loggers_of(
    config: RunConfig, run: RunDirectory, first_epoch: int
) -> Sequence[keras.callbacks.Callback]:
    """Returns the callbacks that a run's settings ask for, at most one.

    Args:
        config: The settings of the run. Of several workers, only the chief logs.
        run: Its directory, in which a logger keeps what a resumed run needs to go on with.
        first_epoch: The first epoch of this process.

    Raises:
        UserError: If its package is not installed.
    """
    cluster = cluster_of(config.strategy)
    if config.logger not in LOGGERS or (cluster is not None and not cluster.chief):
        return ()
    make: Callable[..., keras.callbacks.Callback] = resolve(LOGGERS[config.logger])
    return (make(run, settings_of(config), first_epoch),)


def settings_of(config: RunConfig) -> dict[str, Any]:
    """Returns the settings that determine a run, by name.

    Args:
        config: The settings.
    """
    fields = dataclasses.fields(config)
    return {each.name: getattr(config, each.name) for each in fields if each.metadata["recorded"]}
