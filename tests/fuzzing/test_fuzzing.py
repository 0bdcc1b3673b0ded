"""Every file is either read correctly or refused with a one-line error."""

import dataclasses

import pytest
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from tests.fuzzing import checkpoints, flag_files, genotypes, histories
from tests.fuzzing.running import Kind, Refusal, fuzz, outcome

# As many as a few seconds allow; `python -m tests.fuzz` runs more.
EXAMPLES = {genotypes.KIND: 250, flag_files.KIND: 120, histories.KIND: 120, checkpoints.KIND: 150}


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.name)
def test_a_file_is_read_right_or_refused(kind, tmp_path, seed):
    tally = fuzz(kind, tmp_path, EXAMPLES[kind], seed)
    assert len(tally.seen) >= EXAMPLES[kind]
    assert 0 < tally.read < tally.inputs


def test_records_are_drawn_with_all_their_fields():
    assert list(histories.FIELDS) == [field.name for field in dataclasses.fields(EpochRecord)]


def test_what_is_wrong_or_hangs_is_found_and_a_seed_brings_it_back(tmp_path, seed):
    def found(check):
        with pytest.raises(AssertionError) as error:
            fuzz(Kind("numbers", st.integers(0, 10**6), check), tmp_path, 1000, seed)
        return [error.value.args, *error.value.__notes__]

    def wrong(folder, number):
        assert number < 1000
        return True

    def hangs(folder, number):
        while number > 1000:
            pass
        return True

    assert "given=1000" in str(found(wrong))
    assert found(wrong) == found(wrong)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.fuzzing.running.DEADLINE", 0.02)
        assert "still busy" in str(found(hangs))


def test_only_a_users_mistake_in_one_line_is_a_refusal():
    def raising(error):
        def read():
            raise error

        return read

    assert outcome(raising(UserError("file: wrong"))) == Refusal("file: wrong")
    assert outcome(lambda: 3) == 3
    for error in (ValueError("wrong"), KeyError("wrong"), RecursionError()):
        with pytest.raises(type(error)):
            outcome(raising(error))
    with pytest.raises(AssertionError):
        outcome(raising(UserError("")))
