"""Results of earlier releases under today's names."""

import json

import pytest

from darts_tf.report import write_report
from darts_tf.runs.results import ERRORS, with_units
from tests import histories

OLD = {name: name.removesuffix("_percent") for name in ERRORS}


def test_only_names_without_their_unit_change():
    old = {"top1_error": 2.5, "valid_top5_error": 0.5, "parameters": 7}
    new = {"top1_error_percent": 2.5, "valid_top5_error_percent": 0.5, "parameters": 7}
    assert with_units(old) == with_units(new) == new


@pytest.mark.parametrize("program", ["train", "repeats", "random_search"])
def test_the_page_of_an_earlier_releases_run_is_that_of_todays(tmp_path, seed, program):
    make = {
        "train": histories.trained,
        "repeats": histories.repeated,
        "random_search": histories.random_searched,
    }
    run = make[program](tmp_path / "run", seed)
    today = write_report(run.path).read_text()
    for file in run.path.rglob("result.json"):
        values = json.loads(file.read_text())
        assert ERRORS.keys() & values.keys()
        file.write_text(json.dumps({OLD.get(name, name): value for name, value in values.items()}))
    assert write_report(run.path).read_text() == today
