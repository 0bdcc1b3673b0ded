"""Where a page goes, and that no page is worth a run."""

from __future__ import annotations

import logging
import shutil
from html import escape
from pathlib import Path

import numpy as np
import pytest

from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.errors import UserError
from darts_tf.report import refresh, write_comparison, write_report
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces import zoo
from tests.histories import searched, trained


@pytest.fixture
def run(tmp_path, seed):
    return searched(tmp_path / "run", seed, epochs=2)


def test_the_same_files_give_the_same_page(run):
    first = write_report(run.path).read_bytes()
    assert write_report(run.path).read_bytes() == first
    assert write_report(run.path) == run.report


def test_a_page_appears_whole_or_not_at_all(run, monkeypatch):
    write_report(run.path)
    before = run.report.read_bytes()

    def half(self, text, **_):
        self.write_bytes(text[:100].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", half)
    with pytest.raises(UserError, match="make room"):
        write_report(run.path)
    with pytest.raises(UserError, match="--output="):
        write_comparison([run.path], run.path / "other.html")
    assert run.report.read_bytes() == before
    assert not list(run.path.glob(".tmp.*"))
    assert not (run.path / "other.html").exists()


def test_a_run_goes_on_without_a_page_that_cannot_be_made(run, caplog):
    with run.history.open("a") as file:
        file.write("{}\n")
    with caplog.at_level(logging.WARNING, "darts_tf"):
        refresh(run)
    [record] = caplog.records
    assert "report.html is not up to date" in record.getMessage()
    assert "history.jsonl, line 3" in record.getMessage()


def test_a_directory_that_is_lost_stays_lost(run, caplog):
    shutil.rmtree(run.path)
    refresh(run)
    assert not run.path.exists()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("name", ["config.flags", "history.jsonl", "genotype.json"])
def test_a_directory_that_must_not_be_looked_into_is_logged_too(name, run, caplog, monkeypatch):
    stat = Path.stat

    def denied(self, **more):
        if self.name == name:
            raise PermissionError(13, "Permission denied", str(self))
        return stat(self, **more)

    monkeypatch.setattr(Path, "stat", denied)
    refresh(run)
    [record] = caplog.records
    assert f"--run_dir={run.path}: Permission denied" in record.getMessage()


def test_one_run_may_go_elsewhere_and_several_go_together(run, tmp_path, seed):
    other = trained(tmp_path / "other", seed, 2)
    alone = write_comparison([run.path], tmp_path / "alone.html")
    assert alone.read_bytes() == write_report(run.path).read_bytes()
    both = write_comparison([run.path, other.path], tmp_path / "both.html").read_text()
    assert '<body class="comparison">' in both
    assert not other.report.exists()


def test_repeats_stand_for_their_training_runs_in_a_comparison(tmp_path, seed):
    path = tmp_path / "repeats"
    config = TrainingConfig(dataset="digits", repeats=3, seed=4)
    run = RunDirectory(path, "repeats")
    run.claim(training_flag_lines(config, zoo.get("DARTS_V2")))
    assert "The first epoch is under way" in write_report(path).read_text()
    with pytest.raises(UserError, match="expected runs to compare, got none that has begun"):
        write_comparison([path, path], tmp_path / "both.html")
    for number in (4, 5):
        trained(run.repeat(number), number, 2)
    text = write_comparison([path, run.repeat(4)], tmp_path / "both.html").read_text()
    assert "3 training runs, side by side" in text
    assert "<h1>repeats: digits</h1>" in write_report(path).read_text()


@pytest.mark.parametrize("line", ['{"epoch": "one"}', "[]", "nothing", '{"epoch": 0}'])
def test_a_damaged_history_is_told_in_one_line(line, run):
    run.history.write_text(f"{line}\n")
    with pytest.raises(UserError) as error:
        write_report(run.path)
    assert "\n" not in str(error.value)
    assert f"--run_dir={run.path}: history.jsonl, line 1" in str(error.value)


@pytest.mark.parametrize(
    "change", [{"parameters": "many"}, {"cost": []}, {"classes": 3}, {"genotype": {}}], ids=str
)
def test_a_result_that_somebody_edited_is_told_in_one_line(change, tmp_path, seed):
    run = trained(tmp_path / "edited", seed, 2)
    run.write_json(run.result, run.read_json(run.result) | change)
    with pytest.raises(UserError) as error:
        write_report(run.path)
    assert "\n" not in str(error.value)
    assert str(run.path) in str(error.value)


def test_the_command_to_run_next_ends_the_page_of_a_finished_run_alone(run, tmp_path, seed):
    command = "python -m trainers.train '--genotype=my run/<1>.json'"
    text = write_report(run.path, command=command).read_text()
    end = text.rpartition("<section")[2]
    assert "What to run next" in end
    assert escape(command) in end
    assert write_report(run.path, command="").read_text().count("What to run next") == 0
    going_on = searched(tmp_path / "going on", seed, 2, finished=False)
    assert "What to run next" not in write_report(going_on.path, command=command).read_text()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"got one without config\.flags"):
        write_report(tmp_path)


def test_spoilt_files_give_a_page_or_one_line(run, tmp_path, seed):
    random = np.random.default_rng(seed)
    other = trained(tmp_path / "training", seed, 2)
    files = [run.config, run.history, run.genotype, other.config, other.history]
    files += [other.result, other.confusions]
    for number in range(210):
        path = files[number % len(files)]
        whole = path.read_bytes()
        spoilt = bytearray(whole)
        for place in random.integers(0, len(whole), 1 + number % 3):
            spoilt[place] = random.choice(list(b'"[]{}:,0-9eN\n\xff'))
        path.write_bytes(spoilt)
        try:
            told = write_report(path.parent).read_text()
        except UserError as error:
            told = str(error)
            assert "\n" not in told, (number, told)
        assert told
        path.write_bytes(whole)
    assert write_report(run.path).exists()
