"""The registry: names, classes, instances and configs in, plugs out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.registry import Registry, resolve


class Tool:
    name = ""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size}

    @classmethod
    def from_config(cls, config: Any) -> Tool:
        return cls(config["size"])


class Hammer(Tool):
    name = "hammer"


class Saw(Tool):
    name = "saw"


SMALL_SAW = Saw(3)
HERE = "tests.darts_tf.test_registry"


@pytest.fixture
def tools() -> Registry[Tool]:
    return Registry("tool", Tool, {"hammer": f"{HERE}:Hammer", "saw": f"{HERE}:SMALL_SAW"})


def test_names_come_in_order_and_nothing_is_imported_for_them() -> None:
    registry = Registry("tool", Tool, {"one": "no_such_module:One", "two": "no_such_module:Two"})
    assert registry.names() == ("one", "two")
    assert "one" in registry
    assert "three" not in registry
    assert 1 not in registry
    with pytest.raises(ImportError, match="no_such_module"):
        registry.get("one")


def test_every_kind_of_identifier_gives_a_plug(tools: Registry[Tool]) -> None:
    hammer = tools.get("hammer")
    assert type(hammer).__name__ == "Hammer"
    assert hammer.size == 1
    assert tools.get("saw").size == 3
    assert tools.get("saw") is tools.get("saw")
    assert tools.get(hammer) is hammer
    assert isinstance(tools.get(Saw), Saw)
    assert tools.get({"name": "hammer"}).size == 1
    assert tools.get({"name": "hammer", "size": 5}).size == 5
    assert tools.get({"name": "saw"}).size == 3
    assert tools.get({"name": "saw", "size": 7}).size == 7


@given(st.integers())
def test_a_config_gives_the_plug_that_gave_it(size: int) -> None:
    tools = Registry("tool", Tool, {"hammer": f"{HERE}:Hammer"})
    tools.register(Saw)
    for kind in (Hammer, Saw):
        config = kind(size).get_config()
        assert tools.get(config).get_config() == config


def test_a_registered_plug_is_known_by_its_name(tools: Registry[Tool]) -> None:
    @tools.register
    class Drill(Tool):
        name = "drill"

    assert tools.names() == ("hammer", "saw", "drill")
    assert "drill" in tools
    assert isinstance(tools.get("drill"), Drill)
    big = Drill(9)
    big.name = "big_drill"
    assert tools.register(big) is big
    assert tools.get("big_drill") is big


def test_the_same_plug_again_changes_nothing(tools: Registry[Tool]) -> None:
    def defined() -> type[Tool]:
        class Drill(Tool):
            name = "drill"

        return Drill

    first, again = defined(), defined()
    tools.register(first)
    tools.register(first)
    assert type(tools.get("drill")) is first
    tools.register(again)  # as when a cell of a notebook runs twice
    assert type(tools.get("drill")) is again
    assert tools.names() == ("hammer", "saw", "drill")
    tools.register(tools.get("saw"))  # the library's own
    assert tools.names() == ("hammer", "saw", "drill")


def test_equal_plugs_are_the_same() -> None:
    @dataclasses.dataclass(frozen=True)
    class Value:
        name: str
        size: int

    values: Registry[Value] = Registry("value", Value, {})
    values.register(Value("a", 1))
    values.register(Value("a", 1))
    with pytest.raises(ValueError, match="another value named 'a'"):
        values.register(Value("a", 2))


def test_a_plug_that_is_defined_again_takes_its_own_place() -> None:
    @dataclasses.dataclass(frozen=True)
    class Value:
        name: str
        call: Any

    def defined(result: int) -> Value:
        def call() -> int:
            return result

        return Value("a", call)

    values: Registry[Value] = Registry("value", Value, {})
    values.register(defined(1))
    values.register(defined(2))  # by the same lines, as when a cell of a notebook runs twice
    assert values.get("a").call() == 2
    with pytest.raises(ValueError, match="another value named 'a'"):
        values.register(Value("a", len))


def test_another_plug_does_not_take_a_name(tools: Registry[Tool]) -> None:
    class Other(Tool):
        name = "hammer"

    for taken in (Other, Other(2), Saw(4)):
        with pytest.raises(ValueError, match=f"another tool named '{taken.name}'; expected a new"):
            tools.register(taken)
    assert tools.names() == ("hammer", "saw")


@pytest.mark.parametrize("wrong", [int, 3, "saw", None])
def test_what_is_no_plug_is_not_registered(tools: Registry[Tool], wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a Tool or a subclass, got"):
        tools.register(wrong)


@pytest.mark.parametrize("name", ["", " ", None, 3, "a=b", "--x", "a,b", "a:b", "ä"])
def test_a_plug_without_a_name_is_not_registered(tools: Registry[Tool], name: Any) -> None:
    nameless = Saw()
    nameless.name = name
    with pytest.raises(
        ValueError, match="expected a tool with a name of letters, digits and underscores, got"
    ):
        tools.register(nameless)


def test_a_wrong_name_gets_the_nearest_and_all_names(tools: Registry[Tool]) -> None:
    with pytest.raises(UserError) as error:
        tools.get("hamer")
    message = "unknown tool 'hamer'; expected one of hammer, saw. Did you mean 'hammer'?"
    assert str(error.value) == message


@given(st.text() | st.dictionaries(st.text(), st.integers()) | st.integers() | st.none())
def test_any_other_identifier_is_a_users_mistake_told_in_one_line(identifier: Any) -> None:
    tools = Registry("tool", Tool, {"hammer": f"{HERE}:Hammer"})
    if identifier != "hammer":
        with pytest.raises(UserError) as error:
            tools.get(identifier)
        assert len(str(error.value).splitlines()) == 1


def test_a_class_of_another_kind_is_a_users_mistake(tools: Registry[Tool]) -> None:
    with pytest.raises(UserError, match="expected a tool or the name of one, got <class 'int'>"):
        tools.get(int)  # type: ignore[arg-type]


def test_a_reference_is_resolved_and_anything_else_left() -> None:
    assert resolve("math:tau") == pytest.approx(6.283185307179586)
    assert resolve(len) is len
    assert resolve(None) is None
