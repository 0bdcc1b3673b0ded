"""Criterion 1 counts skip-connects, or all operations without weights."""

import pytest

from darts_tf import EpochRecord, SearchConfig, read_genotype, spaces
from darts_tf.errors import UserError
from darts_tf.searching.criteria.skip_connects import SkipConnects
from darts_tf.study.stops import replay


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


@pytest.mark.parametrize("name", [name for name in spaces.names() if spaces.get(name).searchable])
def test_replays_count_them_where_others_than_skip_connects_can_win_an_edge(name):
    space = spaces.get(name)
    free = [each for each in SkipConnects().readings(space) if each.criterion.free]
    others = {
        "darts": "pools",
        "robust_darts_s1": "pools",
        "robust_darts_s4": "noise",
        "nas_bench_201": "the pool and none",
        "auto_deeplab": "pools",
    }
    assert bool(free) == (name in others)
    assert {each.criterion.at for each in free} <= {2, 4, 6}


def test_a_replay_ends_where_a_search_would_that_counts_them():
    space = spaces.get("nas_bench_201")
    texts = [
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|",
        "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|none~2|",
    ]
    cells = [read_genotype(text) for text in texts]
    records = [
        EpochRecord(epoch, {}, cell.skip_connects(), {}, genotype=cell)
        for epoch, cell in enumerate(cells)
    ]
    found = {
        stop.reading: stop.stop_epoch for stop in replay(records, space, [SkipConnects()]).stops
    }
    assert [found[f"{at} free operations, cell, every epoch"] for at in (2, 4, 6)] == [
        0,
        1,
        2,
    ]
    assert found["2 skip-connects, cell, every epoch"] == 2
