"""Records whose errors name the file, and only that."""

import numpy as np
import pytest

from darts_tf.data.records import NamedRecords
from darts_tf.errors import UserError

PATHS = ["a-0", "a-1", "a-2"]


class Source(list):
    """Records in memory; a number stands for one that cannot be read."""

    def __getitems__(self, keys):
        if any(self[key] == 7 for key in keys):
            raise RuntimeError("chunk hash mismatch\nand more")
        return [self[key] for key in keys]


def test_whole_records_are_the_sources(seed):
    source = Source(bytes([1 + n]) for n in range(9))
    records = NamedRecords(source, PATHS, [2, 0, 7])
    keys = np.random.default_rng(seed).permutation(9).tolist()
    assert len(records) == 9
    assert records.__getitems__(keys) == [bytes([1 + key]) for key in keys]


@pytest.mark.parametrize(("place", "path"), [(0, "a-0"), (1, "a-0"), (2, "a-2"), (4, "a-2")])
@pytest.mark.parametrize(("what", "problem"), [(b"", "a record is empty"), (7, "chunk hash mism")])
def test_a_record_that_cannot_be_read_names_its_file(place, path, what, problem):
    source = Source([b"1"] * 5)
    source[place] = what
    records = NamedRecords(source, PATHS, [2, 0, 3])
    with pytest.raises(UserError, match=rf"^{path}: cannot be read \({problem}") as caught:
        records.__getitems__([place])
    assert "\n" not in str(caught.value)
