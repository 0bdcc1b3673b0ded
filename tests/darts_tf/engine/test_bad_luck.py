"""Full disks, lost directories, losses that are no numbers, lost images: one line, and no loss.

Seeds and threads hold for a whole process, so the starts are made in two processes of their own,
one for what befalls a directory, one for what befalls losses and records.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.directory import RunDirectory
from tests import layouts, unlucky
from tests.killing import SEARCH, TRAIN, Job
from tests.processes import SHORT_RUN, finish, start
from tests.small_space import registration

pytestmark = pytest.mark.long

RUN = SHORT_RUN + registration() + "import runpy\nrunpy.run_path(given[0])['main'](given[1])"
FIRST = ["epoch-00001-step-000000.checkpoint"]
HUGE = "--learning_rate=1e30"


def images(path: Path, rng: np.random.Generator) -> Path:
    for name in ("left", "right"):
        (path / name).mkdir(parents=True)
        for number in range(15):
            pixels = rng.integers(0, 256, (8, 8, 1), np.uint8)
            (path / name / f"{number:02}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    return path


def words(job: Job, *more: str) -> list[str]:
    """The command of a job, whose later flags win."""
    own = [f"--seed={job.seed}", f"--run_dir={job.path}"]
    return [job.program, *job.words[3:], *own, *more]


class Story:
    """Starts by name, and what each of them gave."""

    def __init__(self) -> None:
        self.starts: dict[str, tuple] = {}

    def add(self, name, command, when="", misfortune="", *arguments):
        self.starts[name] = (command, when, misfortune, *map(_plain, arguments))

    def begin(self):
        self.process = start(RUN, unlucky.__file__, list(self.starts.values()))

    def end(self):
        [printed] = finish(self.process)
        self.ends = dict(zip(self.starts, json.loads(printed), strict=True))


def _plain(value):
    return str(value) if isinstance(value, Path) else value


def of_directories(folder: Path, seed: int) -> Story:
    """One training that nothing goes well with, beside the same one left alone."""
    story = Story()
    photos = images(folder / "photos", np.random.default_rng(seed))
    lost = photos / "right" / "07.png"
    flags = f"--dataset=image_folder:{photos}", "--image_size=8", "--batch_size=8"
    story.add("whole", words(Job(TRAIN, seed, folder, "whole"), *flags))
    job = Job(TRAIN, seed, folder, "unlucky")
    log, history = job.path / "train.log", job.path / "history.jsonl"
    command = words(job, *flags)
    story.add("full: config.flags", command, "", "full", job.path / "config.flags", 10)
    story.add("full: a checkpoint", command, "epoch 1:", "full", history, 200_000)
    story.add("full: history.jsonl", command, "resumes with", "full", history, 200, log)
    story.add("full: train.log", command, "epoch 1:", "full", log, 10)
    story.add("unwritable", command, "epoch 1:", "forbidden", job.path)
    story.add("replaced", command, "epoch 1:", "replaced", job.path)
    story.add("removed", command, "epoch 1:", "gone", job.path)
    story.add("an image is gone", command, "", "gone", lost)
    story.add("an image is cut off", command, "", "cut", lost, 40)
    rarely = [*command, "--checkpoint_every=9epochs"]
    story.add("full: model.keras", rarely, "epoch 2:", "full", log, 5000)
    story.add("unlucky", command)
    return story


def of_numbers(folder: Path, seed: int) -> Story:
    """A training and a search whose weights explode, and records that are cut off in a run."""
    story = Story()
    digits = "--data_dir=" + str(folder / "data")
    for name in ("a loss", "a loss, again"):
        command = words(Job(TRAIN, seed, folder, "loss"), digits, HUGE, "--checkpoint_every=1step")
        story.add(name, command)
    beyond = "--learning_rate=3e38", "--grad_clip=1e30", "--weight_decay=10"
    command = words(Job(TRAIN, seed, folder, "weights"), digits, *beyond, "--batch_size=1437")
    story.add("weights", [*command, "--epochs=1", "--checkpoint_every=5epochs"])
    command = words(Job(SEARCH, seed, folder, "validation"), digits, HUGE, "--batch_size=718")
    story.add("validation", command)
    imagenet = layouts.prepare("imagenet", folder / "imagenet", seed)
    [records] = imagenet.rglob("*-train.array_record*")
    flags = (
        *("--dataset=imagenet", f"--data_dir={imagenet}", "--image_size=32", "--batch_size=6"),
        *("--stem=imagenet", "--auxiliary_weight=0", "--epochs=2"),
    )
    story.add("photographs", words(Job(TRAIN, seed, folder, "photographs"), *flags))
    command = words(Job(TRAIN, seed, folder, "cut off"), *flags)
    story.add("records are cut off", command, "epoch 0:", "cut", records, 5000)
    story.add("records are gone", command, "", "gone", records)
    story.add("cut off", command)
    return story


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("luck")


@pytest.fixture(scope="module")
def ends(folder):
    """Status, line on stderr and checkpoints of every start, by name."""
    seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**30))
    print(f"DARTS_TF_TEST_SEED={seed}")
    stories = of_directories(folder, seed), of_numbers(folder, seed)
    for story in stories:
        story.begin()
    for story in stories:
        story.end()
    return stories[0].ends | stories[1].ends


def line_of(end):
    """The one line of a start that ended with status 2."""
    status, told, _ = end
    assert status == 2, told
    assert told.endswith("\n")
    assert told.count("\n") == 1
    return told.partition(": ")[2].rstrip()


def assert_same(folder, one, other):
    assert Job(TRAIN, 0, folder, one).outcome() == Job(TRAIN, 0, folder, other).outcome()
    models = [(folder / name / "model.keras").read_bytes() for name in (one, other)]
    assert models[0] == models[1]


FULL = "File too large; make room, then run the same command again to resume"


@pytest.mark.parametrize("what", ["config.flags", "a checkpoint", "history.jsonl", "model.keras"])
def test_a_full_disk_is_told_in_one_line(what, ends, folder):
    told = line_of(ends[f"full: {what}"]).replace(": tensorboard:", ":")  # which comes first
    assert told == f"--run_dir={folder / 'unlucky'}: {FULL}"


def test_a_full_disk_is_told_by_the_log_too(ends, folder):
    assert line_of(ends["full: train.log"]) == f"{folder / 'unlucky' / 'train.log'}: {FULL}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unwritable", "Permission denied"),
        ("replaced", "Not a directory"),
        ("removed", "No such file or directory"),
    ],
)
def test_a_directory_that_is_lost_in_a_run_is_told_in_one_line(name, reason, ends, folder):
    line = line_of(ends[name])
    assert line.startswith(f"--run_dir={folder / 'unlucky'}: {reason}; expected a directory that ")


def test_a_run_goes_on_with_its_own_images_alone(ends, folder):
    line = line_of(ends["an image is gone"])
    where = f"--run_dir={folder / 'unlucky'}: "
    assert line.startswith(f"{where}expected the images that the run began with, 24 to train ")
    assert line.endswith("got others, 24 and 5")
    lost = folder / "photos" / "right" / "07.png"
    told = line_of(ends["an image is cut off"])
    assert told.startswith("dataset: expected a whole JPEG, PNG, GIF, BMP or WebP, got ")
    reason = "which cannot be decoded; --skip_damaged leaves such files out"
    assert told.endswith(f"got {lost}, {reason}")


def test_after_all_that_the_same_command_ends_as_if_nothing_had_happened(ends, folder):
    told = (folder / "unlucky" / "train.log").read_text()
    assert "damaged" not in told
    assert "report.html is not up to date" in told
    assert told.count("resumes with step 0 of epoch 1") >= 6
    for name in ("a checkpoint", "history.jsonl", "train.log", "model.keras"):
        assert ends[f"full: {name}"][2] == FIRST
    assert ends["unlucky"][:2] == [0, ""]
    assert_same(folder, "unlucky", "whole")


def test_a_loss_that_is_no_number_is_named_again_and_again(ends, folder):
    line = line_of(ends["a loss"])
    assert line.startswith("epoch 0, training loss of step 1: nan; the checkpoints before it are ")
    assert "in another --run_dir" in line
    assert line_of(ends["a loss, again"]) == line
    assert ends["a loss, again"][2] == ["epoch-00000-step-000001.checkpoint"]
    kept = Checkpoints(RunDirectory(folder / "loss", "train")).latest()
    assert all(np.isfinite(array).all() for array in kept.arrays.values())


def test_weights_that_are_no_numbers_are_found_before_a_loss_is(ends, folder):
    line = line_of(ends["weights"])
    assert line.startswith("epoch 0, training, after 1 step: '0 stem_conv/kernel' is infinite ")
    assert not (folder / "weights" / "history.jsonl").exists()
    assert not (folder / "weights" / "model.keras").exists()


def test_a_validation_loss_that_is_no_number_is_named_as_what_it_is(ends):
    line = line_of(ends["validation"])
    assert line.startswith("epoch 0, validation loss of step 0: nan; the checkpoints before it ")


def test_records_that_are_lost_in_a_run_are_named_and_it_goes_on_once_they_are_back(ends, folder):
    for name in ("cut off", "gone"):
        line = line_of(ends[f"records are {name}"])
        assert line.startswith(f"{folder}/imagenet/imagenet2012/5.1.0/imagenet2012-train.array_")
        assert ends[f"records are {name}"][2] == FIRST
    assert "No such file" in line
    assert ends["cut off"][:2] == [0, ""]
    assert_same(folder, "cut off", "photographs")
