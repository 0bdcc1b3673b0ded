"""The images of a run: written down with it, and divided so that all classes are told."""

import json
from types import SimpleNamespace

import numpy as np

from darts_tf.data.account import Account
from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import facts_in_proportion
from darts_tf.data.split import ArraySplit
from darts_tf.engine.images import divide, read_images
from darts_tf.report.parts import images_part
from darts_tf.report.runs import read_run
from darts_tf.runs.directory import RunDirectory


def split(*labels: int) -> ArraySplit:
    return ArraySplit(np.zeros((len(labels), 8, 8, 1), np.uint8), np.array(labels, np.int32))


def dataset(account: Account | None) -> Dataset:
    facts = facts_in_proportion("photos", 8, ("cat", "dog"))
    return Dataset(facts, split(0, 1), split(0, 1), account)


def test_what_was_found_is_written_down_and_shown(tmp_path):
    account = Account(
        {"cat": (4, 1), "<dog>": (1200, 0)},
        {"in color": 1205},
        {},
        {"that end in .tif": 3},
        ["dog/1.jpg"],
    )
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(["--seed=1"])
    assert read_images(dataset(account), run).account is account
    written = json.loads(run.images.read_text())
    assert written["damaged"] == ["dog/1.jpg"]
    assert written["classes"]["<dog>"] == {"train": 1200, "test": 0}
    assert written["found"] == (
        "1,205 images of 2 classes, 1,204 to train and 1 to test with (cat 5, <dog> 1,200); "
        "passed over: 3 that end in .tif, 1 damaged"
    )
    images = read_run(run).images
    assert images == written
    page = images_part(images)
    for words in ("passed over: 3", "dog/1.jpg", "&lt;dog&gt;", "1,200", "1,205 in color"):
        assert words in page


def test_other_data_sets_write_nothing(tmp_path):
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(["--seed=1"])
    read_images(dataset(None), run)
    assert not run.images.exists()
    assert read_run(run).images is None


def test_classes_that_a_portion_lacks_are_warned_of(caplog):
    classes = ("cat", "dog", "hen")
    divide(split(0, 1, 0, 1, 2, 2), classes, 0.5, 0.0, "class")
    assert not caplog.messages
    divide(split(0, 1, 0, 1, 2), classes, 0.5, 0.0, "class")
    [line] = caplog.messages
    assert line.startswith("1 of 3 classes have no image in the ")
    assert line.endswith(": hen")


def test_images_that_are_read_later_are_not_looked_at(caplog):
    unread = SimpleNamespace(portions=lambda *_: (unread, unread), known_labels=lambda: None)
    assert divide(unread, ("a", "b"), 0.5, 0.0, "order") == (unread, unread)
    assert not caplog.messages
