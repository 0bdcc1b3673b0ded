"""The logger `mlflow`: a run of an MLflow experiment."""

import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from darts_tf.engine.loggers.tool import ToolLogger
from darts_tf.errors import UserError

_logger = logging.getLogger(__name__)
_EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
_DEFAULT = "darts_tf"


class MlflowLogger(ToolLogger):
    """Logs the numbers of each epoch to a run of MLflow.

    The tool's own variables say where it goes: `MLFLOW_TRACKING_URI` names a server, a folder or a
    database, and `MLFLOW_EXPERIMENT_NAME` an experiment, `darts_tf` by default. A resumed run goes
    on with the same run there. A run that is active in this process stays as it is.

    Args:
        run: The directory.
        settings: The settings of the run.
        first_epoch: The first epoch of this process.

    Raises:
        UserError: If MLflow is not installed.
    """

    tool = "mlflow"
    _client: Any = None
    _id = ""

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Begins the run there, or goes on with it.

        Raises:
            UserError: If MLflow cannot, because its server does not answer for instance.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        try:
            self._client = MlflowClient()
            self._id = self._known()
            if self._id:
                self._client.update_run(self._id, "RUNNING")
            else:
                self._begin()
        except MlflowException as error:
            raise UserError(f"logger: expected to begin a run of MLflow, got: {error}") from error

    def _begin(self) -> None:
        from mlflow.entities import Param

        name = os.environ.get(_EXPERIMENT, _DEFAULT)
        experiment = self._client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self._client.create_experiment(name)
        begun = self._client.create_run(number, run_name=self._title)
        self._id = self._remember(begun.info.run_id)
        params = [Param(key, str(value)) for key, value in self._settings.items()]
        self._client.log_batch(self._id, params=params)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Logs an epoch; a server that no longer answers does not end the run."""
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        now = int(1000 * time.time())
        numbers = [Metric(name, float(value), now, epoch) for name, value in (logs or {}).items()]
        try:
            self._client.log_batch(self._id, metrics=numbers)
        except MlflowException as error:
            _logger.warning("epoch %d is not in MLflow: %s", epoch, error)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Ends the run there."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.set_terminated(self._id)
        except MlflowException as error:
            _logger.warning("the end of the run is not in MLflow: %s", error)
