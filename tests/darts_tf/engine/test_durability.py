"""Runs that are killed, or asked to end, and started again end as if nothing had happened."""

import signal
import time

import pytest

from tests.killing import SEARCH, TRAIN, Job

OFTEN = "--checkpoint_every=1step"


@pytest.mark.parametrize("words", [SEARCH, TRAIN], ids=["search", "train"])
def test_a_run_that_is_killed_and_started_again_ends_as_one_that_never_was(words, folder, seed):
    whole, broken = (
        Job(words, seed % 2**30, folder, f"{words[2]}-{n}") for n in ("whole", "killed")
    )
    started = whole.start()
    assert broken.kill_after_checkpoints(2 + seed % 3, OFTEN) == -signal.SIGKILL
    assert broken.kill_after_checkpoints(2 + seed % 2, OFTEN) == -signal.SIGKILL
    newest = max((broken.path / "checkpoints").glob("*.checkpoint"))
    damaged = bytearray(newest.read_bytes())
    damaged[seed % len(damaged)] ^= 1
    newest.write_bytes(damaged)
    with (broken.path / "history.jsonl").open("a") as history:
        history.write('{"epoch": 7, "cut o')
    broken.finish("--checkpoint_every=2 epochs")
    _, told = started.communicate()
    assert started.returncode == 0, told
    assert broken.outcome() == whole.outcome()
    log = (broken.path / f"{broken.program}.log").read_text()
    assert f"{newest}: damaged, skipped" in log
    assert log.count("resumes with step") >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_saves_and_says_so(number, folder, seed):
    job = Job(TRAIN, seed % 2**30, folder, f"asked-{number}")
    process = job.start(OFTEN, "--epochs=100")  # so that it does not end before it is asked to
    while not job.checkpoints() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate()
    assert process.returncode == 128 + number, told
    [line] = [line for line in told.splitlines() if line.startswith("train: ")]
    assert line.startswith(f"train: {signal.Signals(number).name}: saved after step ")
    assert line.endswith("the same command resumes from there")
    step = int(line.split("after step ")[1].split()[0])
    epoch = int(line.split("of epoch ")[1].partition(";")[0])
    assert f"epoch-{epoch:05d}-step-{step:06d}.checkpoint" in job.checkpoints()
