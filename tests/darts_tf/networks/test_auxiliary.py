"""The auxiliary head: what its pool leaves, and where it is."""

import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.networks.auxiliary import pool_and_stride
from darts_tf.networks.network import build_network
from darts_tf.spaces import zoo


def test_the_pools_are_those_of_darts_on_its_own_images():
    assert pool_and_stride(8, "cifar") == (5, 3)
    assert pool_and_stride(7, "imagenet") == (5, 2)


@pytest.mark.parametrize("stem", ["cifar", "tiny_imagenet", "imagenet"])
def test_every_other_size_leaves_two_and_the_pools_reach_the_border(stem):
    for size in range(2, 65):
        pool, stride = pool_and_stride(size, stem)
        starts = range(0, size - pool + 1, stride)
        assert len(starts) == 2
        assert starts[-1] + pool >= size - (stride - 1)


@pytest.mark.parametrize("stem", ["cifar", "tiny_imagenet", "imagenet"])
def test_a_single_pixel_is_told_to_the_user(stem):
    with pytest.raises(UserError, match=r"2x2 pixels or more.*got 1;.*--auxiliary_weight=0"):
        pool_and_stride(1, stem)
    with pytest.raises(UserError, match="2x2 pixels or more"):
        build_network(
            zoo.get("DARTS_V2"), (4, 4, 1), layers=3, init_channels=2, auxiliary=True, stem=stem
        )


@pytest.mark.parametrize(("layers", "cell"), [(3, 2), (4, 2), (5, 3)])
def test_the_head_reads_the_second_reduction_cell(layers, cell):
    network = build_network(
        zoo.get("DARTS_V2"), (8, 9, 1), 7, layers=layers, init_channels=2, auxiliary=True
    )
    head = network.get_layer("auxiliary_pool")
    relu = network.get_layer(f"cell_{cell}_relu")
    assert head.input is relu.output
    assert relu.input is network.get_layer(f"cell_{cell}").output
    assert head.input.shape[1:3] == (2, 3)
    logits, auxiliary = network(np.zeros((5, 8, 9, 1), np.float32))
    assert logits.shape == auxiliary.shape == (5, 7)


def test_the_head_for_imagenet_has_no_last_normalization():
    names = {}
    for stem, side in (("cifar", 8), ("imagenet", 64)):
        network = build_network(
            zoo.get("DARTS_V2"),
            (side, side, 1),
            layers=3,
            init_channels=2,
            auxiliary=True,
            stem=stem,
        )
        names[stem] = {layer.name for layer in network.layers if "auxiliary" in layer.name}
    assert names["cifar"] - names["imagenet"] == {"auxiliary_norm_2"}
    assert names["imagenet"] < names["cifar"]
