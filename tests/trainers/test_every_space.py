"""All programs work in each kind of space, on the digits: search, page, TensorBoard, tuning, random
search, training, `model.keras` without this library, exports and `darts_tf.applications`.

Resuming is part of the contracts of spaces.
"""

from __future__ import annotations

import importlib
import json
from contextlib import ExitStack

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import spaces
from darts_tf.applications import Application
from darts_tf.errors import UserError
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.rand_wire import RandWire
from tests import contracts, events
from tests.darts_tf.exporting.test_formats import lite_scores, onnx_scores
from tests.processes import finish, hide, start
from tests.small_space import SMALL
from tests.some_spaces import SmallTrellis

pytestmark = pytest.mark.long

# Small spaces stand for DARTS's, Auto-DeepLab's and RandWire's.
SMALLER = (
    SMALL,
    SmallTrellis(),
    RandWire("few_graphs", generator={"name": "er", "probability": 0.5}, nodes=5),
)
# By the name of a case its space, and what a search there has besides.
CASES = {
    "small": ("small", ()),
    "robust_darts_s1": ("robust_darts_s1", ()),
    "nas_bench_201": ("nas_bench_201", ()),
    "mobile_small": ("mobile_small", ()),
    "single_path_nas": ("mobile_small", ("--method=single_path_nas", "--arch_order=one_level")),
    "small_trellis": ("small_trellis", ()),
    "few_graphs": ("few_graphs", ()),
}
SHORT = ("--dataset=digits", "--epochs=1", "--batch_size=300")
TRAINING = ("--auxiliary_weight=0", "--warmup_epochs=0")
# Keras alone answers, in a process that has no darts_tf.
ANSWER = f"""
{hide("darts_tf")}
import keras, numpy as np
folder, = given
model = keras.saving.load_model(f"{{folder}}/network/model.keras")
np.save(f"{{folder}}/scores.npy", model.predict(np.load(f"{{folder}}/pixels.npy"), verbose=0))
print(json.dumps(sorted({{type(layer).__module__.partition(".")[0] for layer in model.layers}})))
"""


def run(module, *flags):
    importlib.import_module(module).main([str(flag) for flag in flags])


def search(folder, flags, more):
    """Searches and tunes; returns the genotype that was found."""
    flags = (*flags, "--stop_criterion=none")
    run("trainers.search", *flags, *more, f"--run_dir={folder / 'search'}")
    tuning = ("--trials=1", "--tune=learning_rate:0.01:0.1", "--network_epochs=1")
    sizes = [flag.replace("--", "--network_") for flag in flags if "layers" in flag]
    sizes += ["--network_init_channels=4", "--network_batch_size=300"]
    run("trainers.tune", *flags, *more, *tuning, *sizes, f"--run_dir={folder / 'tune'}")
    genotype = read_genotype((folder / "search" / "genotype.json").read_text())
    shown = page(folder / "search")["genotypes"][-1]
    for cell in genotype.cells:
        drawn = [tuple(edge[:2]) for node in shown[cell]["nodes"] for edge in node]
        assert drawn == [(name, source) for name, source, _ in genotype.edges(cell)]
    [line] = (folder / "search" / "history.jsonl").read_text().splitlines()
    events.check_scalars(events.read(folder / "search" / "tensorboard"), [json.loads(line)])
    return genotype


def exported(folder, pixels):
    """Exports the network of a folder in each format; returns the scores that each gives."""
    outputs = {"saved_model": "served", "lite": "a.tflite", "onnx": "a.onnx"}
    for module, output in outputs.items():
        model = f"--model={folder / 'network' / 'model.keras'}"
        run(f"export.{module}", model, f"--output={folder / output}")
    served = tf.saved_model.load(str(folder / "served" / "1")).signatures["serving_default"]
    return {
        "SavedModel": served(pixels=tf.constant(pixels))["scores"],
        "LiteRT": lite_scores(folder / "a.tflite", pixels),
        "ONNX": onnx_scores(folder / "a.onnx", pixels),
    }


def page(run_directory):
    """Returns what the page of a run shows."""
    text = (run_directory / "report.html").read_text(encoding="utf-8")
    return json.loads(text.split(' id="data">')[1].partition("</script>")[0])


@pytest.mark.parametrize("case", CASES)
def test_all_programs_work_in_it(case, tmp_path, seed):
    name, more = CASES[case]
    with ExitStack() as stack:
        for space in SMALLER:
            stack.enter_context(contracts.known(spaces, space))
        stack.enter_context(contracts.repeatable())
        space = spaces.get(name)
        sizes = {"layers": space.fewest_layers, "init_channels": 4}
        flags = [*SHORT, f"--data_dir={tmp_path / 'data'}", f"--seed={seed}"]
        flags += [f"--{name}={value}" for name, value in sizes.items()]
        of_space = [*flags, f"--space={name}"]

        drawn = tmp_path / "drawn"
        run("trainers.random_search", *of_space, *TRAINING, "--samples=1", f"--run_dir={drawn}")
        genotype = read_genotype((drawn / "genotype.json").read_text())
        assert page(drawn)
        if space.searchable:
            genotype = search(tmp_path, of_space, more)
        else:
            for program in ("search", "tune"):
                with pytest.raises(UserError, match="use random search"):
                    run(f"trainers.{program}", *of_space, f"--run_dir={tmp_path / program}")
        space.check(genotype)

        network = tmp_path / "network"
        found = f"--genotype={genotype.to_json()}"
        run("trainers.train", *flags, *TRAINING, found, f"--run_dir={network}")
        assert page(network)
        runs = [tmp_path / each for each in ("drawn", "search", "network")]
        both = tmp_path / "runs.html"
        run("trainers.report", *(each for each in runs if each.exists()), f"--output={both}")

        pixels = np.random.default_rng(seed).integers(0, 256, (5, 8, 8, 1)).astype("float32")
        np.save(tmp_path / "pixels.npy", pixels)
        [modules] = finish(start(ANSWER, str(tmp_path)))
        assert json.loads(modules.splitlines()[-1]) == ["keras"]
        scores = np.load(tmp_path / "scores.npy")
        for name, answer in exported(tmp_path, pixels).items():
            np.testing.assert_allclose(answer, scores, rtol=0, atol=1e-5, err_msg=name)
        again = Application(genotype, **sizes)(weights=network / "model.keras")
        np.testing.assert_allclose(again(pixels), scores, rtol=0, atol=1e-5)
