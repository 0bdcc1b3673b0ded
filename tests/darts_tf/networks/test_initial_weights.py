"""A training starts from the weights of a trained network, or says what differs."""

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.networks.initial_weights import start_from
from darts_tf.networks.model_file import save_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo

SPEC = NetworkSpec(zoo.get("DARTS_V2"), (8, 8, 3), classes=3, layers=3, init_channels=2)


def spec(**other):
    return NetworkSpec(**{**vars(SPEC), **other})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network with random weights and running averages, its twin, and the twin's file."""
    random = np.random.default_rng(0)
    network = build_network(SPEC, auxiliary=False)
    for variable in network.variables:
        variable.assign(variable + random.uniform(0.1, 0.3, variable.shape))
    twin = inference_network(network, SPEC, (0.5,) * 3, (0.25,) * 3)
    path = tmp_path_factory.mktemp("trained") / "model.keras"
    save_model(twin, path)
    return network, path


def test_a_network_starts_as_the_trained_one_computes(trained, seed):
    network, path = trained
    images = np.random.default_rng(seed).normal(size=(4, 8, 8, 3)).astype(np.float32)
    fresh = build_network(SPEC, auxiliary=True, drop_path=True)
    start_from(fresh, path)
    logits, _ = fresh(images, training=False)
    np.testing.assert_allclose(logits, network(images, training=False), rtol=1e-5, atol=1e-5)


def test_with_other_classes_the_classifier_starts_anew(trained):
    network, path = trained
    fresh = build_network(spec(classes=5), auxiliary=False)
    before = fresh.get_layer("logits").get_weights()
    start_from(fresh, path)
    for now, then in zip(fresh.get_layer("logits").get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    wanted = [layer for layer in network.layers if layer.name.startswith(("stem_", "cell_"))]
    assert len([layer for layer in wanted if layer.weights]) > 10
    for layer in wanted:
        for now, then in zip(
            fresh.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    "other", [{"genotype": zoo.get("DARTS_V1")}, {"layers": 4}, {"init_channels": 4}]
)
def test_other_networks_are_refused_by_the_layer_that_differs(trained, other):
    fresh = build_network(spec(**other), auxiliary=False)
    with pytest.raises(UserError, match=r"initial_model=.*model.keras: .* differs at (stem|cell)_"):
        start_from(fresh, trained[1])


def test_what_is_no_model_is_refused(tmp_path):
    fresh = build_network(SPEC, auxiliary=False)
    with pytest.raises(UserError, match="got no file"):
        start_from(fresh, tmp_path / "model.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(UserError, match="differs at stem_"):
        start_from(fresh, tmp_path / "other.keras")
