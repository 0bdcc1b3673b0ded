"""RobustDARTS's spaces S1 to S4: the candidates of each edge, and which criteria mean something."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose
from darts_tf.spaces.genotype import read_genotype
from tests.oracles.cells import EDGES

NAMES = tuple(f"robust_darts_s{number}" for number in range(1, 5))
WORDS = {
    "skip": "skip_connect",
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "sep3": "sep_conv_3x3",
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
    "none": "none",
    "noise": "noise",
}
# The candidates of each edge as automl/RobustDARTS has them, in the order of DARTS's edges.
PUBLISHED = {
    "robust_darts_s1": {
        "normal": "skip dil3|skip dil5|skip dil5|skip sep3|skip dil3|max skip|skip sep3|skip sep3|"
        "skip dil3|skip sep3|max skip|skip dil3|dil3 dil5|dil3 dil5",
        "reduce": "max avg|max dil3|max avg|max avg|skip dil5|max avg|max sep3|skip dil3|"
        "skip dil5|max avg|max avg|skip dil5|skip dil5|skip dil5",
    },
    "robust_darts_s2": dict.fromkeys(("normal", "reduce"), "|".join(["skip sep3"] * 14)),
    "robust_darts_s3": dict.fromkeys(("normal", "reduce"), "|".join(["none skip sep3"] * 14)),
    "robust_darts_s4": dict.fromkeys(("normal", "reduce"), "|".join(["noise sep3"] * 14)),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_edge_has_the_published_candidates(name: str) -> None:
    space = spaces.get(name)
    assert space.cells == ("normal", "reduce")
    for cell in space.cells:
        rows = [
            tuple(WORDS[word] for word in row.split()) for row in PUBLISHED[name][cell].split("|")
        ]
        assert [edge.candidates for edge in space.edges(cell)] == rows
        assert [edge[:2] for edge in space.edges(cell)] == EDGES
        assert space.output(cell) == (2, 3, 4, 5)


@pytest.mark.parametrize("name", NAMES)
def test_a_genotype_keeps_two_inputs_a_node_and_the_name_of_its_space(name: str, seed: int) -> None:
    space = spaces.get(name)
    genotype = space.sample(np.random.default_rng(seed))
    for cell in space.cells:
        assert [len(node) for node in genotype.nodes(cell)] == [2] * 4
        assert all(operation != "none" for operation, _, _ in genotype.edges(cell))
    again = read_genotype(genotype.to_json())
    assert (again, again.space) == (genotype, name)


@pytest.mark.parametrize("name", NAMES)
def test_only_in_s1_does_an_edge_have_two_candidates_to_rank(name: str) -> None:
    ranked = SearchConfig(space=name, stop_criterion="stable_ranking")
    if name == "robust_darts_s1":
        _, plugs = choose(ranked)
        assert plugs.criterion.name == "stable_ranking"  # type: ignore[union-attr]
        return
    with pytest.raises(UserError, match=f"two or more learnable .* the space '{name}'") as refused:
        choose(ranked)
    assert "\n" not in str(refused.value)
    choose(SearchConfig(space=name, stop_criterion="skip_connects"))


def test_noise_is_free_and_no_skip_connect() -> None:
    space = spaces.get("robust_darts_s4")
    assert space.is_free("noise")
    assert not space.is_learnable("noise")
    genotype = space.derive({cell: np.tile([0.9, 0.1], (14, 1)) for cell in space.cells})
    assert genotype.normal == tuple(("noise", source) for _ in range(4) for source in (0, 1))
    assert genotype.skip_connects() == {"normal": 0, "reduce": 0}


def test_the_spaces_need_no_tensorflow_and_are_made_when_asked_for() -> None:
    code = (
        "import sys, darts_tf; made = lambda: 'darts_tf.spaces.robust_darts' in sys.modules; "
        "before = made(); darts_tf.spaces.get('robust_darts_s4'); "
        "print(before, made(), sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False True []\n", done.stderr
