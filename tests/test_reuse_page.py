"""docs/reuse.md, run from top to bottom on a few small images, with smaller networks."""

import json
import re
import shlex
import shutil
from importlib import resources
from pathlib import Path

import keras
import numpy as np
import pytest

import darts_tf
from darts_tf import spaces
from darts_tf.networks.complexity import parameters
from darts_tf.networks.squeeze_excite import RATIO
from tests import folders, layouts
from tests.contracts import repeatable
from tests.oracles import counts
from tests.small_space import SMALL
from trainers import search, train

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "reuse.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines()]
PROGRAMS = {"trainers.search": search, "trainers.train": train}
FEWER = ("--epochs=1", "--layers=3", "--init_channels=2", "--batch_size=8")
SIZES = "layers=3, init_channels=2"


def outputs(text):
    """What stands in the page below a block of Python, by the number of that block."""
    shown, number = {}, -1
    for kind, block in text:
        number += kind == "python"
        if kind == "text":
            shown[number] = block
    return shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The user's folder, with images and the runs of both commands."""
    folder = tmp_path_factory.mktemp("user")
    random = np.random.default_rng()
    for name in ("cat", "dog", "owl"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(10):
            image = layouts.jpeg(random, *random.integers(24, 60, 2))
            (folder / "photos" / name / f"{number}.jpg").write_bytes(image)
    spaces.register(SMALL)
    more = {"trainers.search": [f"--space={SMALL.name}"]}
    with pytest.MonkeyPatch.context() as here, repeatable():
        here.chdir(folder)
        for line in COMMANDS:
            _, _, program, *words = shlex.split(line)
            PROGRAMS[program].main([*words, *FEWER, *more.get(program, [])])
    # The page begins with a network that has been trained on other images of this size.
    shutil.copytree(folder / "runs" / "photos", folder / "runs" / "cifar10")
    shutil.copytree(folder / "runs" / "photos-network", folder / "runs" / "cifar10-network")
    return folder


def test_the_two_commands_leave_what_the_page_names(folder):
    assert len(COMMANDS) == 2
    result = json.loads((folder / "runs" / "photos-network" / "result.json").read_text())
    assert result["classes"] == ["cat", "dog", "owl"]
    assert 0 <= result["top1_error_percent"] <= 100
    assert (folder / "runs" / "photos-network" / "model.keras").exists()


def test_the_folders_of_small_images_are_drawn_as_the_page_says(seed):
    random = np.random.default_rng(seed)
    for drawn, labels in ((folders.shapes, folders.SHAPES), (folders.textures, folders.TEXTURES)):
        images = list(drawn(random, 2))
        assert [label for label, _ in images] == [*labels, *labels]
        assert all(pixels.shape == (32, 32, 3) and np.ptp(pixels) > 20 for _, pixels in images)
        assert all(pixels.min() >= 0 and pixels.max() <= 255 for _, pixels in images)
    assert "240 JPEG files of four shapes" in PAGE
    assert len(folders.SHAPES) * 60 == 240


def smaller(block):
    """The same with a single epoch of training, and with the sizes of the commands above."""
    block = re.sub(r"(\brate=\S+, )epochs=\d+", r"\1epochs=1", block)
    return block.replace("genotype=genotype)", f"genotype=genotype, {SIZES})")


def test_the_python_runs_from_top_to_bottom_and_prints_what_the_page_shows(
    folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    names, shown = {}, outputs(BLOCKS)
    scripts = [block for kind, block in BLOCKS if kind == "python"]
    for number, block in enumerate(scripts):
        capsys.readouterr()
        exec(compile(smaller(block), f"block {number} of docs/reuse.md", "exec"), names)
        assert number not in shown or capsys.readouterr().out == shown[number]
    check_what_is_left(names)


def check_what_is_left(names):
    tuned = keras.saving.load_model("photos.keras")
    assert tuned.output_shape == (None, 3)
    assert Path("serving", "photos", "1", "saved_model.pb").exists()
    assert len(names["stop"].records) < 500
    assert names["network"].output_shape == [(None, 3), (None, 3)]
    assert names["twin"].output_shape == (None, 3)
    assert names["PDarts"].genotype == "P_DARTS"


def rows(heading):
    [text] = re.findall(rf"^(\|[^\n]*{heading}[^\n]*\n(?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_the_table_of_networks_is_what_they_are():
    zoo = json.loads(resources.files("darts_tf.spaces").joinpath("zoo.json").read_text())
    networks = rows("parameters")
    named = {name.strip("`") for name, *_ in networks}
    assert named == set(darts_tf.applications.__all__) - {"Application"}
    for name, cells, *numbers in networks:
        network = getattr(darts_tf.applications, name.strip("`"))
        assert cells == f"`{network.genotype}`"
        (size, _, colors), classes = network.input_shape, len(network.class_names)
        if network.layers == 21:  # a mobile one, whose published sizes other tests have
            weights = parameters(network())
            assert numbers == [f"{number:,}" for number in (size, classes, weights)]
            continue
        counted = counts.network(
            zoo[network.genotype],
            side=size,
            classes=classes,
            layers=network.layers,
            channels=network.init_channels,
            stem=network.stem,
            squeeze_ratio=RATIO * network.squeeze_excite,
            colors=colors,
        )
        assert numbers == [f"{number:,}" for number in (size, classes, counted.parameters)]


def test_the_table_of_layers_names_those_of_a_training(folder):
    model = keras.saving.load_model(folder / "runs" / "photos-network" / "model.keras")
    named = re.findall(r"`(\w+)`", " ".join(names for names, _ in rows("gives")))
    assert set(named) <= {layer.name for layer in model.layers}
    assert len(named) == 6
