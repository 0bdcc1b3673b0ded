"""README.md and docs/: their commands are known, and their tables are those of the results."""

import csv
import re
import shlex
from pathlib import Path

import pytest

from tests.trainers.programs import python

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import table
from darts_tf.tuning.space import TUNABLE

TREE = Path(__file__).resolve().parents[1]
PAGES = sorted([*TREE.glob("README.md"), *(TREE / "docs").glob("*.md")])
COMMANDS = sorted(
    {
        command
        for page in PAGES
        for command in re.findall(
            r"python -m [a-z_.]+(?: --\S+)*", page.read_text(encoding="utf-8")
        )
    }
)

pytestmark = pytest.mark.skipif(not PAGES, reason="there is no tree here")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_its_program_knows(command, tmp_path):
    ended = python(*shlex.split(command)[1:], "--help", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("compare", "performance"),
        ("growth", "performance"),
        ("pipeline", "data"),
        ("checkpoint", "durability"),
        ("serving", "serving"),
    ],
)
def test_the_table_of_a_page_is_that_of_the_results(name, page):
    with (TREE / "benchmarks" / "results" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = (TREE / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert table.markdown(list(rows[0]), rows).strip() in text


def test_the_page_on_tuning_has_every_setting_with_its_range():
    text = (TREE / "docs" / "tuning.md").read_text(encoding="utf-8")
    assert "".join(f"| `{name}` | {among} |\n" for name, among in TUNABLE.items()) in text
