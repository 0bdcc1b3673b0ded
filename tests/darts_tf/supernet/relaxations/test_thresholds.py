"""Thresholds: decisions without a kernel, dropped switches, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.rms_prop import RMSProp
from darts_tf.errors import UserError
from darts_tf.searching.methods.single_path_nas import SinglePathNas
from darts_tf.searching.plugs import choose
from darts_tf.supernet.relaxations.thresholds import Thresholds

SPACE = spaces.get("mobile_small")
CONFIG = SearchConfig(
    space="single_path", layers=21, method="single_path_nas", stop_criterion="none"
)


def built():
    layer = Thresholds(SPACE, dtype="float64")
    layer.build()
    return layer


def test_a_switch_is_dropped_by_its_probability_and_otherwise_divided_by_it(seed):
    layer = built()
    layer.thresholds["block_1"].assign([-1.0, -1.0, -1.0])
    layer.keep.assign(0.6)
    draw = tf.function(lambda s: layer.call(s)["block_1"])
    rows = np.array([draw(tf.constant([seed, i], tf.int32))[0] for i in range(1000)])
    first = 1 - rows[:, 4]
    assert set(np.round(first, 9)) == {0.0, round(1 / 0.6, 9)}
    ring, second = (
        rows[:, number].sum(1)[first > 0] / first[first > 0] for number in ([2, 3], [1, 3])
    )
    for values in (first, ring, second):
        on = values > 0
        np.testing.assert_allclose(values[on], 1 / 0.6)
        assert abs(on.mean() - 0.6) < 5 * np.sqrt(0.24 / len(on)), seed
    again = draw(tf.constant([seed, 0], tf.int32))[0]
    np.testing.assert_array_equal(again, rows[0])
    np.testing.assert_array_equal(layer.call()["block_1"], [[0, 0, 0, 1, 0]])


def test_decisions_are_dropped_first_and_the_cost_counts_later():
    layer, method = built(), SinglePathNas(keep=0.5, drop_epochs=1, cost_start_epoch=2)

    class Supernet:
        relaxation = layer

    found = []
    for epoch in range(3):
        method.on_epoch_begin(epoch, 3, Supernet)
        found.append((float(layer.keep.numpy()), float(layer.cost_share.numpy())))
    assert found == [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0)]


def test_either_rms_prop_updates_all_or_sgd_and_adam():
    kinds = {"rms_prop": (RMSProp, RMSProp), "sgd": (SGD, Adam)}
    for name, right in kinds.items():
        method = SinglePathNas(optimizer=name)
        found = (method.weight_optimizer(CONFIG, None), method.architecture_optimizer(CONFIG, None))
        assert tuple(map(type, found)) == right


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": "mobile"}, "^space: expected a chain of blocks with kernels of 3 and 5"),
        ({"space": "darts", "layers": 8}, "^space: expected one of the family mobile"),
        ({"arch_order": "second"}, "^arch_order: expected first or one_level"),
        ({"nesterov": True}, "^nesterov: expected false with the RMSProp"),
    ],
)
def test_what_has_no_superkernels_is_refused(changes, message):
    choose(CONFIG)
    with pytest.raises(UserError, match=message) as told:
        choose(CONFIG.__class__(**{**vars(CONFIG), **changes}))
    assert "\n" not in str(told.value)
