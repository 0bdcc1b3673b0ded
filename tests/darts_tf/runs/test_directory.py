"""A run directory: whose it is, and files that are whole or absent."""

import json
import logging
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory

LINES = ["--dataset=digits", "--epochs=3", "--data_dir="]


@pytest.fixture(params=["search", "train", "repeats"])
def run(request, tmp_path):
    return RunDirectory(tmp_path / "runs" / "one", request.param)


def refusal(claim, *arguments):
    with pytest.raises(UserError) as error:
        claim(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def half_written(run, path):
    """Fails within a write, and returns the temporary name."""

    def write():
        with run.writing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError(temporary)

    with pytest.raises(RuntimeError) as error:
        write()
    return error.value.args[0]


def test_file_names_are_those_of_the_contract(tmp_path):
    search, train = RunDirectory(tmp_path, "search"), RunDirectory(str(tmp_path), "train")
    names = (search.config, search.history, search.genotype, search.log, train.result)
    names += (train.model, train.log, train.confusions, train.answers)
    names += (search.report, search.description)
    assert [path.name for path in names] == [
        "config.flags",
        "history.jsonl",
        "genotype.json",
        "search.log",
        "result.json",
        "model.keras",
        "train.log",
        "confusions.json",
        "answers.npy",
        "report.html",
        "settings.json",
    ]
    assert {path.parent for path in names} == {tmp_path}


def test_where_there_is_no_run_none_is_opened(tmp_path):
    assert "config.flags" in refusal(RunDirectory.open, tmp_path)
    assert "config.flags" in refusal(RunDirectory.open, tmp_path / "nothing")


def test_a_claim_goes_from_new_over_unfinished_to_finished(run):
    assert [run.claim(LINES), run.claim(LINES)] == ["new", "new"]
    assert run.config.read_text().splitlines() == [f"# program: {run.program}", *LINES]
    run.append_history({"epoch": 0})
    assert [run.claim(LINES), run.claim(LINES)] == ["unfinished", "unfinished"]
    run.write_json(run.outcome, {"epoch": 0})
    assert [run.claim(LINES), run.claim(LINES)] == ["finished", "finished"]


def test_each_program_is_finished_by_its_own_file(tmp_path):
    search, train = RunDirectory(tmp_path, "search"), RunDirectory(tmp_path, "train")
    assert (search.outcome, train.outcome) == (search.genotype, train.result)
    repeats = RunDirectory(tmp_path, "repeats")
    assert (repeats.outcome, repeats.log) == (tmp_path / "repeats.json", tmp_path / "repeats.log")
    assert repeats.repeat(7) == tmp_path / "seed_7"


def test_other_flags_are_refused_with_both_values(run):
    run.claim(LINES)
    line = refusal(run.claim, ["--dataset=digits", "--epochs=4", "--data_dir=/x=y"])
    assert f"--run_dir={run.path}" in line
    assert "--epochs (3 there, 4 now)" in line
    assert "--data_dir (empty there, /x=y now)" in line
    assert "--dataset" not in line
    assert run.config.read_text().splitlines()[1:] == LINES


def test_a_new_flag_counts_as_different(run):
    run.claim(LINES)
    assert "--seed (absent there, 0 now)" in refusal(run.claim, [*LINES, "--seed=0"])


def test_comments_and_order_in_the_recorded_flags_do_not_count(run):
    run.claim(LINES)
    run.config.write_text("\n".join(["# a note", "", *reversed(LINES)]))
    assert run.claim(LINES) == "new"


def test_a_flag_that_an_earlier_release_did_not_have_counts_as_its_default(run):
    run.claim(LINES)
    defaults = [*LINES, "--space=darts"]
    assert run.claim([*LINES, "--space=darts"], defaults) == "new"
    line = refusal(run.claim, [*LINES, "--space=nas"], defaults)
    assert "--space (darts there, nas now)" in line


def test_another_programs_run_is_refused(run):
    run.claim(LINES)
    line = refusal(run.claim, ["--dataset=digits", "--stem=cifar"])
    assert "that of another program" in line
    assert "--epochs" in line
    other = RunDirectory(run.path, "tune")
    line = refusal(other.claim, [*LINES, "--tuner=random"])
    assert (
        f"expected the directory of a run of tune, got that of another program, {run.program}"
        in line
    )


def test_a_folder_that_is_no_run_is_refused_and_left_alone(run):
    run.path.mkdir(parents=True)
    (run.path / "thesis.tex").write_text("x")
    line = refusal(run.claim, LINES)
    assert f"--run_dir={run.path}" in line
    assert "thesis.tex" in line
    assert [path.name for path in run.path.iterdir()] == ["thesis.tex"]


def test_an_empty_folder_and_what_a_killed_claim_left_are_taken(run):
    run.path.mkdir(parents=True)
    half_written(run, run.config).write_text("--epo")
    assert run.claim(LINES) == "new"


@pytest.mark.parametrize("below", ["file", "file/a/b"])
def test_a_path_through_a_file_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("x")
    run = RunDirectory(tmp_path / below, "search")
    line = refusal(run.claim, LINES)
    assert line.startswith(f"--run_dir={run.path}: ")
    assert (tmp_path / "file").read_text() == "x"


def test_a_path_that_is_too_long_is_refused(tmp_path):
    assert "too long" in refusal(RunDirectory(tmp_path / ("x" * 300), "search").claim, LINES)


def test_a_folder_without_permission_is_refused(run, monkeypatch):
    run.path.mkdir(parents=True)
    # The superuser may write anywhere, so the kernel's answer is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: path != run.path)
    assert "permission" in refusal(run.claim, LINES)


def test_lines_with_undecodable_paths_come_back(run):
    lines = [os.fsdecode(b"--data_dir=/data/\xff\xe4")]
    run.claim(lines)
    assert run.claim(lines) == "new"


def test_history_reads_back_to_the_bit(run, seed):
    run.claim(LINES)
    random = np.random.default_rng(seed)
    lines = [
        {"epoch": epoch, "alphas": {"normal": random.normal(size=(2, 3)).tolist()}, "none": None}
        for epoch in range(4)
    ]
    for line in lines:
        run.append_history(line)
    assert run.read_history() == lines
    assert len(run.history.read_text().splitlines()) == 4


def test_history_cut_anywhere_keeps_whole_lines_and_goes_on(run, seed):
    run.claim(LINES)
    lines = [{"epoch": epoch, "name": "ä" * epoch} for epoch in range(3)]
    for line in lines:
        run.append_history(line)
    whole = run.history.read_bytes()
    for cut in [0, len(whole), *np.random.default_rng(seed).integers(0, len(whole), 30)]:
        run.history.write_bytes(whole[:cut])
        kept = lines[: whole[:cut].count(b"\n")]
        assert run.read_history() == kept
        run.append_history({"epoch": 9})
        assert run.read_history() == [*kept, {"epoch": 9}]


@pytest.mark.parametrize("text", ["{]\n", '{"a": 1}\n[1]\n', '{"a":1}\n\xff\n'])
def test_a_broken_line_within_the_history_is_named(run, text):
    run.claim(LINES)
    run.history.write_bytes(text.encode("latin-1") + b'{"a": 1}\n')
    line = refusal(run.read_history)
    assert f"history.jsonl, line {text.count(chr(10))}: expected" in line


def test_a_line_ends_where_it_does_for_whoever_adds_the_next(run):
    run.claim(LINES)
    run.history.write_bytes(b'{"a":\r1}\r\n{"b": 2}\r{"c":')
    assert run.read_history() == [{"a": 1}]
    run.append_history({"d": 4})
    assert run.read_history() == [{"a": 1}, {"d": 4}]


def test_no_history_reads_as_none(run):
    assert run.read_history() == []


def test_going_on_keeps_the_lines_before_the_epoch_and_says_where(run, caplog):
    run.claim(LINES)
    lines = [{"epoch": epoch, "loss": 0.1 * epoch} for epoch in range(4)]
    for line in lines:
        run.append_history(line)
    whole = run.history.read_bytes().splitlines(keepends=True)
    run.history.write_bytes(b"".join(whole) + b'{"epoch": 4, "lo')
    run.checkpoints.mkdir()
    for folder in (run.path, run.checkpoints):
        (folder / ".tmp.17.half").touch()
    with caplog.at_level(logging.INFO, logger="darts_tf"):
        assert run.resume(2, step=5) == lines[:2]
    assert run.history.read_bytes() == b"".join(whole[:2])
    assert "resumes with step 5 of epoch 2" in caplog.text
    assert not list(run.path.rglob(".tmp.*"))


def test_a_copy_has_what_the_run_has_and_nothing_else(run, tmp_path):
    run.claim(LINES)
    run.append_history({"epoch": 0})
    run.checkpoints.mkdir()
    (run.checkpoints / "epoch-00001-step-000000.checkpoint").write_bytes(b"state")
    (run.checkpoints / ".tmp.1.half").write_bytes(b"half")
    (run.path / "search.log").write_text("a line")
    copy = RunDirectory(tmp_path / "copy", "search")
    copy.claim(LINES)
    copy.fill(run.contents())
    assert copy.contents() == run.contents()
    assert set(run.contents()) == {
        "history.jsonl",
        "checkpoints/epoch-00001-step-000000.checkpoint",
    }


@pytest.mark.parametrize("name", ["../evil", "/evil", "checkpoints/../../evil", "search.log", ""])
def test_a_copy_takes_no_other_files(run, name):
    run.claim(LINES)
    with pytest.raises(UserError, match="expected the name of a run's file"):
        run.fill({name: b""})


def test_a_new_run_goes_on_without_a_word(run, caplog):
    run.claim(LINES)
    with caplog.at_level(logging.INFO, logger="darts_tf"):
        assert run.resume(0) == []
    assert not caplog.text
    assert run.claim(LINES) == "new"


def test_a_history_shorter_than_its_checkpoint_is_refused(run):
    run.claim(LINES)
    run.append_history({"epoch": 0})
    assert (
        "expected 2 epochs in history.jsonl, as many as before the last checkpoint, got 1"
        in refusal(run.resume, 2)
    )
    assert run.read_history() == [{"epoch": 0}]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_is_strict(run, number):
    run.claim(LINES)
    run.append_history({"epoch": 0})
    assert "history.jsonl" in refusal(run.append_history, {"loss": [number]})
    assert "result.json" in refusal(run.write_json, run.result, {"loss": number})
    assert run.read_history() == [{"epoch": 0}]
    assert not run.result.exists()


def test_json_written_is_read(run):
    run.claim(LINES)
    value = {"genotype": {"normal": [["skip_connect", 0]]}, "error": 0.1 + 0.2}
    run.write_json(run.outcome, value)
    assert run.read_json(run.outcome) == value
    assert json.loads(run.outcome.read_text()) == value


def test_json_that_is_missing_or_broken_is_named(run):
    run.claim(LINES)
    assert "No such file" in refusal(run.read_json, run.result)
    run.result.write_text('{"error": 1')
    assert "result.json: expected JSON, got" in refusal(run.read_json, run.result)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(run):
    run.claim(LINES)
    run.model.write_text("old")
    before = sorted(run.path.iterdir())
    temporary = half_written(run, run.model)
    assert (temporary.suffix, temporary.parent) == (".keras", run.path)
    assert run.model.read_text() == "old"
    assert sorted(run.path.iterdir()) == before
    with run.writing(run.model) as temporary:
        temporary.write_text("new")
    assert run.model.read_text() == "new"
    assert sorted(run.path.iterdir()) == before


def test_files_have_the_permissions_that_the_user_gives_new_files(run):
    run.claim(LINES)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(run.config.stat().st_mode) == 0o666 & ~mask


def test_module_loads_no_tensorflow():
    code = (
        "import sys, darts_tf.config, darts_tf.runs.directory; print('tensorflow' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout == "False\n"


def test_a_directory_is_one_process_at_a_time_until_its_run_has_ended(run):
    run.claim(["--a=1"])
    with run.held():
        other = RunDirectory(run.path, run.program)
        assert other.claim(["--a=1"]) == "new"
        with pytest.raises(UserError, match="got one with a run under way"), other.held():
            pass
    with other.held():
        other.write_json(other.outcome, {})
        with run.held():  # to read what has ended
            pass


def test_a_killed_process_lets_its_directory_go(run):
    run.claim(["--a=1"])
    words = (
        "import sys, time; from darts_tf.runs.directory import RunDirectory\n"
        f"with RunDirectory({str(run.path)!r}, 'search').held(): print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(UserError, match="no other process runs"), run.held():
            pass
        process.kill()
    with run.held():
        pass
