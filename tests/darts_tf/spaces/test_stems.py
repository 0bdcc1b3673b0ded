"""The stems, against what the papers say of them."""

import dataclasses

import pytest

from darts_tf.spaces.stems import STEMS


@pytest.mark.parametrize(
    ("name", "divides_by", "supernet", "network"),
    [
        ("cifar", 1, (48,), (48,)),
        ("tiny_imagenet", 2, (48, 48), (48, 48)),
        ("imagenet", 8, (24, 48, 48), (8, 16, 16)),
    ],
)
def test_stems_are_those_of_the_papers(name, divides_by, supernet, network):
    stem = STEMS[name]
    assert stem.name == name
    assert stem.divides_by == divides_by
    assert stem.supernet_widths(16) == supernet
    assert stem.network_widths(16) == network
    assert stem.halves == (name == "imagenet")


def test_names_come_from_the_smallest_images_to_the_largest_and_stems_are_values():
    assert tuple(STEMS) == ("cifar", "tiny_imagenet", "imagenet")
    with pytest.raises(dataclasses.FrozenInstanceError):
        STEMS["cifar"].halves = True
