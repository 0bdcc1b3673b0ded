"""The policies beside rows that the paper prints."""

import pytest

from darts_tf.data.augment.auto_augment import OPERATIONS
from darts_tf.data.augment.policies import POLICIES
from darts_tf.data.sources.catalog import DATASETS

PRINTED = {
    ("cifar", 0): (("invert", 0.1, 7), ("contrast", 0.2, 6)),
    ("cifar", 1): (("rotate", 0.7, 2), ("translate_x", 0.3, 9)),
    ("cifar", 5): (("shear_y", 0.2, 7), ("posterize", 0.3, 7)),
    ("cifar", 14): (("solarize", 0.5, 2), ("invert", 0.0, 3)),
    ("cifar", 19): (("brightness", 0.1, 3), ("color", 0.7, 0)),
    ("cifar", 24): (("translate_y", 0.7, 9), ("auto_contrast", 0.9, 1)),
    ("imagenet", 0): (("posterize", 0.4, 8), ("rotate", 0.6, 9)),
    ("imagenet", 8): (("rotate", 0.2, 3), ("solarize", 0.6, 8)),
    ("imagenet", 12): (("equalize", 0.0, 7), ("equalize", 0.8, 8)),
    ("imagenet", 17): (("sharpness", 0.4, 7), ("invert", 0.6, 8)),
    ("imagenet", 18): (("shear_x", 0.6, 5), ("equalize", 1.0, 9)),
    ("imagenet", 24): (("equalize", 0.8, 8), ("equalize", 0.6, 3)),
}


@pytest.mark.parametrize(("policy", "row"), PRINTED)
def test_rows_are_those_of_the_paper(policy, row):
    assert POLICIES[policy][row] == PRINTED[policy, row]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_has_25_pairs_of_known_operations_within_bounds(policy):
    pairs = POLICIES[policy]
    assert len(pairs) == 25
    for step in (step for pair in pairs for step in pair):
        assert step.operation in OPERATIONS[1:]
        assert step.probability in [tenths / 10 for tenths in range(11)]
        assert step.level in range(10)


def test_imagenets_last_five_rows_repeat_earlier_ones():
    rows = POLICIES["imagenet"]
    assert [rows.index(row) for row in rows[20:]] == [4, 1, 13, 14, 2]
    assert len(set(rows)) == 20


def test_cifars_rows_are_all_different():
    assert len(set(POLICIES["cifar"])) == 25


@pytest.mark.parametrize("name", DATASETS)
def test_every_policy_of_a_data_set_exists(name):
    assert DATASETS[name].policy in {"", *POLICIES}
