"""Checkpoints: the same bits again, the last few kept, damaged ones skipped."""

import logging
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
from darts_tf.runs.directory import RunDirectory
from tests.fuzzing.checkpoints import archive, npy, npy_of, with_checksum


@pytest.fixture
def run(tmp_path):
    made = RunDirectory(tmp_path / "run", "search")
    made.claim(["--seed=1"])
    return made


def state(seed):
    rng = np.random.default_rng(seed)
    return {
        "0 kernel": rng.normal(size=(3, 3, 2)).astype(np.float32),
        "1 iterations": np.int64(2**40 + seed),
        "2 none": np.zeros((0, 4)),
        "3 not a number": np.array([np.nan, -0.0, np.inf]),
    }


def assert_same(found, right):
    assert list(found) == list(right)
    for name, array in right.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_the_latest_comes_back_bit_for_bit(run, seed):
    checkpoints = Checkpoints(run)
    assert checkpoints.latest() is None
    for epoch, step in ((0, 7), (1, 0), (0, 9)):
        checkpoints.save(Checkpoint(epoch, step, state(seed % 1000 + epoch)))
    found = Checkpoints(run).latest()
    assert (found.epoch, found.step) == (1, 0)
    assert_same(found.arrays, state(seed % 1000 + 1))


def test_the_last_few_are_kept_in_the_order_of_epochs_and_steps(run):
    checkpoints = Checkpoints(run, keep=2)
    places = [(9, 5), (10, 3), (10, 20), (100_000, 1_000_000)]
    files = [checkpoints.save(Checkpoint(*place, {})) for place in places]
    assert set(run.checkpoints.iterdir()) == set(files[-2:])
    assert checkpoints.latest().epoch == 100_000


def test_a_damaged_one_is_named_and_the_one_before_is_used(run, seed, caplog):
    checkpoints = Checkpoints(run)
    checkpoints.save(Checkpoint(1, 0, state(1)))
    newer = checkpoints.save(Checkpoint(2, 0, state(2)))
    content = bytearray(newer.read_bytes())
    content[seed % len(content)] ^= 1 << seed % 8
    newer.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        found = checkpoints.latest()
    assert found.epoch == 1
    assert_same(found.arrays, state(1))
    assert f"{newer}: damaged" in caplog.text


@pytest.mark.parametrize("length", [0, 10, 96, 97, -1])
def test_one_that_was_cut_off_is_damaged(run, length):
    checkpoints = Checkpoints(run)
    path = checkpoints.save(Checkpoint(1, 0, state(1)))
    path.write_bytes(path.read_bytes()[:length])
    assert checkpoints.latest() is None


HEADER = "{{'descr': '<f4', 'fortran_order': False, 'shape': {}}}"
PICKLED = b"cos\nsystem\n(S'touch ran'\ntR."
FOREIGN = {
    "a pickle": PICKLED,
    "an array alone": npy(np.ones(3)),
    "a pickle in an archive": archive({"a": PICKLED}),
    "an array of objects": archive({"a.npy": npy(np.array([{}]), allow_pickle=True)}),
    "text": archive({"a.npy": npy(np.array("text"))}),
    "no header": archive({"a.npy": npy_of("{'descr': '<f4'(")}),
    "a shape beyond memory": archive({"a.npy": npy_of(HEADER.format("(99999999999999999,)"))}),
    "a shape of text": archive({"a.npy": npy_of(HEADER.format("('x',)"))}),
    "a header of Python 2": archive({"a.npy": npy_of(HEADER.format("(4L,)"))}),
    "compressed": archive({"a.npy": npy(np.zeros(10**6))}, zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_checksum_alone_is_not_enough(run, case):
    checkpoints = Checkpoints(run)
    checkpoints.save(Checkpoint(1, 0, state(1)))
    path = checkpoints.save(Checkpoint(2, 0, state(2)))
    path.write_bytes(with_checksum(FOREIGN[case]))
    assert checkpoints.latest().epoch == 1


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=300))
def test_no_file_makes_it_fail(tmp_path_factory, data):
    run = RunDirectory(tmp_path_factory.mktemp("any") / "run", "train")
    run.claim([])
    run.checkpoints.mkdir()
    (run.checkpoints / "epoch-00001-step-000000.checkpoint").write_bytes(data)
    assert Checkpoints(run).latest() is None


def test_other_files_are_not_looked_at(run):
    run.checkpoints.mkdir()
    (run.checkpoints / "notes.txt").write_text("mine")
    (run.checkpoints / ".tmp.1.epoch-00001-step-000000.checkpoint").write_bytes(b"half")
    Checkpoints(run, keep=1).save(Checkpoint(1, 2, {}))
    assert (run.checkpoints / "notes.txt").read_text() == "mine"


def test_a_full_disk_is_told_and_the_one_before_stays(run, monkeypatch):
    checkpoints = Checkpoints(run)
    checkpoints.save(Checkpoint(1, 0, state(1)))

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(UserError, match="No space left on device"):
        checkpoints.save(Checkpoint(2, 0, state(2)))
    monkeypatch.undo()
    assert checkpoints.latest().epoch == 1
    assert len(list(run.checkpoints.iterdir())) == 1
