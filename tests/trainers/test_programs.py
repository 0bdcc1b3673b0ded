"""The list of programs, their release, and their help: without TensorFlow."""

import contextlib
import importlib
import sys

import pytest

import darts_tf
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from trainers import __main__ as listing
from trainers import console
from trainers.programs import programs

PROGRAMS = {program.module: program.about for program in programs()}


def test_the_list_has_every_program_and_no_other_module(monkeypatch, capsys):
    assert PROGRAMS.keys() >= {
        "export.lite",
        "export.onnx",
        "export.saved_model",
        "trainers.demo",
        "trainers.draw",
        "trainers.random_search",
        "trainers.report",
        "trainers.search",
        "trainers.stops",
        "trainers.train",
        "trainers.tune",
    }
    assert "trainers.genotypes" not in PROGRAMS
    assert "export.trained" not in PROGRAMS
    listing.main([])
    told = capsys.readouterr().out
    assert all(f"python -m {name} " in told and about in told for name, about in PROGRAMS.items())
    monkeypatch.setattr(sys, "argv", ["darts-tf"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert console.main() == 0
    rows = [
        line.partition(" ")[2].split(maxsplit=1) for line in capsys.readouterr().out.splitlines()
    ]
    assert rows[:-1] == [[program.name, program.about] for program in programs()]
    assert {"export", "random-search", "search"} <= {name for name, _ in rows[:-1]}
    with pytest.raises(UserError, match=r"unexpected 'search'.*python -m trainers\.search"):
        listing.main(["search"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_tells_its_release_and_its_help(program, monkeypatch, capsys):
    main = importlib.import_module(program).main
    name = program.rpartition(".")[2]
    monkeypatch.setattr(sys, "argv", [name, "--version"])
    assert run(name, main) == 0
    assert capsys.readouterr().out == f"{name}, darts_tf {darts_tf.__version__}\n"
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with contextlib.suppress(SystemExit):  # of status 0, as the test of flags tells
        assert run(name, main) == 0
    shown = capsys.readouterr()
    told, about = (" ".join(text.split()) for text in (shown.out, PROGRAMS[program]))
    assert told.startswith(about)
    assert not shown.err
