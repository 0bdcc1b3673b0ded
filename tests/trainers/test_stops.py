"""The program `trainers.stops`: tables, files, and one line for a mistake."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET

import pytest
from matplotlib.image import imread

from darts_tf.errors import UserError
from darts_tf.report.stops import stop_texts
from darts_tf.study.recorded import read_search
from tests.histories import searched, trained
from tests.search_logs import darts_log
from tests.trainers.programs import python, refused
from trainers import stops

PROGRAM = "trainers.stops"
COLUMNS = [
    *("run", "criterion", "reading", "stop_epoch", "genotype_epoch"),
    *("skip_connects_normal", "skip_connects_reduce", "free_normal", "free_reduce"),
    "valid_accuracy",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("runs")
    searched(made / "a", 5, 14)
    searched(made / "b", 6, 3, finished=False)
    trained(made / "training", 7, 2)
    (made / "empty").mkdir()
    (made / "log.txt").write_text(darts_log([0, 1, 2, 3]))
    return made


def test_the_table_has_the_rows_of_the_replay(folder, capsys):
    stops.main([str(folder / "a")])
    told = capsys.readouterr().out
    title, empty, _, _, *lines = told.splitlines()
    assert title == f"{folder / 'a'}: 14 epochs, the last one 13"
    assert not empty
    _, *rows = stop_texts(read_search(folder / "a").replay())
    for line, row in zip(lines, rows, strict=False):
        assert line.split() == " ".join(row).split()


def test_files_have_the_searches_in_the_order_of_the_command(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    words = ["a", "log.txt", "b", f"--output={tmp_path / 'x.csv'}", f"--plot={tmp_path / 'x.SVG'}"]
    stops.main(words)
    told = capsys.readouterr().out
    assert told.endswith(f"wrote {tmp_path / 'x.csv'}\nwrote {tmp_path / 'x.SVG'}\n")
    assert "stable_ranking: all readings left out: expected epochs with alphas to rank" in told
    with (tmp_path / "x.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == COLUMNS
    assert list(dict.fromkeys(row["run"] for row in rows)) == ["a", "log.txt", "b"]
    [first] = [
        row
        for row in rows
        if row["run"] == "log.txt" and row["reading"] == "2 skip-connects, normal, every epoch"
    ]
    assert (first["stop_epoch"], first["skip_connects_normal"]) == ("1", "2")
    assert {"a", "log.txt", "b"} <= {
        "".join(text.itertext()) for text in ET.parse(tmp_path / "x.SVG").getroot().iter()
    }


def test_a_picture_may_be_a_png_and_criteria_may_be_chosen(folder, tmp_path, capsys):
    path = tmp_path / "x.png"
    stops.main([str(folder / "a"), f"--plot={path}", "--criteria=none, skip_connects"])
    assert imread(path).shape[2] >= 3
    told = capsys.readouterr().out
    assert "skip_connects  2 skip-connects" in told
    assert "stable_ranking" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "expected one or more directories of searches, got none"),
        (("c",), "c: expected the directory of a search or its log, got nothing there"),
        (("empty",), "empty: expected the directory of a run, got one without config.flags"),
        (("training",), "training: expected the run of a search, got one of train"),
        (("a", "--plot=x.pdf"), "--plot=x.pdf: expected a name that ends in .svg or .png"),
        (("a", "--plot=no/x.svg"), "--plot=no/x.svg: No such file or directory"),
        (("a", "--output=no/x.csv"), "--output=no/x.csv: No such file or directory"),
        (("a", "--criteria=nine"), "--criteria: unknown criterion 'nine'"),
        (("a", "--outptu=x"), "Did you mean '--output'?"),
    ],
    ids=["no run", "nothing", "empty", "training", "pdf", "folder", "csv", "criterion", "flag"],
)
def test_mistakes_are_told_in_one_line(words, told, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(UserError) as error:
        stops.main(words)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_tensorflow_is_never_imported(folder, tmp_path):
    assert "x.csv" in refused(PROGRAM, "a", "--output=no/x.csv", cwd=folder)
    ended = python("-m", PROGRAM, "--help", cwd=tmp_path)
    assert ended.returncode == 0
    assert "RUN_DIR [RUN_DIR ...] [--output=FILE.csv]" in ended.stdout
