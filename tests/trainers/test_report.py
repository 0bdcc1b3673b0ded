"""The program that makes pages again: what it writes, and its one line for a mistake."""

from __future__ import annotations

from html import unescape

import pytest

from tests.histories import searched, trained
from tests.trainers.programs import python, refused

PROGRAM = "trainers.report"


@pytest.fixture
def folder(tmp_path, seed):
    searched(tmp_path / "a", seed, 2)
    trained(tmp_path / "b", seed, 2)
    return tmp_path


def test_the_page_of_one_run_goes_into_its_directory(folder):
    ended = python("-m", PROGRAM, "a", cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "a/report.html\n", "")
    page = (folder / "a" / "report.html").read_text()
    assert '<body class="search">' in page
    assert "What each criterion would have done" in page


def test_the_page_ends_with_the_command_to_run_next(folder):
    training = "python -m trainers.train --genotype=a/genotype.json --flagfile=digits.flags"
    export = "python -m export.saved_model --model=b/model.keras --output=serving/digits"
    for run, command in (("a", training), ("b", export)):
        assert python("-m", PROGRAM, run, cwd=folder).returncode == 0
        text = unescape((folder / run / "report.html").read_text())
        assert command in text.rpartition("What to run next")[2]


def test_a_run_in_a_space_that_is_not_at_hand_has_a_page(folder):
    with (folder / "a" / "config.flags").open("a") as file:
        file.write("--space=of_my_own\n")
    ended = python("-m", PROGRAM, "a", "--output=alone.html", cwd=folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    text = (folder / "alone.html").read_text()
    assert "What to run next" not in text
    assert "sep_conv_3x3" in text


@pytest.mark.parametrize("output", [("--output=both.html",), ("--output", "both.html")])
def test_the_page_of_several_goes_where_output_says(output, folder):
    ended = python("-m", PROGRAM, "a", *output, "b", cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "both.html\n", "")
    assert "<h1>a and b: digits</h1>" in (folder / "both.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "expected one or more run directories, got none"),
        (("a", "b"), "--output: expected a file"),
        (("a", "--outptu=x"), "Did you mean '--output'?"),
        (("c",), "c: expected the directory of a run, got one without config.flags"),
        (("a", "b", "--output=no/where.html"), "--output=no/where.html: No such file"),
        (("a", "--output=a/config.flags/x.html"), "Not a directory"),
        (("a", "--output=b"), "--output=b: Is a directory"),
    ],
    ids=["nothing", "no output", "a wrong name", "no run", "no folder", "a file", "a folder"],
)
def test_a_mistake_is_told_in_one_line_without_tensorflow(arguments, told, folder):
    assert told in refused(PROGRAM, *arguments, cwd=folder)


def test_a_damaged_run_is_told_in_one_line_without_tensorflow(folder):
    (folder / "a" / "history.jsonl").write_text("{}\n")
    assert "history.jsonl, line 1" in refused(PROGRAM, "a", cwd=folder)


def test_help_tells_how_to_use_it(tmp_path):
    ended = python("-m", PROGRAM, "--help", cwd=tmp_path)
    assert ended.returncode == 0
    assert "RUN_DIR [RUN_DIR ...] [--output=FILE]" in ended.stdout
