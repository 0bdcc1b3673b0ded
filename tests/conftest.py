"""Fixtures for all tests. TensorFlow is imported only by the tests that need it."""

from __future__ import annotations

import gc
import os
import resource
import secrets
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from darts_tf.engine import memory

# TensorFlow reads this when it is imported, which test modules do.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Kilobytes by which a process may grow before it gives back what its tests have left behind.
GROWTH = 256 * 1024
PEAK = pytest.StashKey[int]()
# Where the tests with whole runs are, and those without TensorFlow or with little of it.
WHOLE_RUNS = (
    "tests/trainers/test_presets_start.py",
    "tests/darts_tf/searching/methods/",
    "tests/trainers/",
)
QUICK = ("tests/darts_tf/spaces/", "tests/darts_tf/runs/", "tests/darts_tf/report/pictures/")

hypothesis.settings.register_profile("darts_tf", deadline=None, print_blob=True, derandomize=False)
hypothesis.settings.load_profile("darts_tf")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A new random seed in each run; a failure prints it, `DARTS_TF_TEST_SEED` sets it."""
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


@pytest.fixture(scope="module", autouse=True)
def _plugs_of_others() -> Generator[None]:
    """Forgets the plugs that the tests of a module have registered."""
    from darts_tf import criteria, datasets, methods, operations, spaces
    from darts_tf.registry import Registry

    rooms = (criteria, datasets, methods, operations, spaces)
    tables = [one for room in rooms for one in vars(room).values() if isinstance(one, Registry)]
    before = [dict(table._registered) for table in tables]
    yield
    for table, plugs in zip(tables, before, strict=True):
        table._registered.clear()
        table._registered.update(plugs)


def _split_cpu() -> list[Any]:
    """Configures two logical CPU devices, which is possible until TensorFlow is initialized."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        half = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [half, half])
    return tf.config.list_logical_devices("CPU")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the files with whole runs start first, and those without TensorFlow last.

    So no worker is left with a long file when the other one has nothing to do any more.
    """
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    if nodeid.startswith(QUICK):
        return 2
    return 0 if nodeid.startswith(WHOLE_RUNS) else 1


def pytest_collection_finish(session: pytest.Session) -> None:
    """Freezes imported modules for the garbage collector, which saves a sixth of tracing time."""
    if any("two_devices" in getattr(item, "fixturenames", ()) for item in session.items):
        import tensorflow as tf  # noqa: F401
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    _prepare_tensorflow()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Records the peak memory at the start."""
    session.config.stash[PEAK] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Collects garbage, such as graphs of finished tests, when the process has grown by a lot."""
    done = yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if peak > item.config.stash[PEAK] + GROWTH:
        memory.release()
        item.config.stash[PEAK] = peak
    return done


def _prepare_tensorflow() -> None:
    """Configures two devices, whether or not a test asks for them, and turns Grappler off.

    Optimizing graphs takes longer than it saves in runs this short.
    """
    if tf := sys.modules.get("tensorflow"):
        _split_cpu()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session")
def two_devices() -> list[Any]:
    """Two CPU devices; `make_strategy("mirrored")` takes both."""
    return _split_cpu()
