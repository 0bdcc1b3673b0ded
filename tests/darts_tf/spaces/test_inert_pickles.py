"""Pickles are read, and nothing in them is run."""

import bz2
import os
import pickle
import tempfile
from collections import OrderedDict, defaultdict
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.spaces.inert_pickles import read_pickle
from tests.bench_files import write


class Spoils:
    """Makes a folder when it is unpickled by Python's own reader."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_containers_and_numbers_come_back(tmp_path):
    content = OrderedDict(
        {
            ("a", 1): [1.5, "text", None, {2}],
            "numbers": [np.float64(2.5), np.int64(-7), np.float32(0.25)],
            "default": defaultdict(list, {"x": [1]}),
        }
    )
    write(tmp_path / "file", content)
    assert read_pickle(tmp_path / "file") == content


def test_nothing_is_run_or_imported(tmp_path):
    spoilt = tmp_path / "spoilt"
    write(tmp_path / "file", {"before": 1, "code": Spoils(spoilt), "other": Fraction(1, 3)})
    found = read_pickle(tmp_path / "file")
    assert found["before"] == 1
    assert not spoilt.exists()
    assert not isinstance(found["other"], Fraction)
    with bz2.open(tmp_path / "file") as file:
        pickle.load(file)
    assert spoilt.exists()  # so the file was one that does harm


@pytest.mark.parametrize("content", [b"", b"no bz2", bz2.compress(b"no pickle"), bz2.compress(b"")])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="file: expected a"):
        read_pickle(tmp_path / "file")
    with pytest.raises(UserError, match="none: expected a"):
        read_pickle(tmp_path / "none")


@settings(deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_damaged_files_are_refused_or_read(place, damage):
    whole = pickle.dumps({"numbers": [np.float64(1), 2], "more": OrderedDict(a=Fraction(1, 2))})
    place %= len(whole)
    with tempfile.TemporaryDirectory() as folder, suppress(UserError):
        path = Path(folder) / "file"
        path.write_bytes(bz2.compress(whole[:place] + damage + whole[place + len(damage) :]))
        read_pickle(path)
