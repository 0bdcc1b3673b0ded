"""GDAS: its schedule, its derivation, and that only chosen candidates move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose


@given(st.integers(2, 600), st.data())
def test_the_temperature_falls_by_equal_steps(epochs, data):
    epoch = data.draw(st.integers(0, epochs - 1))
    right = np.linspace(10.0, 0.1, epochs)[epoch]
    assert methods.get("gdas").temperature(epoch, epochs) == pytest.approx(right, rel=1e-12)


def test_a_node_keeps_its_two_strongest_pairs(seed):
    space, rng = spaces.get("darts"), np.random.default_rng(seed)
    for _ in range(50):
        tables = {cell: rng.uniform(size=(14, 8)) for cell in space.cells}
        genotype = methods.get("gdas").derive(tables, space)
        for cell, table in tables.items():
            for node, pairs in enumerate(genotype.nodes(cell), start=2):
                rows = [i for i, edge in enumerate(space.edges(cell)) if edge.target == node]
                best = np.sort(table[rows, 1:], axis=None)[::-1][:2]
                names = space.candidates
                assert [table[rows[source], names.index(name)] for name, source in pairs] == [*best]


def test_second_order_is_refused():
    with pytest.raises(UserError, match="arch_order: expected first or one_level"):
        choose(SearchConfig(method="gdas", arch_order="second"))
