"""What every test may use. TensorFlow is imported only by the tests that need it."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# TensorFlow reads this when it is imported, which test modules do.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

hypothesis.settings.register_profile("darts_tf", deadline=None, print_blob=True, derandomize=False)
hypothesis.settings.load_profile("darts_tf")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A new random seed in each run; a failure prints it, `DARTS_TF_TEST_SEED` brings it back."""
    given = os.environ.get("DARTS_TF_TEST_SEED")
    value = int(given) if given else secrets.randbelow(2**31)
    request.node.add_report_section("setup", "seed", f"DARTS_TF_TEST_SEED={value}")
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs, with the digits prepared in `data`."""
    from darts_tf import data

    made = tmp_path_factory.mktemp("runs")
    data.load("digits", str(made / "data"))
    return made


def _split_cpu() -> list[Any]:
    """Gives TensorFlow two logical CPU devices, which is possible until it starts."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        half = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [half, half])
    return tf.config.list_logical_devices("CPU")


def pytest_collection_finish() -> None:
    """Spares Python's collector what lives on: a sixth of the time that traces take."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    _prepare_tensorflow()


def _prepare_tensorflow() -> None:
    """Two devices, whether or not a test asks for them, and graphs as they were traced.

    Optimising graphs takes longer than it saves in runs this short.
    """
    if tf := sys.modules.get("tensorflow"):
        _split_cpu()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session")
def two_devices() -> list[Any]:
    """Two CPU devices; `make_strategy("mirrored")` takes both."""
    return _split_cpu()
