"""The plugs of a search: found by name, checked together, and written down with their settings."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

import darts_tf
from darts_tf import criteria, methods
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.criteria import SkipConnects, StableRanking, never
from darts_tf.searching.methods.darts import Darts
from darts_tf.searching.plugs import choose, run_flags
from darts_tf.spaces.darts import DARTS


@dataclass(frozen=True, kw_only=True)
class Tempered(methods.Method):
    name: ClassVar[str] = "tempered"
    heat: float = darts_tf.setting(2.0, "Of the softmax.", above=0.0)

    def check(self, config, space):
        if config.arch_order == "second":
            raise UserError("arch_order: tempered expects first or one_level, got second")


@dataclass(frozen=True)
class After(criteria.Criterion):
    name: ClassVar[str] = "after"
    epochs: int = darts_tf.setting(5, "Before the stop.", low=1)

    def __call__(self, records):
        return "enough" if len(records) >= self.epochs else None


def test_by_default_a_search_is_darts_under_criterion_1():
    config, plugs = choose(SearchConfig())
    assert config == SearchConfig()
    assert plugs == (Darts(), DARTS, SkipConnects(2, ("normal",), 1))
    assert run_flags(config, plugs) == darts_tf.config.flag_lines(config)


def test_stages_have_the_cells_of_stages():
    _, plugs = choose(SearchConfig(share_alphas="stage"))
    assert plugs.space == DARTS.staged()
    assert plugs.criterion.cells == ("normal_0", "normal_1", "normal_2")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "dart"}, "unknown method 'dart'; expected .*darts, .* Did you mean 'darts'"),
        ({"space": "dart"}, "unknown space 'dart'; expected one of darts"),
        ({"criterion": "skips"}, "unknown criterion 'skips'; expected one of skip_connects, "),
        ({"method": Tempered(), "criterion": 7}, "expected a criterion or the name of one, got 7"),
        ({"method": {"name": "darts", "heat": 3}}, "heat"),
    ],
)
def test_what_is_no_plug_is_told(given, message):
    with pytest.raises((UserError, TypeError), match=message):
        choose(SearchConfig(), **given)


def test_a_plug_that_is_given_is_written_down_with_its_settings():
    config, plugs = choose(SearchConfig(), Tempered(heat=0.5), criterion=After(3))
    assert (config.method, config.space, config.stop_criterion) == ("tempered", "darts", "after")
    lines = run_flags(config, plugs)
    assert lines[-2:] == ("--tempered_heat=0.5", "--after_epochs=3")
    assert {"--method=tempered", "--stop_criterion=after"} <= set(lines)


def test_a_criterion_of_ours_that_is_given_is_written_down_as_its_settings():
    criterion = StableRanking(4, ("normal", "reduce"), 6)
    config, plugs = choose(SearchConfig(), criterion=criterion)
    assert plugs.criterion is criterion
    assert (config.stop_criterion, config.stop_cells) == ("stable_ranking", "both")
    assert (config.stable_epochs, config.min_epochs) == (4, 6)
    assert choose(config)[1].criterion == criterion


@pytest.mark.parametrize("given", ["stable_ranking", StableRanking, {"name": "stable_ranking"}])
def test_name_class_and_config_of_a_criterion_mean_the_same(given):
    config = SearchConfig(stable_epochs=3, stop_cells="reduce")
    assert choose(config, criterion=given)[1].criterion == StableRanking(3, ("reduce",), 1)


def test_the_config_of_a_criterion_comes_before_the_settings():
    criterion = {"name": "stable_ranking", "epochs": 7, "cells": ("reduce",)}
    config, plugs = choose(SearchConfig(stable_epochs=3, min_epochs=2), criterion=criterion)
    assert plugs.criterion == StableRanking(7, ("reduce",), 2)
    assert (config.stable_epochs, config.stop_cells) == (7, "reduce")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"criterion": {"name": "stable_ranking", "nope": 2}}, "criterion stable_ranking: .*nope"),
        ({"criterion": {"epochs": 2}}, "expected the config of a criterion with a name"),
        ({"method": {"name": "darts", "x": 1}}, "method darts: .*'x'"),
        ({"space": darts_tf.Space}, "expected a space or the name of one"),
        ({"method": methods.Method}, "expected a method or the name of one"),
        (
            {"space": darts_tf.SearchSpace(("skip_connect", "sep_conv_3x3"), name="bare")},
            "expected cells with edges, got the space 'bare'",
        ),
    ],
)
def test_what_makes_no_plug_is_told_in_one_line(given, message):
    with pytest.raises(UserError, match=message):
        choose(SearchConfig(), **given)


def test_any_function_of_records_can_stop_a_search():
    def bored(records):
        return "bored"

    config, plugs = choose(SearchConfig(), criterion=bored)
    assert plugs.criterion is bored
    assert config.stop_criterion == "bored"
    assert choose(SearchConfig(), criterion=never)[1].criterion is never


def test_plugs_that_do_not_go_together_are_told():
    with pytest.raises(UserError, match="tempered expects first or one_level, got second"):
        choose(SearchConfig(arch_order="second"), Tempered)


def test_candidates_of_networks_alone_are_refused():
    space = darts_tf.SearchSpace(("none", "skip_connect", "conv_1x3_3x1"), nodes=1)
    with pytest.raises(UserError, match=r"^space: .* supernet can compute, got 'conv_1x3_3x1'"):
        choose(SearchConfig(), space=space)
