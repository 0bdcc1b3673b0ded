"""Which methods search chains of blocks, and which say why not."""

import pytest

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose

REFUSED = {
    "darts_minus": "space: expected one whose nodes have channels of one number",
    "darts_pt": "space: expected one whose nodes keep a number of edges",
    "drnas": "space: expected one whose nodes have channels of one number",
    "fair_darts": "space: expected cells wired as DARTS's",
    "lambda_darts": "space: expected one whose normal cells share their architecture",
    "oles": "space: expected one of the family cells with the method oles",
    "p_darts": "expected a space whose edges can lose candidates",
    "pc_darts": "space: expected one whose nodes have channels of one number",
    "sgas": "space: expected one whose nodes keep some of their edges",
    "snas": "space: expected one of the family cells with the method snas",
}


@pytest.mark.parametrize("name", methods.names())
def test_a_method_searches_chains_of_blocks_or_says_why_not(name):
    config = SearchConfig(space="mobile_small", layers=6, method=name, stop_criterion="none")
    if name in REFUSED:
        with pytest.raises(UserError, match=REFUSED[name]) as told:
            choose(config)
        assert "\n" not in str(told.value)
    else:
        choose(config)
