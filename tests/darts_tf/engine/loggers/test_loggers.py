"""Loggers: a table, and what MLflow and Weights & Biases are told, in earnest if installed."""

import csv
import dataclasses
import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.engine.loggers import LOGGERS, loggers_of
from darts_tf.engine.session import open_session
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory

REAL = {name: importlib.util.find_spec(name) is not None for name in ("mlflow", "wandb")}
EPOCHS = [{"loss": 2.5, "val_loss": 3.0}, {"loss": 1.25, "val_loss": 2.0}, {"loss": 0.5}]


def claimed(path):
    run = RunDirectory(path, "search")
    run.claim(["--seed=3"])
    return run


def play(config, run, first=0, epochs=EPOCHS, finished=True):
    """Calls the loggers of a run as its epoch loop does, from an epoch on."""
    loggers = loggers_of(config, run, first)
    for logger in loggers:
        logger.on_train_begin()
        for epoch in range(first, len(epochs)):
            logger.on_epoch_end(epoch, epochs[epoch])
        if finished:
            logger.on_train_end(epochs[-1])
    return loggers


def test_the_flag_has_every_logger_and_no_other():
    [field] = [field for field in dataclasses.fields(SearchConfig) if field.name == "logger"]
    assert {*field.metadata["choices"]} == {"none", *LOGGERS}
    with pytest.raises(UserError, match=r"logger: expected one of none, csv.*Did you mean 'csv'"):
        TrainingConfig(logger="cvs")


def test_without_the_flag_nothing_is_logged(tmp_path):
    assert not play(SearchConfig(), claimed(tmp_path))
    assert not (tmp_path / "epochs.csv").exists()


def test_of_several_workers_the_chief_alone_logs(monkeypatch, tmp_path):
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": %d}}'
    config = SearchConfig(logger="csv", strategy="multi_worker")
    run = claimed(tmp_path)
    for index, count in ((0, 1), (1, 0)):
        monkeypatch.setenv("TF_CONFIG", cluster % index)
        assert len(loggers_of(config, run, 0)) == count


names = st.sampled_from(["loss", "accuracy", "val_loss", "val, loss", 'a "b"'])
numbers = st.floats(allow_nan=False)


