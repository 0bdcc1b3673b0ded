"""Run directories with three finished epochs, claimed by a few flags."""

from pathlib import Path

from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.programs import Program

FLAGS = {"dataset": "image_folder:/a/photos", "data_dir": "", "epochs": "3", "threads": "2"}


def lines(**other: object) -> list[str]:
    """The lines of the flags, some with other values."""
    return [f"--{name}={value}" for name, value in {**FLAGS, **other}.items()]


def made(path: Path, program: Program) -> RunDirectory:
    """A run whose three epochs are done."""
    run = RunDirectory(path, program)
    run.claim(lines())
    for epoch in range(3):
        run.append_history({"epoch": epoch})
    Checkpoints(run).save(Checkpoint(3, 0, {}))
    return run


def again(run: RunDirectory) -> RunDirectory:
    """The directory of a run, as the next process opens it."""
    return RunDirectory(run.path, run.program)
