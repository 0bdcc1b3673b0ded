"""An examination of this machine and its packages: what is there, and what to do about the rest."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

import darts_tf
from darts_tf.data.datasets import DataRequest, find
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError, short
from darts_tf.extras import IMPORTED, missing
from darts_tf.runs.cluster import cluster_of
from darts_tf.runs.machine import usable_cores

# Variables of the environment that change what a run does.
VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "KERASTUNER_TUNER_ID", "LD_LIBRARY_PATH"),
    *("TF_CONFIG", "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH"),
    *("TF_XLA_FLAGS", "XLA_FLAGS"),
)
# In bytes: what the search of a preset for 32x32 images needs at least.
LEAST_MEMORY, LEAST_DISK = 2 * 2**30, 2**30
_GIB = 2**30
_SECONDS = 300  # in which TensorFlow has to be imported
# Files by which a system with an NVIDIA GPU is known, whether TensorFlow can use it or not.
GPU_FILES = ("/dev/nvidia0", "/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")

# Runs in a process of its own, which may die of what TensorFlow does to it.
PROBE = """
import json, os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import tensorflow as tf
build = tf.sysconfig.get_build_info()
gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(gpu).get("device_name", "?") for gpu in gpus]
others = [d.device_type for d in tf.config.list_physical_devices() if d.device_type != "GPU"]
product = tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))
print(json.dumps({
    "backend": keras.config.backend(),
    "cuda": build.get("cuda_version", ""),
    "gpus": names,
    "others": others,
    "right": bool(tf.reduce_all(product == 64)),
}))
"""


class Finding(NamedTuple):
    """Something that was found out.

    Attributes:
        name: What it is about.
        value: What was found.
        advice: What to do about it; "" if it is well.
    """

    name: str
    value: str
    advice: str = ""


def examine(data_dir: str = "") -> Iterator[tuple[str, list[Finding]]]:
    """Yields the headings of an examination, each with its findings.

    Args:
        data_dir: The folder of the data sets; "" for that of tensorflow-datasets.
    """
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "System": system,
        "Packages": packages,
        "TensorFlow": tensorflow,
        "Extras": extras,
        "Environment": environment,
        "Data sets": lambda: data_sets(data_dir),
    }
    for heading, check in checks.items():
        yield heading, list(check())


def system() -> Iterator[Finding]:
    """Yields what is found of Python, memory and disk."""
    yield Finding("darts_tf", darts_tf.__version__)
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("platform", platform.platform())
    yield Finding("CPU cores", str(usable_cores()))
    available, total = memory()
    if total:
        few = "close other programs, or take a smaller --batch_size and --init_channels"
        value = f"{available / _GIB:.1f} GiB of {total / _GIB:.1f} available"
        yield Finding("memory", value, few if available < LEAST_MEMORY else "")
    free = shutil.disk_usage(Path.cwd()).free
    room = "make room: a run keeps checkpoints" if free < LEAST_DISK else ""
    yield Finding("disk", f"{free / _GIB:.1f} GiB free in {Path.cwd()}", room)
    writable = "" if os.access(Path.cwd(), os.W_OK) else "go to a folder of yours, or set --run_dir"
    yield Finding("folder", "writable" if not writable else "not writable", writable)
    for package in ("trainers", "export"):
        own = Path.cwd() / package
        home = Path(__file__).parents[2] / package
        if own.is_dir() and own.resolve() != home.resolve():
            told = f"`python -m {package}.NAME` runs that one here: write `darts-tf NAME`"
            yield Finding("folder", f"has a {package}/ of its own", told)


def memory() -> tuple[int, int]:
    """Returns the bytes of memory that are available and those that there are; 0 if unknown."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        sizes = dict(line.split(":", 1) for line in text.splitlines())
        available, total = (int(sizes[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
        return 1024 * available, 1024 * total
    except (OSError, LookupError, ValueError):
        return 0, 0


def packages() -> Iterator[Finding]:
    """Yields the releases of the packages that darts_tf requires."""
    try:
        texts = metadata.requires("darts_tf") or []
    except metadata.PackageNotFoundError:
        yield Finding("darts_tf", "runs from its source tree")
        texts = ["absl-py", "keras", "numpy", "scikit-learn", "scipy", "tensorflow"]
        texts += ["tensorflow-datasets", "tqdm"]
    for requirement in map(Requirement, texts):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _version(requirement.name)
        install = f'pip install "{requirement.name}{requirement.specifier}"'
        fits = version and requirement.specifier.contains(version, prereleases=True)
        expected = f", expected {requirement.specifier}" if version and not fits else ""
        yield Finding(
            requirement.name, f"{version or 'not installed'}{expected}", "" if fits else install
        )


def tensorflow() -> Iterator[Finding]:
    """Yields what TensorFlow sees, in a process of its own."""
    found = probe()
    if isinstance(found, str):
        again = "pip install --force-reinstall tensorflow, in a new environment if need be"
        yield Finding("import", found, again)
        return
    yield Finding("import", "works")
    backend = "unset KERAS_BACKEND, and mend ~/.keras/keras.json: runs need TensorFlow"
    yield Finding("Keras backend", found["backend"], backend * (found["backend"] != "tensorflow"))
    wrong = "" if found["right"] else "a product of matrices is wrong: suspect drivers or hardware"
    yield Finding("arithmetic", "right" if not wrong else "wrong", wrong)
    yield Finding("devices", ", ".join([*found["others"], *found["gpus"]]))
    yield Finding("built for CUDA", found["cuda"] or "no")
    present = [file for file in GPU_FILES if Path(file).exists()]
    if present and not found["gpus"]:
        if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
            told = "unset CUDA_VISIBLE_DEVICES, which hides it"
        else:
            told = (
                'pip install "darts_tf[gpu]" brings the libraries; nvidia-smi tells of the driver'
            )
        yield Finding("GPU", f"there is {present[0]}, but TensorFlow sees none", told)


def probe() -> dict[str, Any] | str:
    """Returns what the probe of TensorFlow prints, or in a line how it failed."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {_SECONDS} seconds"
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [""])[-1]
        return f"failed with status {ended.returncode}: {last[:300]}"
    answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return answer


def extras() -> Iterator[Finding]:
    """Yields which extras are installed; none of them is needed by a search or a training."""
    for extra, modules in IMPORTED.items():
        lacking = missing(extra)
        versions = [f"{name} {_version(name)}" for name in modules.values()]
        yield Finding(extra, f"not installed: {lacking}" if lacking else ", ".join(versions))
    lite = find_spec("ai_edge_litert") is not None
    command = 'not installed: pip install "darts_tf[lite]" runs .tflite files'
    yield Finding("lite", f"ai-edge-litert {_version('ai-edge-litert')}" if lite else command)


def environment() -> Iterator[Finding]:
    """Yields the variables of the environment that matter to a run."""
    given = [name for name in VARIABLES if name in os.environ]
    for name in given:
        advice = ""
        if name == "TF_CONFIG":
            try:
                cluster_of("multi_worker")
            except UserError as error:
                advice = str(error)
        yield Finding(name, short(os.environ[name], 200), advice)
    if not given:
        yield Finding("variables", f"none of {', '.join(VARIABLES)}")


def data_sets(data_dir: str = "") -> Iterator[Finding]:
    """Yields which data sets are in place.

    Args:
        data_dir: As for `examine`.
    """
    for name in DATASETS:
        try:
            find(DataRequest(name, data_dir))
        except UserError as error:
            yield Finding(name, str(error).partition(f"'{name}' ")[2] or str(error))
        except ImportError as error:  # of a package that is told of above
            yield Finding(name, f"cannot be looked up: {error}")
        else:
            yield Finding(name, "found")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
