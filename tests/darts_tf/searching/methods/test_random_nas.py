"""Random search with weight sharing: its draws, and what it chooses."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.loop import Mean
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.random_draw import RandomDraw

SPACE = SearchSpace(("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3"), nodes=2)
WITHOUT_NONE = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=2)


@pytest.mark.parametrize("space", [SPACE, WITHOUT_NONE], ids=["none", "no none"])
def test_each_set_of_edges_and_each_candidate_is_as_likely_as_the_others(space, seed):
    relaxation = RandomDraw(space)
    relaxation.build()
    draw = tf.function(lambda number: relaxation.draw("normal", tf.stack([seed, number])))
    draws = np.stack([draw(number).numpy() for number in tf.range(2000)])
    assert np.all((draws[:, :2] >= 0).sum(1) == 2)
    assert np.all((draws[:, 2:] >= 0).sum(1) == 2)
    names = [name for name in space.candidates if name != "none"]
    kept = Counter(tuple(np.flatnonzero(row[2:] >= 0)) for row in draws)
    columns = Counter(draws[draws >= 0])
    assert set(columns) == {space.candidates.index(name) for name in names}
    for counts, kinds in ((kept, list(combinations(range(3), 2))), (columns, list(columns))):
        expected = sum(counts.values()) / len(kinds)
        chi_squared = sum((counts[kind] - expected) ** 2 / expected for kind in kinds)
        assert chi_squared < 25  # three kinds: less than once in 100,000 runs


def test_what_it_draws_is_what_it_derives_and_the_space_accepts(seed):
    space = spaces.get("darts")
    relaxation = RandomDraw(space, seed=seed)
    relaxation.build()
    seen = set()
    for number in range(5):
        drawn = relaxation.draw_to_measure(number)
        for cell, columns in drawn.items():
            relaxation.architecture[cell].assign(columns)
        genotype = methods.get("random_nas").derive(relaxation.strengths(), space)
        space.check(genotype)
        seen.add(genotype)
        for cell, columns in drawn.items():
            edges = space.edges(cell)
            found = {
                (edge.candidates[column], edge.source, edge.target)
                for edge, column in zip(edges, columns, strict=True)
                if column >= 0
            }
            assert found == set(genotype.edges(cell))
        evaluated, given = relaxation.call()["normal"], drawn["normal"]
        np.testing.assert_array_equal(evaluated.chosen, given)
    assert len(seen) == 5


def test_it_keeps_the_best_of_the_finalists(seed):
    rng = np.random.default_rng(seed)
    method = methods.get({"name": "random_nas", "draws": 8, "batches": 2, "finalists": 3})
    relaxation = RandomDraw(SPACE, seed=seed)
    relaxation.build()
    net = type("Net", (), {"relaxation": relaxation})()
    rough, exact = rng.permutation(8) / 8, rng.permutation(8) / 8
    numbers = {
        tuple(np.concatenate(list(relaxation.draw_to_measure(n).values()))): n for n in range(8)
    }

    def validation(*, batches=None, by_batch=False):
        assert not by_batch
        now = np.concatenate([each.numpy() for each in relaxation.architecture.values()])
        number = numbers[tuple(now)]
        return Mean(0.0, float((rough if batches == 2 else exact)[number]))

    method.on_epoch_begin(0, 2, net)
    start = relaxation.strengths()
    method.on_epoch_end(0, 2, net, validation)
    assert method.measures(net) == {}
    np.testing.assert_array_equal(relaxation.strengths()["normal"], start["normal"])
    method.on_epoch_end(1, 2, net, validation)
    best = max(np.argsort(-rough)[:3], key=lambda number: exact[number])
    for cell, columns in relaxation.draw_to_measure(int(best)).items():
        np.testing.assert_array_equal(relaxation.architecture[cell].numpy(), columns)
    assert method.measures(net) == {"chosen_accuracy": pytest.approx(exact[best])}


def test_what_needs_alphas_is_refused():
    for setting, value in (
        ("stop_criterion", "skip_connects"),
        ("arch_order", "one_level"),
        ("arch_start_epoch", 3),
    ):
        settings = {"method": "random_nas", "stop_criterion": "none", setting: value}
        with pytest.raises(UserError, match=f"{setting}: expected .* random_nas.*, got {value}"):
            choose(SearchConfig(**settings))
