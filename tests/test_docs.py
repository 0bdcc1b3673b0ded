"""README.md and docs/: their commands are known, and their tables are those of the results."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests.processes import finish, start

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import digits, table
from darts_tf import methods
from darts_tf.tuning.space import TUNABLE

TREE = Path(__file__).resolve().parents[1]
PAGES = sorted([*TREE.glob("README.md"), *(TREE / "docs").rglob("*.md")])
COMMANDS = sorted(
    {
        command
        for page in PAGES
        for command in re.findall(
            r"python -m [a-z_.]+(?: --\S+)*", page.read_text(encoding="utf-8")
        )
    }
)

# Asks each program for its help, after the other flags of a command.
_HELP = """
import contextlib, io, os, runpy, shlex
folder, commands = given
os.chdir(folder)
found = {}
for command in commands:
    _, _, program, *words = shlex.split(command)
    sys.argv = [program, *words, "--help"]
    told, status = io.StringIO(), 0
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            status = end.code or 0
    found[command] = status, told.getvalue()
print(json.dumps(found))
"""

pytestmark = pytest.mark.skipif(not PAGES, reason="there is no tree here")


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """What each command ends with and tells when it is asked for help."""
    [text] = finish(start(_HELP, str(tmp_path_factory.mktemp("here")), COMMANDS))
    return json.loads(text)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_its_program_knows(command, helped):
    status, told = helped[command]
    assert status == 0, told


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
    columns = [column for column in rows[0] if column != table.PROCESSOR]
    assert table.markdown(columns, rows).strip() in text
    assert all(row.get(table.PROCESSOR, "") in text for row in rows)


def test_the_table_of_methods_on_the_digits_is_that_of_the_results():
    with (TREE / "benchmarks" / "results" / "digits.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Methods that were made for chains of blocks are not compared in the space of DARTS.
    chains = {"proxyless_nas", "single_path_nas"}
    assert {row["method"] for row in rows} == set(methods.names()) - chains
    text = (TREE / "docs" / "methods.md").read_text(encoding="utf-8")
    assert table.markdown(digits.SUMMARY, digits.summary(rows)).strip() in text


def test_the_page_on_tuning_has_every_setting_with_its_range():
    text = (TREE / "docs" / "tuning.md").read_text(encoding="utf-8")
    assert "".join(f"| `{name}` | {among} |\n" for name, among in TUNABLE.items()) in text
