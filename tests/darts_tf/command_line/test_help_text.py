"""Help: a first screen that fits a terminal, and all flags by group."""

import contextlib
import dataclasses
import importlib
import io
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.command_line import help_text
from darts_tf.command_line.help_text import FILES, GROUPS, HELP, OWN, Helped, Row
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.study.config import StudyConfig
from darts_tf.tuning.config import RandomSearchConfig, TuningConfig
from trainers.programs import programs

PROGRAMS = [program.module for program in programs()]


def shown(module, word):
    """What a program prints when it is asked for help, and its flags."""
    told, rows = io.StringIO(), ()
    with contextlib.redirect_stdout(told):
        try:
            importlib.import_module(module).main([word])
        except Helped as helped:
            rows = helped.rows
    return told.getvalue(), rows


@pytest.mark.parametrize("module", PROGRAMS)
def test_the_first_screen_fits_a_terminal_and_the_full_help_has_every_flag(module):
    first, rows = shown(module, "--help")
    lines = first.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= (79 if rows else 100)  # what has no flags shows its docstring
    in_full, in_full_rows = shown(module, "--helpfull")
    assert [row.name for row in in_full_rows] == [row.name for row in rows]
    if rows:
        assert f"--helpfull explains all {len(rows)} flags." in lines[-1]
        assert f"python -m {module}" in first
    for row in in_full_rows:
        assert f"  {row.usage}\n" in in_full
        assert textwrap.indent(textwrap.fill(row.text, 90), " " * 6) in in_full


def test_the_first_screen_of_a_search_has_what_a_first_run_asks_for():
    first, rows = shown("trainers.search", "--help")
    for name in ("flagfile", "run_dir", "dataset", "method", "space", "epochs", "seed"):
        [row] = [row for row in rows if row.name == name]
        assert f" {row.usage} " in first
    full = shown("trainers.search", "--helpfull")[0]
    headings = [line for line in full.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings[1:] == [
        "Files:",
        "Data:",
        "Search:",
        "Early stopping:",
        "Sizes:",
        "Training of the weights:",
        "Texts:",
        "Devices:",
        "The run:",
    ]


def test_every_pattern_of_a_group_has_a_setting():
    """A setting that gets another name leaves no word behind here."""
    kinds = (SearchConfig, TrainingConfig, RandomSearchConfig, TuningConfig, StudyConfig)
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    for group, patterns in GROUPS.items():
        for pattern in patterns:
            assert any(
                help_text.fnmatchcase(name, pattern) and help_text.group_of(name) == group
                for name in names
            ), pattern
    of_a_search = {field.name for field in dataclasses.fields(SearchConfig)}
    assert not [name for name in of_a_search if help_text.group_of(name) == OWN]


rows_of_any_length = st.lists(
    st.builds(
        Row,
        name=st.from_regex(r"[a-z_]{1,40}", fullmatch=True),
        default=st.booleans() | st.integers() | st.text("abc,", max_size=90),
        text=st.text("ab c.;", max_size=300),
        group=st.sampled_from([*GROUPS]),
    ),
    min_size=1,
    max_size=80,
    unique_by=lambda row: row.name,
)


@given(rows_of_any_length, st.integers(1, 120))
def test_any_flags_fit_the_first_screen(rows, words):
    rows = [Row("flagfile", "", "A file of flags.", FILES), *rows]
    about = f"{'Does it. '}\n\n    python -m it {'[--this=THAT] ' * (words // 12)}\n\nAnd more."
    lines = help_text.first_screen(about, rows).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 79


@pytest.mark.parametrize("word", sorted(HELP))
def test_any_word_for_help_wins_over_other_words(word):
    with pytest.raises(Helped) as ended, contextlib.redirect_stdout(io.StringIO()):
        importlib.import_module("trainers.search").main(["--epochs=wrong", word, "what"])
    assert ended.value.code == 0
