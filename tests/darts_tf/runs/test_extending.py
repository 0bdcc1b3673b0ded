"""A run is extended: more epochs, from its last checkpoint, beside what it had found."""

import logging

import pytest

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from tests.three_epochs import again, lines, made


@pytest.fixture(params=["search", "train"])
def run(request, tmp_path):
    """A run whose three epochs are done."""
    return made(tmp_path / "run", request.param)


@pytest.mark.parametrize("finished", [True, False])
def test_an_extended_run_goes_on_and_keeps_what_it_had_found(run, finished, caplog):
    if finished:
        run.write_json(run.outcome, {"epoch": 2, "reason": "the last of 3 epochs"})
        run.model.write_text("weights")
    extended = again(run)
    before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    assert extended.claim(lines(epochs=5), extend=True) == "unfinished"
    assert not extended.finished()
    assert not {run.outcome.name, run.model.name} & extended.contents().keys()
    # Its images are compared now; until then it is as it was.
    assert {p.name: p.read_bytes() for p in run.path.iterdir() if p.is_file()} == before
    assert again(run).claim(lines()) == ("finished" if finished else "unfinished")
    with caplog.at_level(logging.INFO):
        assert len(extended.resume(3)) == 3
    assert run.settings()["epochs"] == "5"
    assert extended.extensions() == ("from 3 to 5",)
    assert not run.outcome.exists()
    assert not extended.finished()
    kept = run.path / f"{run.outcome.stem}-3-epochs.json"
    assert kept.exists() == finished
    assert "extended from 3 to 5 epochs" in caplog.text
    assert again(run).claim(lines(epochs=5), extend=True) == "unfinished"  # killed, and again
    assert again(run).claim(lines(epochs=5)) == "unfinished"
    assert again(run).extensions() == ("from 3 to 5",)
    run.write_json(run.outcome, {"epoch": 4})
    for epoch in (3, 4):
        run.append_history({"epoch": epoch})
    assert again(run).claim(lines(epochs=5), extend=True) == "finished"


def test_a_run_that_ended_by_itself_is_not_extended_but_one_that_was_ended_by_hand(run):
    run.write_json(run.outcome, {"epoch": 2, "reason": "Criterion 1: 2 skip-connects"})
    run.config.write_text(run.config.read_text().replace("--epochs=3", "--epochs=4"))
    with pytest.raises(UserError, match="has ended after 3: Criterion 1"):
        again(run).claim(lines(epochs=5), extend=True)
    run.write_json(run.outcome, {"epoch": 2, "ended_by_hand": True})
    assert again(run).claim(lines(epochs=4)) == "finished"
    assert again(run).claim(lines(epochs=4), extend=True) == "unfinished"


def test_a_run_without_a_checkpoint_is_not_extended(run):
    run.write_json(run.outcome, {"epoch": 2})
    for path in run.checkpoints.iterdir():
        path.unlink()
    with pytest.raises(UserError, match="expected a checkpoint"):
        again(run).claim(lines(epochs=5), extend=True)
    assert run.outcome.exists()


@pytest.mark.parametrize("spoiled", ["--epochs=three\n", "--epochs=\n", ""])
def test_a_number_of_epochs_that_is_none_is_told(run, spoiled):
    run.config.write_text(run.config.read_text().replace("--epochs=3\n", spoiled))
    with pytest.raises(UserError, match="epochs"):
        again(run).claim(lines(epochs=5), extend=True)


def test_other_programs_are_not_extended(tmp_path):
    run = RunDirectory(tmp_path, "random_search")
    run.claim(lines())
    with pytest.raises(UserError, match="expected a search or a training for --extend"):
        run.claim(lines(epochs=5), extend=True)


def test_repeats_are_extended_with_their_seeds(tmp_path):
    run = RunDirectory(tmp_path, "repeats")
    run.claim(lines())
    run.write_json(run.outcome, {"seeds": [0, 1]})
    extended = again(run)
    assert extended.claim(lines(epochs=5), extend=True) == "new"
    assert run.outcome.exists()  # until the first seed has gone on
    extended.extend()
    assert (tmp_path / "repeats-3-epochs.json").exists()
    assert not run.outcome.exists()
