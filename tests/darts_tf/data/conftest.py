"""The embedded data set, prepared once for all tests of the data."""

import pytest

from darts_tf import data


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> data.Dataset:
    return data.load("digits", str(tmp_path_factory.mktemp("data")))
