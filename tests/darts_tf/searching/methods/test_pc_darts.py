"""PC-DARTS: products of weights of candidates and edges, on a part of the channels."""

import math

import numpy as np
import pytest

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose

EDGES = [(source, node) for node in range(2, 6) for source in range(node)]


@pytest.fixture(scope="module")
def relaxation():
    layer = methods.get("pc_darts").relaxation(spaces.get("darts"), dtype="float64")
    layer.build()
    return layer


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def test_weights_and_strengths_are_those_of_two_softmaxes(relaxation, seed):
    rng = np.random.default_rng(seed)
    for variable in relaxation.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    for cell, weights in relaxation.call().items():
        betas = relaxation.betas[cell].numpy()
        shares = [
            softmax([betas[i] for i, (_, node) in enumerate(EDGES) if node == target])
            for target in range(2, 6)
        ]
        edges = np.concatenate(shares)
        candidates = np.array([softmax(row) for row in relaxation.alphas[cell].numpy()])
        np.testing.assert_allclose(weights.candidates, candidates, rtol=1e-12)
        np.testing.assert_allclose(weights.edges, edges, rtol=1e-12)
        np.testing.assert_allclose(
            relaxation.strengths()[cell], candidates * edges[:, None], rtol=1e-12
        )


def test_a_cell_has_a_beta_an_edge_and_the_records_keep_the_alphas_alone(relaxation):
    assert sum(math.prod(v.shape) for v in relaxation.trainable_variables) == 224 + 28
    assert {cell: t.shape for cell, t in relaxation.architecture_parameters().items()} == {
        "normal": (14, 8),
        "reduce": (14, 8),
    }


@pytest.mark.parametrize(("channels", "parts"), [(6, 4), (16, 32), (4, 8), (2, 4)])
def test_channels_that_cannot_be_shared_out_are_refused(channels, parts):
    config = SearchConfig(init_channels=channels)
    with pytest.raises(UserError, match=f"init_channels: .*pc_darts_partial={parts}.*got"):
        choose(config, method={"name": "pc_darts", "partial": parts})


def test_those_of_the_paper_are_not():
    choose(SearchConfig(), method="pc_darts")
    choose(SearchConfig(), method={"name": "pc_darts", "partial": 2})


def test_the_rate_rises_in_a_line_and_joins_a_cosine_over_all_epochs():
    config = SearchConfig(epochs=50, learning_rate=0.5, learning_rate_min=0.0)
    method = methods.get({"name": "pc_darts", "warmup_epochs": 5})
    stage = method.stage(0, config, spaces.get("darts"), ())
    rates = [method.learning_rate(epoch, stage, config) for epoch in range(50)]
    np.testing.assert_allclose(rates[:5], [0.1, 0.2, 0.3, 0.4, 0.5])
    whole = [0.25 * (1 + math.cos(math.pi * epoch / 50)) for epoch in range(5, 50)]
    np.testing.assert_allclose(rates[5:], whole)
