"""Searches and trainings on several workers, each a process on the loopback."""

import json
import os
import re
import signal

import pytest

from tests.every_operation import FEW
from tests.killing import SHORT
from tests.machines import Machines, ended
from tests.processes import AS_PROGRAM, SHORT_RUN, SPLIT_CPU, finish, start
from tests.small_space import registration
from tests.trainers.programs import python

_PROGRAM = SHORT_RUN + registration() + AS_PROGRAM
_TRAIN = ("-c", _PROGRAM, "trainers.train", f"--genotype={FEW.to_json()}")
_SEARCH = ("-c", _PROGRAM, "trainers.search", "--space=small")
# A program on two devices of one process, which a file may end after its first epoch.
_MIRRORED = f"""{SPLIT_CPU}{SHORT_RUN}{registration()}
import importlib
from darts_tf.runs.directory import RunDirectory
program, stops, *words = given
append = RunDirectory.append_history
def append_and_stop(run, line):
    append(run, line)
    if stops:
        run.stop.touch()
RunDirectory.append_history = append_and_stop
importlib.import_module(program).main(["--strategy=mirrored", *words])
"""


def flags(folder, seed):
    return (
        *("--dataset=digits", f"--data_dir={folder / 'data'}", *SHORT, "--epochs=2"),
        *(f"--seed={seed % 2**30}", "--checkpoint_every=1step"),
    )


def outcome(path, name):
    lines = [json.loads(line) for line in (path / "history.jsonl").read_text().splitlines()]
    result = json.loads((path / name).read_text())
    return [line | {"timing": None} for line in lines], result | {"cost": None}


def finishes(machines):
    """Runs all workers to the end, where each has seen the same epochs."""
    with machines.running() as processes:
        epochs = []
        for status, written, told in ended(processes):
            assert status == 0, told[-2000:]
            epochs.append(re.findall(r"^epoch .*?%(?:, valid .*?%)?", written, re.MULTILINE))
    assert all(seen == epochs[0] for seen in epochs)


def mirrored(words, path, settings, stops=False):
    """Starts the same run on two devices of one process."""
    _, _, program, *flags = words
    return start(_MIRRORED, program, stops, *flags, *settings, f"--run_dir={path}")


@pytest.mark.long
def test_two_workers_of_which_one_dies_do_what_two_devices_do_and_end_together(folder, seed):
    settings = (*flags(folder, seed), "--stop_criterion=none")
    machines = Machines(_SEARCH, 2, folder / "search", settings)
    with machines.running() as processes:
        machines.wait_for_checkpoint(processes)
        processes[1].kill()
        (status, _, told), _ = ended(processes)
    assert status == os.EX_TEMPFAIL, told[-2000:]
    [line] = [line for line in told.splitlines() if line.startswith("search: ")]
    assert line.startswith("search: lost worker 1 (localhost:")
    assert line.endswith("the same command on every machine resumes from the last checkpoint")
    (machines.path / "stop").touch()  # only the chief's directory has it
    alone = mirrored(_SEARCH, folder / "mirrored", settings, stops=True)
    finishes(machines)
    finish(alone)
    assert outcome(machines.path, "genotype.json") == outcome(folder / "mirrored", "genotype.json")
    history, genotype = outcome(machines.path, "genotype.json")
    assert (len(history), genotype["ended_by_hand"]) == (1, True)
    finishes(machines)  # all are told that it is finished
    written = {entry.name for entry in machines.path.iterdir()}
    assert written == {*(entry.name for entry in (folder / "mirrored").iterdir()), "search.log"}
    assert "resumes with step" in (machines.path / "search.log").read_text()


@pytest.mark.long
def test_two_workers_whose_chief_dies_and_of_which_one_is_asked_to_end_go_on(folder, seed):
    settings = flags(folder, seed)
    alone = mirrored(_TRAIN, folder / "training", settings)
    machines = Machines(_TRAIN, 2, folder / "train", settings)
    with machines.running() as processes:
        machines.wait_for_checkpoint(processes)
        processes[0].kill()
        _, (status, _, told) = ended(processes)
    assert status == os.EX_TEMPFAIL, told[-2000:]
    assert "train: lost " in told

    with machines.running() as processes:
        machines.wait_for_checkpoint(processes)
        processes[1].send_signal(signal.SIGTERM)
        for status, _, told in ended(processes):
            assert status == 128 + signal.SIGTERM, told[-2000:]
            assert "train: SIGTERM: saved after step " in told

    finishes(machines)
    finish(alone)
    assert outcome(machines.path, "result.json") == outcome(folder / "training", "result.json")


def test_a_worker_that_never_comes_is_told_in_bounded_time(folder, monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    flags = ("--dataset=digits", "--strategy=multi_worker", "--worker_timeout=1")
    ended = python(*_SEARCH, *flags, f"--data_dir={folder / 'data'}", cwd=folder)
    assert ended.returncode == 2
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("search: ")]
    assert "within 1 s; still absent: the chief (localhost:1)" in line
