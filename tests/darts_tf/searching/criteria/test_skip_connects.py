"""Criterion 1 counts skip-connects, or all operations without weights."""

import pytest

from darts_tf import EpochRecord, SearchConfig, read_genotype, spaces
from darts_tf.errors import UserError
from darts_tf.searching.criteria.skip_connects import SkipConnects


def test_operations_without_weights_count_where_they_are_asked_for():
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_1x1~2|"
    genotype = read_genotype(text)
    record = EpochRecord(7, {}, genotype.skip_connects(), {}, genotype=genotype)
    assert SkipConnects(at=2)([record]) is None
    assert SkipConnects(at=4, free=True)([record]) is None
    counting = SkipConnects(at=3, free=True)
    assert counting([record]) == "Criterion 1: 3 operations without weights in the cell"
    assert counting.state([record]) == "3 of 3 operations without weights"


def test_a_search_counts_them_by_its_setting():
    space = spaces.get("nas_bench_201")
    config = SearchConfig(stop_free_operations=True, stop_at_skip_connects=4)
    criterion = SkipConnects.from_search(config, space)
    assert (criterion.at, criterion.free) == (4, True)
    assert criterion.recorded(SearchConfig(), space).stop_free_operations
    with pytest.raises(UserError, match="stop_free_operations: expected records with a genotype"):
        criterion([EpochRecord(0, {}, {"cell": 0}, {})])
