"""The specification of a network: its defaults, and what it refuses."""

from dataclasses import FrozenInstanceError, replace

import pytest

from darts_tf.errors import UserError
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from tests.stages import by_stage

SPEC = NetworkSpec(zoo.get("DARTS_PLUS_CIFAR10"))


def test_the_defaults_are_the_papers_for_cifar10():
    assert (SPEC.input_shape, SPEC.classes) == ((32, 32, 3), 10)
    assert (SPEC.layers, SPEC.init_channels) == (20, 36)
    assert (SPEC.stem, SPEC.squeeze_excite) == ("cifar", False)


def test_it_is_a_value():
    assert NetworkSpec(zoo.get("DARTS_PLUS_CIFAR10"), [32, 32, 3]) == SPEC
    assert hash(SPEC) == hash(replace(SPEC))
    assert replace(SPEC, input_shape=(None, None, 1)).input_shape == (None, None, 1)
    with pytest.raises(FrozenInstanceError):
        SPEC.layers = 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"genotype": "DARTS_V2"}, "genotype: expected a Genotype, .* got 'DARTS_V2'"),
        ({"input_shape": (32, 32)}, r"input_shape: expected \(height, .* got \(32, 32\)"),
        ({"input_shape": (32, 0, 3)}, r"got \(32, 0, 3\)"),
        ({"input_shape": (32, 32, None)}, r"got \(32, 32, None\)"),
        ({"input_shape": 32}, "got 32"),
        ({"classes": 1}, "classes: expected at least 2, got 1"),
        ({"layers": 2}, "layers: expected at least 3, got 2"),
        ({"layers": 4, "genotype": by_stage("DARTS_V2")}, "layers: expected at least 5 with cells"),
        ({"init_channels": 1}, "init_channels: expected at least 2, got 1"),
        (
            {"stem": "cifar10"},
            "stem: expected one of cifar, tiny_imagenet, imagenet, got 'cifar10'. Did you mean",
        ),
    ],
)
def test_values_that_no_network_can_have_are_refused_in_one_line(values, message):
    with pytest.raises(UserError, match=message):
        replace(SPEC, **values)


def test_channels_have_to_divide_into_the_groups_of_an_operation():
    genotype = zoo.get("GDAS_FIXED_REDUCTION")
    assert NetworkSpec(genotype, layers=3, init_channels=4).init_channels == 4
    with pytest.raises(UserError, match=r"^init_channels: .* divide by 8, .*reduce, got 12 ch"):
        NetworkSpec(genotype, layers=3, init_channels=6)
