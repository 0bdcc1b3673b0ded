"""SGAS: which edges are decided when, and what that leaves of the search."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.sgas import scores, without_none
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.decided_edges import DecidedEdges

SPACE = spaces.get("darts")
EDGES = [(source, node) for node in range(2, 6) for source in range(node)]


class Net:
    """What a method's epoch ends need of a supernet."""

    def __init__(self, relaxation):
        self.relaxation = relaxation


def softmax(row):
    powers = [math.exp(value) for value in row]
    return [power / sum(powers) for power in powers]


def stretched(values):
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def plain_scores(alphas, past):
    """The scores of a cell, and the shares of the candidates but `none`, which comes first."""
    rows = [softmax(row) for row in alphas]
    importance = [sum(row[1:]) for row in rows]
    shares = [[p / total for p in row[1:]] for row, total in zip(rows, importance, strict=True)]
    entropy = [-sum(q * math.log(q) for q in row) / math.log(len(row)) for row in shares]
    score = [
        a * b
        for a, b in zip(stretched(importance), stretched([1 - h for h in entropy]), strict=True)
    ]
    if past is not None:
        overlap = [
            sum(sum(map(min, row, before[i])) for before in past) / max(1, len(past))
            for i, row in enumerate(shares)
        ]
        score = [a * b for a, b in zip(score, stretched(overlap), strict=True)]
    return score, shares


@pytest.mark.parametrize("criterion", [1, 2])
def test_edges_are_decided_one_by_one_by_their_scores(criterion, seed):
    """A whole search of 50 epochs, whose alphas wander, against dictionaries."""
    keras.utils.set_random_seed(seed)
    rng, method = np.random.default_rng(seed), methods.get({"name": "sgas", "criterion": criterion})
    net = Net(method.relaxation(SPACE, dtype="float64"))
    net.relaxation.build()
    cells = SPACE.cells
    decided, frozen = {cell: {} for cell in cells}, {cell: {} for cell in cells}
    past = {cell: [] for cell in cells}
    for epoch in range(50):
        for cell, alphas in net.relaxation.alphas.items():
            alphas.assign(alphas.numpy() + rng.normal(size=(14, 8), scale=0.3))
            table = alphas.numpy()
            for edge, row in frozen[cell].items():
                table[edge] = row
            score, shares = plain_scores(table, past[cell] if criterion == 2 else None)
            past[cell] = [*past[cell], shares][-4:]
            left = [i for i in range(14) if i not in decided[cell]]
            if epoch in range(9, 45, 5) and left:
                best = max(left, key=score.__getitem__)
                decided[cell][best] = 1 + shares[best].index(max(shares[best]))
                node = [i for i in range(14) if EDGES[i][1] == EDGES[best][1]]
                if sum(decided[cell].get(i, 0) > 0 for i in node) == 2:
                    decided[cell] |= {i: None for i in node if i not in decided[cell]}
                frozen[cell] |= {i: table[i] for i in decided[cell] if i not in frozen[cell]}
        method.on_epoch_end(epoch, 50, net, None)
        strengths, kept = net.relaxation.strengths(), net.relaxation.kept()
        for cell, weights in net.relaxation.call().items():
            alphas = net.relaxation.architecture_parameters()[cell]
            for edge in range(14):
                right, stays = np.array(softmax(alphas[edge])), np.ones(8, bool)
                if edge in decided[cell]:
                    column = decided[cell][edge]
                    right = np.zeros(8) if column is None else np.eye(8)[column]
                    stays = right > 0
                    np.testing.assert_array_equal(alphas[edge], frozen[cell][edge])
                np.testing.assert_allclose(weights[edge], right, rtol=1e-9, err_msg=str(epoch))
                np.testing.assert_allclose(strengths[cell][edge], right, rtol=1e-9)
                np.testing.assert_array_equal(kept[cell][edge], stays)
    genotype = method.derive(net.relaxation.strengths(), SPACE)
    for cell in cells:
        found = {(source, node): name for name, source, node in genotype.edges(cell)}
        assert found == {
            EDGES[i]: SPACE.candidates[column] for i, column in decided[cell].items() if column
        }
    assert method.measures(net) == {"decided_normal": 8.0, "decided_reduce": 8.0}


def test_alphas_of_decided_edges_get_no_gradient(seed):
    relaxation = DecidedEdges(SPACE, dtype="float64")
    relaxation.build()
    relaxation.decide("normal", 3, 4)
    relaxation.decide("normal", 5, -2)
    upstream = np.random.default_rng(seed).normal(size=(14, 8))
    variable = relaxation.alphas["normal"].value
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(relaxation.call()["normal"] * upstream)
    moved = np.any(tape.gradient(loss, variable).numpy() != 0, axis=1)
    assert np.flatnonzero(~moved).tolist() == [3, 5]


def test_an_edge_with_one_candidate_beside_none_has_no_entropy(seed):
    edges = SearchSpace(("none", "skip_connect"), nodes=2).edges("normal")
    none = np.random.default_rng(seed).uniform(size=5)
    table = np.stack([none, 1 - none], 1)
    np.testing.assert_array_equal(without_none(table, edges)[:, 1], 1)
    np.testing.assert_array_equal(scores(table, edges), 0)  # all are as certain


def test_batches_grow_with_each_decision():
    method, config = methods.get("sgas"), SearchConfig(epochs=60)
    stage = method.stage(0, config, SPACE, ())
    sizes = [method.batch_size(epoch, stage, config) for epoch in range(60)]
    right, size = [], 64
    for epoch in range(60):
        right.append(size)
        size += 8 * (epoch in (9, 14, 19, 24, 29, 34, 39, 44))
    assert sizes == right


@pytest.mark.parametrize(
    ("settings", "own", "space", "told"),
    [
        ({"arch_start_epoch": 12}, {}, "darts", r"sgas_first: .*arch_start_epoch \(12\).*got 9"),
        ({}, {}, ("skip_connect", "sep_conv_3x3"), "space: expected edges with the candidate none"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, own, space, told):
    if not isinstance(space, str):
        space = SearchSpace(space, nodes=1, name="without_none")
    with pytest.raises(UserError, match=told):
        choose(SearchConfig(**settings), method={"name": "sgas", **own}, space=space)
