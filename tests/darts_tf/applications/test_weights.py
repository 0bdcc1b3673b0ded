"""Weights of a file: those of a training in networks with and without top, none of another's."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from darts_tf.applications import Application
from darts_tf.errors import UserError
from darts_tf.networks.model_file import save_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces.genotype import Genotype
from tests.every_operation import FEW as CELLS
from tests.stages import of_operation

MEAN, DEVIATION = (0.2, 0.4, 0.6), (0.3, 0.2, 0.1)
KIND = Application(CELLS, layers=3, init_channels=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(folder):
    """What a training leaves behind, with weights and averages not as at the start."""
    rng = np.random.default_rng()
    spec = NetworkSpec(CELLS, (13, 10, 3), 5, layers=3, init_channels=2)
    network = build_network(spec, auxiliary=True, drop_path=True)
    model = inference_network(network, spec, MEAN, DEVIATION)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = (2, *layer.gamma.shape)
            (gamma, variance), (beta, mean) = rng.uniform(0.5, 1.5, shape), rng.normal(size=shape)
            layer.set_weights([gamma, beta / 5, mean / 5, variance])
    save_model(model, folder / "model.keras")
    return model


@pytest.fixture
def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (3, 13, 10, 3)).astype(np.float32)


def test_it_is_the_trained_network_with_its_size_classes_and_normalization(trained, folder, pixels):
    model = KIND(weights=folder / "model.keras")
    assert (model.input_shape, model.output_shape) == (trained.input_shape, (None, 5))
    scores = trained(pixels)
    assert np.ptp(scores, axis=0).max() > 0.001
    np.testing.assert_allclose(model(pixels), scores, rtol=0, atol=1e-6)
    logits = KIND(weights=folder / "model.keras", classifier_activation=None)
    np.testing.assert_allclose(keras.ops.softmax(logits(pixels)), scores, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [None, (13, 10, 3)])
def test_without_top_it_gives_the_trained_networks_features(trained, folder, pixels, shape):
    right = keras.Model(trained.input, trained.get_layer("cell_2").output)(pixels)
    model = KIND(include_top=False, weights=str(folder / "model.keras"), input_shape=shape)
    assert model.input_shape == (None, *(shape or (None, None, 3)))
    np.testing.assert_allclose(model(pixels), right, rtol=1e-5, atol=1e-5)


def test_a_fine_tuned_network_hands_its_features_on(trained, folder, pixels):
    base = KIND(include_top=False, weights=folder / "model.keras", pooling="avg")
    scores = keras.layers.Dense(2, activation="softmax")(base.output)
    tuned = keras.Model(base.input, scores)
    tuned.compile("sgd", "sparse_categorical_crossentropy")
    tuned.save(folder / "tuned.keras")
    again = KIND(include_top=False, weights=folder / "tuned.keras", pooling="avg")
    np.testing.assert_allclose(again(pixels), base(pixels), rtol=1e-6)


def test_weights_alone_come_back_with_and_without_top(folder, pixels):
    whole = KIND(classes=5, input_shape=(13, 10, 3))
    whole.save_weights(folder / "whole.weights.h5")
    again = KIND(classes=5, input_shape=(13, 10, 3), weights=folder / "whole.weights.h5")
    np.testing.assert_array_equal(again(pixels), whole(pixels))
    right = keras.Model(whole.input, whole.get_layer("global_pool").output)(pixels)
    features = KIND(include_top=False, pooling="avg", weights=folder / "whole.weights.h5")
    np.testing.assert_allclose(features(pixels), right, rtol=1e-5, atol=1e-6)


def rewired(cell):
    """The same operations, all of them reading the first input."""
    return tuple((kind, 0) for kind, _ in cell)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"genotype": of_operation("sep_conv_5x5")}, "differs at cell_0_node"),
        (
            {
                "genotype": Genotype(
                    rewired(CELLS.normal), CELLS.normal_concat, CELLS.reduce, CELLS.reduce_concat
                )
            },
            "differs at cell_0_node",
        ),
        ({"layers": 5}, "differs at cell_2"),
        ({"layers": 4}, "differs at cell_3"),
        ({"init_channels": 3}, "differs at stem_conv"),
        ({"stem": "tiny_imagenet"}, "differs at stem_0_conv"),
        ({"squeeze_excite": True}, "differs at cell_0"),
    ],
)
def test_another_network_is_named_by_where_it_differs(trained, folder, change, message):
    with pytest.raises(UserError, match=f"got those of another, which {message}"):
        replace(KIND, **change)(include_top=False, weights=folder / "model.keras")


def test_other_classes_channels_or_files_are_told(trained, folder):
    with pytest.raises(UserError, match=r"differs at logits; .* and classes of its training run"):
        KIND(classes=7, weights=folder / "model.keras")
    save_model(replace(KIND, layers=4)(classes=5), folder / "long.keras")
    with pytest.raises(UserError, match="got those of another, which differs at cell_3"):
        KIND(weights=folder / "long.keras")
    with pytest.raises(UserError, match=r"the weights' 3 channels, got \(8, 8, 1\)"):
        KIND(input_shape=(8, 8, 1), weights=folder / "model.keras")
    with pytest.raises(
        UserError,
        match=r"weights=imagenet: expected None or .* got no file",
    ):
        KIND(weights="imagenet")
    (folder / "junk.keras").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"junk\.keras: not a Keras model"):
        KIND(weights=folder / "junk.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(folder / "other.keras")
    with pytest.raises(
        UserError, match=r"other\.keras: expected the model.keras of a training run, got another"
    ):
        KIND(weights=folder / "other.keras")
    KIND(include_top=False).save_weights(folder / "features.weights.h5")
    for wrong in (replace(KIND, init_channels=3), replace(KIND, layers=5)):
        with pytest.raises(
            UserError, match=r"features\.weights\.h5: expected those of this network, got "
        ):
            wrong(include_top=False, weights=folder / "features.weights.h5")
    (folder / "junk.weights.h5").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"junk\.weights\.h5: expected those of this network, got "):
        KIND(classes=2, weights=folder / "junk.weights.h5")
