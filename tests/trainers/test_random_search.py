"""The program `trainers.random_search`: refusals before TensorFlow, and what it tells."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import darts_tf
from darts_tf.command_line.parsing import parse
from darts_tf.config import TrainingConfig
from darts_tf.errors import UserError
from darts_tf.spaces import zoo
from darts_tf.tuning.config import RandomSearchConfig
from tests.trainers.programs import refused
from trainers import genotypes, presets, random_search, train

GENOTYPE = zoo.get("DARTS_V2")


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """Stands in for the library's random search, and keeps what it was given."""
    calls = []

    def stand_in(config, run, *, data):
        calls.append(config)
        tried = [{"seed": 4, "valid_accuracy": 0.975}, {"seed": 3, "valid_accuracy": 0.5}]
        run.write_json(run.genotype, {"genotype": GENOTYPE.to_dict(), "tried": tried})

    monkeypatch.setitem(vars(darts_tf), "random_search", stand_in)
    monkeypatch.chdir(tmp_path)
    return calls


def test_it_tells_what_was_tried_and_a_next_command_that_trains_the_best(
    searched, capsys, monkeypatch
):
    for _ in range(2):
        random_search.main(["--flagfile=digits.flags", "--samples=2", "--data_dir=my data"])
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == [
        "seed 4: validation accuracy 97.50%",
        "seed 3: validation accuracy 50.00%",
    ]
    assert told[3] == "runs/digits-random: this run is finished"
    assert told[4:] == told[:3]
    assert [(config.dataset, config.samples) for config in searched] == [("digits", 2)]

    trained = []
    monkeypatch.setitem(vars(darts_tf), "train", lambda *given, data: trained.append(given))
    with pytest.raises(UserError, match=r"result\.json|No such file"):
        train.main(shlex.split(told[2])[4:])
    [(config, genotype, _)] = trained
    assert (genotype, config.dataset, config.data_dir) == (GENOTYPE, "digits", "my data")


@pytest.mark.parametrize(
    ("name", "space", "source"),
    [("digits", "darts", "table 1"), ("rand_wire_digits", "rand_wire_small", "arXiv:1904.01569")],
)
def test_a_preset_is_read_and_tells_its_source_and_command(name, space, source):
    flags = [f"--flagfile={name}.flags"]
    config, _ = parse(flags, RandomSearchConfig, "", presets=presets.folder("random_search"))
    assert (config.dataset, config.space) == ("digits", space)
    text = (presets.folder("random_search") / f"{name}.flags").read_text(encoding="utf-8")
    assert source in text
    assert f"python -m trainers.random_search --flagfile={name}.flags" in text


def test_a_space_and_a_seed_name_the_genotype_that_a_random_search_draws(seed):
    for name in ("darts", "rand_wire_small"):
        right = darts_tf.random_genotype(name, np.random.default_rng(seed))
        assert genotypes.chosen(f"{name}:{seed}") == right
    with pytest.raises(UserError, match="no such file, and no published genotype"):
        genotypes.chosen("rand_wire_small:first")


@pytest.mark.parametrize(("space", "layers"), [("rand_wire_small", 3), ("rand_wire_regular", 4)])
def test_the_next_command_of_a_space_with_so_many_layers_has_these(space, layers):
    config = RandomSearchConfig(dataset="digits", space=space, layers=layers, init_channels=8)
    words = shlex.split(genotypes.training_command(Path("g.json"), config, "random_search"))
    training, _ = parse(words[4:], TrainingConfig, "", presets=presets.folder("train"))
    assert training.layers == layers


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sample=3"], ["'--sample'", "Did you mean '--samples'?"]),
        (["--samples=0"], ["--samples: expected at least 1, got 0"]),
        (["--dataset=digits", "--held_out=0"], ["--held_out: expected a value above 0"]),
    ],
    ids=lambda value: value[-1] if isinstance(value[-1], str) else None,
)
def test_a_mistake_is_one_line_before_tensorflow_is_imported(tmp_path, arguments, told):
    line = refused("trainers.random_search", *arguments, cwd=tmp_path)
    assert all(words in line for words in told), line
    assert not (tmp_path / "runs").exists()
