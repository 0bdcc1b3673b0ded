"""The settings that may vary: their table fits the settings' bounds, and users' words are read."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching import criteria
from darts_tf.tuning.space import TUNABLE, Choice, Range, chosen, is_whole, rounded

FIELDS = {field.name: field for field in dataclasses.fields(SearchConfig)}


@pytest.mark.parametrize("name", TUNABLE)
def test_every_range_is_one_of_a_setting_and_holds_the_papers_value(name):
    among, default = TUNABLE[name], FIELDS[name].default
    for value in among.ends():
        SearchConfig(**{name: value})
    if isinstance(among, Choice):
        assert default in among.values
        assert among.values == (FIELDS[name].metadata["choices"] or criteria.names())
    else:
        assert among.low <= default <= among.high
        assert is_whole(name) == isinstance(default, int)
        assert not among.log or among.low > 0


def test_names_alone_have_the_tables_ranges_in_its_order():
    assert chosen("weight_decay, learning_rate") == {
        name: TUNABLE[name] for name in ("learning_rate", "weight_decay")
    }
    assert list(chosen("weight_decay,learning_rate")) == ["learning_rate", "weight_decay"]
    assert chosen(",".join(TUNABLE)) == TUNABLE


def test_ranges_and_choices_of_ones_own():
    assert chosen("learning_rate:0.02:2e-1,layers:3:5,stop_criterion:none:stable_ranking") == {
        "learning_rate": Range(0.02, 0.2, log=True),
        "layers": Range(3, 5),
        "stop_criterion": Choice(("none", "stable_ranking")),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("learning_rat", "got 'learning_rat'. Did you mean 'learning_rate'?"),
        ("", "expected some of learning_rate, "),
        ("momentum", "got 'momentum'"),
        ("layers,layers", "got 'layers' twice"),
        ("layers:3", "expected two whole numbers, the first one less, such as layers:3:8"),
        ("layers:3:4:5", "got 'layers:3:4:5'"),
        ("layers:3.5:4", "two whole numbers"),
        ("learning_rate:0.2:0.1", "expected two numbers, the first one less"),
        ("learning_rate:nan:0.1", "got 'learning_rate:nan:0.1'"),
        ("learning_rate:a:0.1", "got 'learning_rate:a:0.1'"),
        ("weight_decay:0:0.1", "weight_decay: expected numbers above 0, got 0"),
        ("arch_order:first:first", "arch_order: expected distinct choices, got first:first"),
    ],
)
def test_a_mistake_is_told(text, told):
    with pytest.raises(UserError) as error:
        chosen(text)
    assert str(error.value).startswith("tune: ")
    assert told in str(error.value)


@given(st.floats(1e-6, 1e-2), st.floats(1.001, 1e3), st.floats(0, 1))
def test_a_value_is_rounded_to_four_digits_within_its_range(low, ratio, place):
    among = Range(low, low * ratio, log=True)
    value = min(low * ratio**place, among.high)
    found = rounded("learning_rate", value, among)
    assert among.low <= found <= among.high
    assert found == pytest.approx(value, rel=5.1e-4)
    assert found in (among.low, among.high) or float(f"{found:.4g}") == found
