"""A run goes on with other threads or its images elsewhere, and with no other flags."""

import logging

import pytest

from darts_tf.errors import DivergenceError, UserError
from darts_tf.runs.directory import RunDirectory
from tests.three_epochs import again, lines, made


@pytest.fixture(params=["search", "train"])
def run(request, tmp_path):
    """A run whose three epochs are done."""
    return made(tmp_path / "run", request.param)


def test_more_epochs_are_refused_with_what_a_longer_cosine_means(run):
    with pytest.raises(UserError, match=r"--extend goes on .* cosine over 5 epochs, which is not"):
        again(run).claim(lines(epochs=5))
    assert "--epochs=3" in run.config.read_text()


def test_fewer_epochs_and_other_flags_are_refused_also_when_extended(run):
    for other in ({"epochs": 2}, {"epochs": 5, "dataset": "digits"}, {"data": 1, "epochs": 5}):
        with pytest.raises(UserError, match="expected the flags of the run there"):
            again(run).claim(lines(**other), extend=True)


def refuse(run, error, left=""):
    """Claims a directory, leaves a file there, and refuses the run."""
    with run.left_as_it_was():
        run.claim(lines())
        (run.path / (left or run.log.name)).touch()
        raise error


def test_a_new_run_that_is_refused_leaves_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "new", tmp_path / "empty"):
        existed = path.exists()
        with pytest.raises(UserError, match="no such"):
            refuse(RunDirectory(path, "train"), UserError("no such"))
        assert path.exists() == existed
        assert RunDirectory(path, "train").claim(lines(epochs=7)) == "new"


@pytest.mark.parametrize("left", ["history.jsonl", "seed_0", "checkpoints"])
def test_what_a_run_has_left_stays_when_it_is_refused(tmp_path, left):
    run = RunDirectory(tmp_path / "run", "train")
    with pytest.raises(UserError):
        refuse(run, UserError("no such"), left)
    assert run.config.exists()


def test_a_run_that_was_there_or_that_diverges_stays(tmp_path):
    run = RunDirectory(tmp_path / "run", "train")
    with pytest.raises(DivergenceError):
        refuse(run, DivergenceError("NaN"))
    assert run.config.exists()
    with pytest.raises(UserError):
        refuse(again(run), UserError("no such"))
    assert run.config.exists()


def test_a_run_of_an_earlier_release_is_told_the_flag_that_it_goes_on_with(run):
    defaults, now = ["--portions_by=order"], lines(portions_by="class")
    with pytest.raises(UserError, match=r"earlier release, and goes on with --portions_by=order$"):
        again(run).claim(now, defaults)
    with pytest.raises(UserError, match=r"\(order there, class now\)$"):
        again(run).claim(lines(portions_by="class", data_dir="/b", dataset="digits"), defaults)
    assert again(run).claim(lines(portions_by="order"), defaults) == "unfinished"


def test_threads_are_recorded_but_not_compared(run, caplog):
    other = again(run)
    assert other.claim(lines(threads=8)) == "unfinished"
    assert run.settings()["threads"] == "2"
    with caplog.at_level(logging.INFO):
        other.resume(3)
    assert "--threads (2 there, 8 now): the last bits of what follows may differ" in caplog.text
    caplog.clear()
    same = again(run)
    same.claim(lines())
    with caplog.at_level(logging.INFO):
        same.resume(3)
    assert "last bits" not in caplog.text


@pytest.mark.parametrize(
    "moved", [{"dataset": "image_folder:/b/photos"}, {"data_dir": "/b"}, {"data_dir": "/c=d"}]
)
def test_images_may_lie_elsewhere_where_a_checkpoint_knows_them(run, moved, caplog):
    other = again(run)
    assert other.claim(lines(**moved)) == "unfinished"
    with caplog.at_level(logging.INFO):
        other.resume(3)
    assert "compared by content" in caplog.text


@pytest.mark.parametrize("extend", [False, True])
def test_a_finished_run_whose_images_have_moved_is_finished(run, extend, caplog):
    run.write_json(run.outcome, {"epoch": 2})
    flags = lines(dataset="image_folder:/b/photos")
    with caplog.at_level(logging.INFO):
        assert again(run).claim(flags, extend=extend) == "finished"
    assert "image_folder:/b/photos now): not read, as this run is finished" in caplog.text
    assert "--dataset=image_folder:/a/photos" in run.config.read_text()
    with pytest.raises(UserError, match=r"got other flags: --dataset"):
        again(run).claim(lines(dataset="digits"))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        again(run).claim(lines())
    assert not caplog.text


def test_another_source_or_a_run_without_a_checkpoint_is_refused(run, tmp_path):
    for other in ("digits", "tfds:photos"):
        with pytest.raises(UserError, match="--dataset"):
            again(run).claim(lines(dataset=other))
    new = RunDirectory(tmp_path / "new", run.program)
    new.claim(lines())
    with pytest.raises(UserError, match="--data_dir"):
        new.claim(lines(data_dir="/b"))
