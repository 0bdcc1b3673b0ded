"""Presets really start: a search, its trainings and their exports, one small epoch each.

Of the data sets with CIFAR-10's settings and the layout of another, `SAME`, that other one is run;
`test_presets.py` compares their flags.

The data sets are small and of the real layout. Programs run one after another in few processes,
since most of the time would go into starting them; a process starts when a test needs it, so that
no test waits for all of them.
"""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from darts_tf import data, methods, spaces
from tests import layouts
from tests.images import png
from tests.processes import SHORT_RUN, finish, start
from tests.small_space import SMALL, registration
from trainers import presets

# What runs in one process, one preset of a search after another, each with its trainings.
TURNS = (
    ("digits", "cifar10", "tiny_imagenet", "images"),
    ("cifar100", "imagenet", "mnist", "nas_bench_201_cifar10"),
)
OTHER_SPACE = "nas_bench_201_cifar10"
# The network of a random genotype, here of graphs of four nodes.
RANDOM, FEW = "rand_wire_imagenet", "few_graphs"
_REGISTRATION = f"""
import darts_tf
from darts_tf.spaces.rand_wire import RandWire
darts_tf.spaces.register(
    RandWire({FEW!r}, generator={{"name": "ws", "neighbors": 2}}, nodes=4)
)
"""
SHORT = ("--epochs=1", "--layers=3", "--init_channels=2", "--batch_size=4", "--threads=1")
SAME = ("fashion_mnist.flags", "kmnist.flags", "svhn_cropped.flags")
# Those of texts run in `test_texts.py`.
TEXTS = ("ptb.flags", "ptb_wikitext2.flags")
# Presets of data sets; each method, and each space of another kind, is run by its contract, on a
# smaller space.
RUN_ELSEWHERE = tuple(
    f"{name}_"
    for name in (
        *methods.names(),
        *(name for name in spaces.names() if spaces.get(name).family != "cells"),
    )
)
SEARCH_PRESETS = [
    name
    for name in presets.names("search")
    if not name.startswith(RUN_ELSEWHERE) and name not in (*SAME, *TEXTS)
]
TRAIN_PRESETS = [name for name in presets.names("train") if name not in (*SAME, *TEXTS)]
# Smaller images where a stem makes them smaller yet.
SMALLER = {"tiny_imagenet": "--image_size=32", "imagenet": "--image_size=64"}
SEARCHES = {"digits": ["--train_portion=0.01"], "imagenet": ["--train_portion=0.5"]}

_RUN = """
import importlib, traceback
ended = {}
for name, module, flags in given:
    try:
        importlib.import_module(module).main(flags)
        ended[name] = ""
    except Exception:
        ended[name] = traceback.format_exc()
print()
print(json.dumps(ended))
"""


def trainings(search):
    names = (name.removesuffix(".flags") for name in presets.names("train"))
    return [name for name in names if name == search or name.startswith(f"{search}_")]


def programs(dataset, folder):
    """Yields the name, the module and the flags of the programs of a search's preset."""
    flags = [*SHORT, f"--data_dir={folder / 'data'}"]
    flags += [SMALLER[dataset]] if dataset in SMALLER else []
    if dataset == "images":
        flags += [f"--dataset=image_folder:{folder / 'photos'}", "--image_size=8"]
    search, found = folder / f"{dataset}-search", f"{folder}/{dataset}-search/genotype.json"
    preset = f"--flagfile={dataset}.flags"
    more = [*SEARCHES.get(dataset, [])]
    more += [] if dataset in ("digits", OTHER_SPACE) else [f"--space={SMALL.name}"]
    yield f"search {dataset}", "trainers.search", [preset, *flags, *more, f"--run_dir={search}"]
    for name in [*trainings(dataset), *[RANDOM] * (dataset == "imagenet")]:
        genotype = f"{FEW}:0" if name == RANDOM else found
        words = [f"--flagfile={name}.flags", *flags, "--warmup_epochs=0", f"--genotype={genotype}"]
        yield f"train {name}", "trainers.train", [*words, f"--run_dir={folder / name}"]
        words = [f"--model={folder / name}/model.keras", f"--output={folder / name}-served"]
        yield f"export {name}", "export.saved_model", words


def photographs(folder):
    random = np.random.default_rng(0)
    for label in ("left", "right"):
        (folder / label).mkdir(parents=True)
        for number in range(15):
            levels = random.integers(0, 256, (8, 8, 1), np.uint8)
            (folder / label / f"{number}.png").write_bytes(png(levels, 8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("presets")


@pytest.fixture(scope="module")
def ended(folder):
    """A function from the name of a program to what it ended with: "" or its error."""
    for dataset in data.DATASETS:
        if dataset == "digits":
            data.load(dataset, str(folder / "data"))
        else:
            layouts.prepare(dataset, folder / "data")
    photographs(folder / "photos")
    works = [[work for name in names for work in programs(name, folder)] for names in TURNS]
    turns = {name: turn for turn, work in enumerate(works) for name, *_ in work}

    @functools.cache
    def outcomes(turn):
        [text] = finish(start(SHORT_RUN + registration() + _REGISTRATION + _RUN, *works[turn]))
        return json.loads(text.splitlines()[-1])

    return lambda program: outcomes(turns[program])[program]


def test_every_preset_has_its_turn():
    searches = [name.removesuffix(".flags") for name in SEARCH_PRESETS]
    assert sorted(name for names in TURNS for name in names) == sorted(searches)


@pytest.mark.long
@pytest.mark.parametrize("name", SEARCH_PRESETS)
def test_a_search_starts_and_ends_with_a_genotype(name, ended, folder):
    dataset = name.removesuffix(".flags")
    assert ended(f"search {dataset}") == ""
    run = folder / f"{dataset}-search"
    assert len((run / "history.jsonl").read_text().splitlines()) == 1
    assert json.loads((run / "genotype.json").read_text())["epoch"] == 0


@pytest.mark.long
@pytest.mark.parametrize("name", TRAIN_PRESETS)
def test_a_training_starts_and_its_model_is_exported(name, ended, folder):
    name = name.removesuffix(".flags")
    assert ended(f"train {name}") == ""
    result = json.loads((folder / name / "result.json").read_text())
    assert result["dataset"] in name or name == "images"
    assert 0 <= result["top1_error_percent"] <= 100
    assert ended(f"export {name}") == ""
    assert (folder / f"{name}-served" / "1" / "saved_model.pb").exists()