@given(st.lists(st.dictionaries(names, numbers, min_size=1), min_size=1, max_size=5), st.data())
def test_the_table_has_every_number_however_often_the_run_was_killed(tmp_path_factory, logs, data):
    config = SearchConfig(logger="csv")
    run = claimed(tmp_path_factory.mktemp("run"))
    for _ in range(data.draw(st.integers(0, 2))):
        first = data.draw(st.integers(0, len(logs)))
        play(config, run, first if (run.path / "epochs.csv").exists() else 0, logs)
    known = (run.path / "epochs.csv").exists()
    play(config, run, data.draw(st.integers(0, len(logs) - 1)) if known else 0, logs)
    with (run.path / "epochs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == list(range(len(logs)))
    for row, right in zip(rows, logs, strict=True):
        given_ = {name: float(text) for name, text in row.items() if text and name != "epoch"}
        assert given_ == right


def test_a_spoiled_table_is_told(tmp_path):
    run = claimed(tmp_path)
    (tmp_path / "epochs.csv").write_text("epoch,loss\nx,1\n")
    with pytest.raises(UserError, match=r"epochs\.csv: expected an epoch in each line"):
        loggers_of(SearchConfig(logger="csv"), run, 1)


@pytest.mark.parametrize("tool", ["mlflow", "wandb"])
def test_a_missing_package_is_told_before_the_run_begins(tool, monkeypatch, tmp_path):
    monkeypatch.setattr("darts_tf.extras.find_spec", lambda name: None)
    expected = rf'the package {tool}, which pip install "darts_tf\[{tool}\]" installs'
    with (
        pytest.raises(UserError, match=expected),
        open_session(claimed(tmp_path), SearchConfig(logger=tool)),
    ):
        raise AssertionError("the session was opened")


def stand_in(monkeypatch, name, **attributes):
    """A module that a test puts in the place of a package."""
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


class ServiceError(Exception):
    """Stands for the error of a package."""


def mlflow_stand_in(monkeypatch, client):
    stand_in(monkeypatch, "mlflow")
    stand_in(monkeypatch, "mlflow.tracking", MlflowClient=lambda: client)
    stand_in(monkeypatch, "mlflow.exceptions", MlflowException=ServiceError)
    stand_in(
        monkeypatch,
        "mlflow.entities",
        Metric=lambda name, value, time, step: (name, value, step),
        Param=lambda name, value: (name, value),
    )


class Recorded:
    """Notes what is called on it, and with what."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*values, **named):
            self.calls.append((name, *values, named))
            return types.SimpleNamespace(
                experiment_id="7", info=types.SimpleNamespace(run_id="theirs")
            )

        return call


def test_weights_and_biases_is_told_each_epoch_and_a_resumed_run_goes_on(monkeypatch, tmp_path):
    there, begun = Recorded(), []
    stand_in(
        monkeypatch, "wandb", init=lambda **words: begun.append(words) or there, Error=ServiceError
    )
    config = SearchConfig(dataset="digits", logger="wandb", epochs=7)
    run = claimed(tmp_path / "my_search")
    play(config, run, epochs=EPOCHS[:1], finished=False)
    play(config, run, first=1)
    assert [call[:2] for call in there.calls] == [("log", logs) for logs in EPOCHS] + [
        ("finish", {})
    ]
    assert [call[2]["step"] for call in there.calls[:-1]] == [0, 1, 2]
    assert begun[0]["config"]["epochs"] == 7
    assert "logger" not in begun[0]["config"]
    assert begun[0]["name"] == "my_search"
    assert begun[0]["id"] == begun[1]["id"]
    play(config, claimed(tmp_path / "other"))
    assert begun[2]["id"] != begun[0]["id"]


def test_mlflow_is_told_each_epoch_and_a_resumed_run_goes_on(monkeypatch, tmp_path):
    client = Recorded()
    mlflow_stand_in(monkeypatch, client)
    config = SearchConfig(dataset="digits", logger="mlflow", epochs=7)
    run = claimed(tmp_path)
    play(config, run, epochs=EPOCHS[:1], finished=False)
    play(config, run, first=1)
    names_of_calls = [call[0] for call in client.calls]
    begin = ["get_experiment_by_name", "create_run", "log_batch"]
    goes_on = ["log_batch", "update_run", "log_batch", "log_batch", "set_terminated"]
    assert names_of_calls == [*begin, *goes_on]
    assert ("epochs", "7") in client.calls[2][-1]["params"]
    metrics = [call[-1].get("metrics", ()) for call in client.calls if call[0] == "log_batch"]
    assert metrics[1:] == [
        [(name, value, step) for name, value in logs.items()] for step, logs in enumerate(EPOCHS)
    ]
    assert {call[1] for call in client.calls if call[0] in ("log_batch", "update_run")} == {
        "theirs"
    }


def failing(*values, **named):
    raise ServiceError("no answer.")


def test_a_service_that_cannot_begin_a_run_is_a_users_mistake(monkeypatch, tmp_path):
    stand_in(monkeypatch, "wandb", init=failing, Error=ServiceError)
    with pytest.raises(UserError, match=r"Biases, got: no answer\. WANDB_MODE=offline needs no"):
        play(SearchConfig(logger="wandb"), claimed(tmp_path / "one"))
    mlflow_stand_in(monkeypatch, types.SimpleNamespace(get_experiment_by_name=failing))
    with pytest.raises(UserError, match=r"expected to begin a run of MLflow, got: no answer\."):
        play(SearchConfig(logger="mlflow"), claimed(tmp_path / "other"))


def test_a_server_that_is_lost_later_does_not_end_the_run(monkeypatch, tmp_path, caplog):
    client = Recorded()
    mlflow_stand_in(monkeypatch, client)
    [logger] = loggers_of(SearchConfig(logger="mlflow"), claimed(tmp_path), 0)
    logger.on_train_begin()
    client.log_batch = client.set_terminated = failing
    logger.on_epoch_end(0, EPOCHS[0])
    logger.on_train_end()
    assert [record.getMessage() for record in caplog.records] == [
        "epoch 0 is not in MLflow: no answer.",
        "the end of the run is not in MLflow: no answer.",
    ]


@pytest.mark.skipif(not REAL["wandb"], reason="wandb is not installed")
def test_the_real_weights_and_biases_keeps_a_run_offline(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = SearchConfig(dataset="digits", logger="wandb")
    run = claimed(tmp_path)
    play(config, run, epochs=EPOCHS[:1])
    play(config, run, first=1)
    files = list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert len(files) == 2
    assert all(file.stat().st_size for file in files)


@pytest.mark.skipif(not REAL["mlflow"], reason="mlflow is not installed")
def test_the_real_mlflow_keeps_a_run_in_a_database(monkeypatch, tmp_path):
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    config = SearchConfig(dataset="digits", logger="mlflow")
    run = claimed(tmp_path / "run")
    play(config, run, epochs=EPOCHS[:1], finished=False)
    play(config, run, first=1)
    client = MlflowClient()
    experiment = client.get_experiment_by_name("darts_tf")
    [found] = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.params["dataset"] == "digits"
    history = client.get_metric_history(found.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [
        (step, logs["loss"]) for step, logs in enumerate(EPOCHS)
    ]
