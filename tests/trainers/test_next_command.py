"""The command after a search trains a network in proportion to the search."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data import DATASETS
from darts_tf.runs.directory import RunDirectory
from darts_tf.searching.plugs import choose, described, run_flags
from darts_tf.tuning.config import RandomSearchConfig
from trainers import genotypes, presets
from trainers.next_step import next_command

PATH = Path("runs/a b/genotype.json")
OWN = "image_folder:my photos"


def read(flags, config=SearchConfig, program="search"):
    return parse(flags, config, "", presets=presets.folder(program))[0]


def training(command):
    """The settings of a command, which is parsed as a shell and the program parse it."""
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "trainers.train", f"--genotype={PATH}"]
    return parse(words[4:], TrainingConfig, "", presets=presets.folder("train"))[0]


@pytest.mark.parametrize("name", ["digits", "cifar10", "imagenet", "svhn_cropped"])
def test_a_search_by_a_preset_is_followed_by_that_of_the_training(name):
    command = genotypes.training_command(PATH, read([f"--flagfile={name}.flags"]), "search")
    preset = f"python -m trainers.train '--genotype={PATH}' --flagfile={name}.flags"
    assert command.removesuffix(" --stem=tiny_imagenet") == preset


def test_a_search_of_ones_own_images_is_followed_by_a_training_of_its_size():
    flags = ["--flagfile=images.flags", f"--dataset={OWN}", "--image_size=48", "--seed=3"]
    usual = training(genotypes.training_command(PATH, read(flags), "search"))
    assert (usual.dataset, usual.image_size, usual.seed) == (OWN, 48, 3)
    preset = read(["--flagfile=images.flags"], TrainingConfig, "train")
    assert usual == replace(preset, dataset=OWN, image_size=48, seed=3)
    twice = replace(read(flags), init_channels=16, epochs=80, layers=6, batch_size=64, threads=1)
    larger = training(genotypes.training_command(PATH, twice, "search"))
    assert larger == replace(
        usual,
        init_channels=2 * usual.init_channels,
        epochs=2 * usual.epochs,
        layers=2 * usual.layers,
        batch_size=2 * usual.batch_size,
        threads=1,
    )


def test_a_small_search_without_a_preset_never_starts_the_papers_training():
    config = SearchConfig(dataset=OWN, epochs=1, layers=3, init_channels=2, batch_size=8)
    trained = training(genotypes.training_command(PATH, config, "search"))
    assert (trained.layers, trained.init_channels, trained.epochs) == (5, 4, 1)
    assert trained.batch_size == 16


def test_the_papers_search_is_followed_by_the_papers_training_whatever_the_images():
    trained = training(genotypes.training_command(PATH, SearchConfig(dataset=OWN), "search"))
    assert trained == TrainingConfig(dataset=OWN)


def test_the_training_after_a_random_search_has_the_networks_size():
    config = RandomSearchConfig(dataset=OWN, epochs=10, layers=6, init_channels=12, data_dir="d")
    trained = training(genotypes.training_command(PATH, config, "random_search"))
    assert (trained.layers, trained.init_channels, trained.epochs) == (6, 12, 200)
    assert trained.data_dir == "d"


def test_a_chain_of_blocks_is_trained_with_its_own_depth_and_width():
    config = SearchConfig(dataset=OWN, space="mobile_small", layers=6, init_channels=12)
    trained = training(genotypes.training_command(PATH, config, "search"))
    assert (trained.layers, trained.init_channels) == (6, 12)


def test_a_search_on_a_text_is_followed_by_a_training_with_its_dropout_and_windows():
    flags = ["--flagfile=ptb.flags", "--dataset=text_file:ptb"]
    usual = training(genotypes.training_command(PATH, read(flags), "search"))
    preset = read(["--flagfile=ptb.flags"], TrainingConfig, "train")
    assert usual == replace(preset, dataset="text_file:ptb")
    flags += ["--text_bptt=10", "--text_input_dropout=0.1", "--batch_size=64", "--epochs=10"]
    smaller = training(genotypes.training_command(PATH, read(flags), "search"))
    assert (smaller.text_bptt, smaller.text_input_dropout) == (10, 0.1)
    assert (smaller.batch_size, smaller.epochs) == (16, 1600)


@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize("name", sorted({*presets.names("search")} & {*presets.names("train")}))
def test_a_search_of_very_few_epochs_is_followed_by_a_training_of_as_many(name, epochs):
    own = {"images.flags": OWN, "ptb.flags": "text_file:ptb"}
    flags = [f"--flagfile={name}", f"--epochs={epochs}"]
    config = read([*flags, *[f"--dataset={own[name]}" for _ in range(name in own)]])
    trained = training(genotypes.training_command(PATH, config, "search"))
    usual = read([f"--flagfile={name}"], TrainingConfig, "train")
    assert trained.epochs == epochs if epochs < 3 else trained.epochs >= 2
    assert replace(trained, dataset="", epochs=usual.epochs, warmup_epochs=0) == replace(
        usual, dataset="", warmup_epochs=0
    )
    assert trained.warmup_epochs == min(usual.warmup_epochs, trained.epochs - 1)


def searched(path, config):
    """The directory of a finished search on the digits."""
    config, plugs = choose(config)
    facts = DATASETS["digits"]
    config = config.resolved(facts)
    run = RunDirectory(path, "search")
    run.claim(run_flags(config, plugs))
    run.describe(described(config, plugs, facts))
    run.write_json(run.genotype, {})
    return run, config


@pytest.mark.parametrize("given", [[], ["--stem=imagenet"]])
def test_a_report_that_is_made_later_has_the_command_of_the_search(given, tmp_path):
    config = read(["--flagfile=digits.flags", "--seed=3", *given])
    run, resolved = searched(tmp_path / "run", config)
    words = shlex.split(next_command(run))
    assert words == shlex.split(next_command(run, resolved))
    assert words[3:] == [
        f"--genotype={run.genotype}",
        "--flagfile=digits.flags",
        *given,
        "--seed=3",
    ]


def test_a_data_set_that_has_moved_is_read_where_it_is_now(tmp_path):
    run, config = searched(tmp_path / "run", SearchConfig(dataset="digits", data_dir="before"))
    assert "--data_dir=before" in shlex.split(next_command(run))
    assert "--data_dir=now" in shlex.split(next_command(run, replace(config, data_dir="now")))


def test_the_command_is_written_in_the_way_that_the_program_was_started(tmp_path, monkeypatch):
    run, _ = searched(tmp_path / "run", SearchConfig(dataset="digits"))
    assert next_command(run).startswith("python -m trainers.train ")
    monkeypatch.setattr("sys.orig_argv", ["python", "/usr/bin/darts-tf", "search"])
    assert next_command(run).startswith("darts-tf train ")
