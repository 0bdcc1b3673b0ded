"""The program `trainers.draw`: three forms, two places, and one line for a mistake."""

import json
import xml.etree.ElementTree as ET

import pytest
from matplotlib.image import imread

from darts_tf.errors import UserError
from darts_tf.report.pictures.drawing import Look, picture
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from tests.stages import by_stage
from tests.trainers.programs import python, refused
from trainers import draw

NAME = "DARTS_PLUS_CIFAR10"
GENOTYPE = zoo.get(NAME)


def test_a_published_name_is_drawn_on_the_terminal(capsys):
    draw.main([NAME])
    assert capsys.readouterr() == (as_text(GENOTYPE) + "\n", "")


@pytest.mark.parametrize("words", [["found.json"], ["--genotype=found.json"]])
def test_a_searchs_file_is_drawn_with_or_without_the_flags_name(
    tmp_path, monkeypatch, capsys, words
):
    monkeypatch.chdir(tmp_path)
    genotype = by_stage("DARTS_V1")
    (tmp_path / "found.json").write_text(json.dumps({"genotype": genotype.to_dict(), "epoch": 3}))
    draw.main([*words, "--title=found"])
    assert capsys.readouterr().out == as_text(genotype, "found") + "\n"


@pytest.mark.parametrize("suffix", ["svg", "PNG", "txt"])
def test_the_outputs_name_says_what_is_drawn(tmp_path, capsys, suffix):
    path = tmp_path / f"cells.{suffix}"
    path.write_text("what was there")
    draw.main([f"--output={path}", NAME, "--title=one"])
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    match suffix:
        case "svg":
            assert "one" in {"".join(text.itertext()) for text in ET.parse(path).getroot().iter()}
        case "PNG":
            assert imread(path).shape[2] >= 3
        case "txt":
            assert path.read_text(encoding="utf-8") == as_text(GENOTYPE, "one") + "\n"


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_format_goes_through_a_pipe_or_to_any_name(tmp_path, capfdbinary, form):
    draw.main([NAME, f"--format={form}"])
    piped = capfdbinary.readouterr().out
    draw.main([NAME, f"--format={form}", f"--output={tmp_path / 'cells'}"])
    assert piped == (tmp_path / "cells").read_bytes() == picture(GENOTYPE, form)


def test_the_flags_say_how_a_picture_looks(tmp_path, capsys):
    flags = {"--dark": {"dark": True}, "--solid": {"solid": True}, "--nolegend": {"legend": False}}
    for flag, look in flags.items():
        draw.main([NAME, flag, f"--output={tmp_path / 'cells.svg'}"])
        assert (tmp_path / "cells.svg").read_bytes() == picture(GENOTYPE, "svg", look=Look(**look))
    capsys.readouterr()
    draw.main([NAME, *flags])
    assert capsys.readouterr().out == as_text(GENOTYPE) + "\n"


def test_a_png_is_not_for_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UserError, match=r"expected --output=FILE\.png, got the terminal"):
        draw.main([NAME, "--format=png"])


def test_a_drawing_that_cannot_be_finished_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "cells.txt"
    path.write_text("what was there")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(UserError, match=r"cells\.txt: No space left on device; make room"):
        draw.main([NAME, f"--output={path}"])
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [
        ("cells.txt", "what was there")
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["DARTS_PLUS"], ["--genotype=DARTS_PLUS: no such file", "Did you mean '"]),
        ([], ["--genotype: expected", "DARTS_V2"]),
        (["DARTS_V1", "DARTS_V2"], ["unexpected 'DARTS_V2'"]),
        (["DARTS_V1", "--output=a.jpeg"], ["--output=a.jpeg", ".svg, .png or .txt", "'.jpeg'"]),
        (["DARTS_V1", "--output=no/a.svg"], ["--output=no/a.svg: No such file or directory"]),
        (["DARTS_V1", "--output=a.svg", "--format=png"], ["--format=png", "--output=a.svg"]),
        (["DARTS_V1", "--format=pgn"], ["--format: expected one of", "Did you mean 'png'?"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line(tmp_path, words, told):
    line = refused("trainers.draw", *words, cwd=tmp_path)
    assert all(part in line for part in told), line
    assert not list(tmp_path.glob("[!.]*"))


def test_it_draws_without_tensorflow_in_the_letters_that_the_terminal_has(tmp_path):
    program = (
        "import sys; from trainers import draw; draw.main(['DARTS_V1', '--title=\\u00e9']); "
        "draw.main(['DARTS_V1', '--output=a.svg']); print('tensorflow' in sys.modules)"
    )
    ended = python("-X", "utf8=0", "-c", f"import io; {program}", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("wrote a.svg\nFalse\n")


def test_as_a_module_it_has_help(tmp_path):
    ended = python("-m", "trainers.draw", "--help", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "python -m trainers.draw GENOTYPE" in ended.stdout
    assert "--format=auto" in ended.stdout
