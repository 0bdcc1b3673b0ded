"""The stems of the supernet against their twin, by their sizes, and by their weights."""

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.stems import STEMS
from darts_tf.supernet.stem import Stem
from tests import weights
from tests.oracles import supernet as twin
from tests.oracles import trees
from tests.oracles.tape import Var

CONVOLUTIONS = {"cifar": 1, "tiny_imagenet": 2, "imagenet": 3}
CHANNELS = 5


@pytest.mark.parametrize("kind", STEMS)
@pytest.mark.parametrize("size", [(16, 24), (17, 13), (3, 2)])
def test_a_stem_equals_its_twin(kind, size, seed):
    rng = np.random.default_rng(seed)
    params = twin.random_params(rng, CHANNELS, 3, stem_convolutions=CONVOLUTIONS[kind])["stem"]
    images = rng.normal(size=(6, *size, 3))
    stem = Stem(CHANNELS, kind, dtype="float64")
    stem.build(images.shape)
    layers = zip(stem.convs, stem.norms, strict=True)
    variables = [weights.of_operation(conv) | weights.of_operation(norm) for conv, norm in layers]
    weights.assign(variables, params)
    found = stem(tf.constant(images), training=True)
    right = twin.stem(Var(images), trees.map_leaves(Var, params))
    for ours, theirs, shape in zip(found, right, stem.output_shapes(images.shape), strict=True):
        assert weights.relative_error(ours, theirs.value) < 1e-9
        assert ours.shape[1:] == shape[1:]


@pytest.mark.parametrize(
    ("kind", "image", "first", "second"),
    [("cifar", 32, 32, 32), ("tiny_imagenet", 64, 32, 32), ("imagenet", 224, 56, 28)],
)
def test_the_papers_images_come_out_in_the_papers_sizes(kind, image, first, second):
    shapes = Stem(16, kind).output_shapes((None, image, image, 3))
    assert shapes == ((None, first, first, 48), (None, second, second, 48))
    assert Stem(16, kind).reduces == (first > second)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("cifar", 27 * 48 + 2 * 48),
        ("tiny_imagenet", (27 + 9 * 48) * 48 + 4 * 48),
        ("imagenet", 27 * 24 + 9 * 24 * 48 + 9 * 48 * 48 + 2 * (24 + 48 + 48)),
    ],
)
def test_a_stem_has_the_weights_of_its_convolutions_scales_and_offsets(kind, count):
    stem = Stem(16, kind)
    stem.build((None, 8, 8, 3))
    assert sum(math.prod(variable.shape) for variable in stem.trainable_variables) == count


def test_another_stem_is_refused():
    with pytest.raises(ValueError, match=r"one of cifar, tiny_imagenet, imagenet, got 'mnist'"):
        Stem(16, "mnist")
