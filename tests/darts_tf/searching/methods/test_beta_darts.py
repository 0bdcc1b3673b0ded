"""Beta-DARTS: the term of the alphas' loss, its schedule, and steps with it."""

import math

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods
from tests.tiny import SPACE, tiny_supernet


@given(st.integers(0, 600), st.floats(0, 10))
def test_the_weight_grows_by_the_same_in_each_epoch(epoch, slope):
    method = methods.get({"name": "beta_darts", "slope": slope})
    assert method.decay(epoch) == pytest.approx(sum([slope] * epoch), rel=1e-9)


def test_the_term_is_the_mean_of_the_rows_logsumexp(seed):
    method = methods.get("beta_darts")
    net = tiny_supernet(method, seed)
    for epoch in range(3):
        method.on_epoch_begin(epoch, 3, net)
        assert method.measures(net) == {"decay": 0.5 * epoch}
        rows = [row for table in net.architecture_parameters().values() for row in table]
        sums = [sum(math.exp(alpha) for alpha in row) for row in rows]
        term = 0.5 * epoch * sum(map(math.log, sums)) / len(rows)
        assert float(method.penalty(net)) == pytest.approx(term, rel=1e-12)


def test_candidates_that_an_edge_lacks_do_not_count():
    edges = {
        cell: [["skip_connect"], ["none", "skip_connect", "sep_conv_3x3"]] for cell in SPACE.cells
    }
    relaxation = methods.get("beta_darts").relaxation(SPACE.narrowed(edges), dtype="float64")
    relaxation.build()
    relaxation.decay.assign(2.0)
    for table in relaxation.alphas.values():
        table.assign(tf.ones((2, 3), tf.float64))
    assert float(relaxation.decay_loss()) == pytest.approx(2 * (1 + (1 + math.log(3))) / 2)
