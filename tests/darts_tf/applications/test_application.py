"""An application: Keras's conventions, images of any size, features by name, fine-tuning."""

import inspect
from dataclasses import replace

import keras
import numpy as np
import pytest

from darts_tf.applications import Application, DartsPlusCifar10
from darts_tf.errors import UserError
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype
from tests.every_operation import FEW
from tests.stages import of_operations

SMALL = replace(DartsPlusCifar10, genotype=FEW, layers=3, init_channels=2)
SKIPS = (("skip_connect", 0), ("skip_connect", 1))


def images(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)


def test_it_is_called_as_kerass_own_are():
    ours = inspect.signature(Application.__call__).parameters
    keras_own = inspect.signature(keras.applications.ResNet50).parameters
    assert list(ours)[1:] == list(keras_own)
    for argument in set(keras_own) - {"weights", "classes", "name"}:
        assert ours[argument].default == keras_own[argument].default


def test_with_its_top_it_gives_scores_of_its_classes(seed):
    model = SMALL()
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 10))
    scores = model(images(seed, 4, 32, 32, 3))
    np.testing.assert_allclose(np.sum(scores, axis=1), 1, rtol=0, atol=1e-5)
    other = SMALL(input_shape=(9, 12, 1), classes=4, classifier_activation=None, name="mine")
    assert (other.input_shape, other.output_shape) == ((None, 9, 12, 1), (None, 4))
    assert (other.name, other.layers[-1].name) == ("mine", "logits")
    assert SMALL(classifier_activation="sigmoid").layers[-1].activation is keras.activations.sigmoid


def test_without_its_top_it_gives_the_last_cell_or_its_average_or_greatest(seed):
    models = {kind: SMALL(include_top=False, pooling=kind) for kind in (None, "avg", "max")}
    for model in models.values():
        model.set_weights(models[None].get_weights())
    x = images(seed, 3, 17, 12, 3)
    last = keras.ops.convert_to_numpy(models[None](x))
    assert last.shape == (3, 5, 3, 4 * 2)
    np.testing.assert_allclose(models["avg"](x), last.mean((1, 2)), rtol=0, atol=1e-5)
    np.testing.assert_allclose(models["max"](x), last.max((1, 2)), rtol=0, atol=0)


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
@pytest.mark.parametrize("squeeze_excite", [False, True])
def test_a_network_for_any_size_is_that_for_each(stem, squeeze_excite, seed):
    # Reduction cells of factorized reductions, which care whether a size is even.
    genotype = Genotype(SKIPS, (2,), SKIPS, (2,))
    kind = Application(genotype, 4, 2, stem, squeeze_excite)
    anything = kind(include_top=False)
    assert anything.input_shape == (None, None, None, 3)
    for size in ((64, 64), (67, 72), (70, 81)):
        model = kind(include_top=False, input_shape=(*size, 3))
        model.set_weights(anything.get_weights())
        x = images(seed, 2, *size, 3)
        np.testing.assert_allclose(anything(x), model(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("squeeze_excite", [False, True])
@pytest.mark.parametrize("genotype", [Genotype(SKIPS * 2, (3,), SKIPS, (2,)), "SNAS_AGGRESSIVE"])
def test_every_cells_output_has_the_cells_name(genotype, squeeze_excite):
    model = Application(genotype, 5, 2, squeeze_excite=squeeze_excite)(classes=2)
    found = zoo.get(genotype) if isinstance(genotype, str) else genotype
    for i, (size, channels) in enumerate([(32, 2), (16, 4), (16, 4), (8, 8), (8, 8)]):
        concat = found.reduce_concat if i in (1, 3) else found.normal_concat
        output = model.get_layer(f"cell_{i}").output
        assert output.shape == (None, size, size, channels * len(concat))
        assert model.get_layer(f"cell_{i}_relu" if i < 4 else "global_pool").input is output


def test_a_genotype_by_stage_and_a_tensor_of_the_users_own(seed):
    pixels = keras.Input((16, 16, 3))
    doubled = keras.layers.UpSampling2D(2)(pixels)
    kind = Application(of_operations(*["sep_conv_3x3"] * 5), 5, 2)
    model = kind(classes=3, input_tensor=doubled)
    assert (model.input_shape, model.output_shape) == ((None, 16, 16, 3), (None, 3))
    x = images(seed, 2, 16, 16, 3)
    plain = kind(classes=3)
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model(x), plain(x.repeat(2, 1).repeat(2, 2)), rtol=0, atol=1e-6)


def test_pixels_are_normalized_by_mean_and_deviation_and_gray_ones_by_the_average(seed):
    def first(channels, **given):
        model = replace(SMALL, **given)(input_shape=(8, 8, channels))
        return keras.Model(model.input, model.get_layer("normalize").output)

    colors, gray = images(seed, 2, 8, 8, 3), images(seed, 2, 8, 8, 1)
    given = {"mean": (0.1, 0.2, 0.6), "deviation": (0.5, 0.25, 0.15)}
    right = (colors / 255 - np.array(given["mean"])) / np.array(given["deviation"])
    np.testing.assert_allclose(first(3, **given)(colors), right, rtol=0, atol=1e-5)
    np.testing.assert_allclose(first(1, **given)(gray), (gray / 255 - 0.3) / 0.3, rtol=0, atol=1e-5)
    assert SMALL.preprocess_input(colors) is colors


def test_it_learns_frozen_or_not_and_loads_with_keras_alone(seed, tmp_path):
    keras.utils.set_random_seed(seed)
    base = SMALL(include_top=False, input_shape=(8, 8, 3), pooling="avg")
    head = keras.layers.Dense(2, activation="softmax", name="head")
    model = keras.Model(base.input, head(base.output))
    x, y = images(seed, 8, 8, 8, 3), np.arange(8) % 2
    base.trainable = False
    before = base.get_weights()
    for frozen in (True, False):
        base.trainable = not frozen
        model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        model.fit(x, y, verbose=0)
        same = [np.array_equal(*pair) for pair in zip(before, base.get_weights(), strict=True)]
        assert all(same) if frozen else not any(same)
    model.save(tmp_path / "tuned.keras")
    loaded = keras.saving.load_model(tmp_path / "tuned.keras")
    np.testing.assert_allclose(loaded(x), model(x), rtol=0, atol=1e-6)


def test_predictions_are_decoded_by_label_name_and_score():
    scores = np.zeros((2, 10))
    scores[0, 3], scores[0, 5], scores[1, 9] = 0.75, 0.25, 1
    best = SMALL.decode_predictions(scores, top=2)
    assert best[0] == [(3, "cat", 0.75), (5, "dog", 0.25)]
    assert best[1] == [(9, "truck", 1.0), (0, "airplane", 0.0)]
    assert [len(row) for row in SMALL.decode_predictions(scores, top=99)] == [10, 10]
    [[first]] = SMALL.decode_predictions([[0.4, 0.6]], top=1, class_names=("a", "b"))
    assert first == (1, "b", 0.6)
    with pytest.raises(UserError, match=r"the shape \[images, 10\], .* got \[1, 2\]"):
        SMALL.decode_predictions([[0.4, 0.6]])


@pytest.mark.parametrize(
    ("stem", "arguments", "message"),
    [
        ("cifar", {"pooling": "mean"}, "pooling: expected None, 'avg' or 'max', got 'mean'"),
        ("cifar", {"input_shape": (7, 8, 3)}, r"of at least 8 .*, got \(7, 8, 3\)"),
        ("tiny_imagenet", {"input_shape": (16, 15, 3)}, r"of at least 16 .*\(16, 15, 3\)"),
        ("imagenet", {"input_shape": (None, 63, 3)}, r"of at least 64 .*\(None, 63, 3\)"),
        ("cifar", {"input_shape": (32, 32)}, r"\(height, width, channels\), .*\(32, 32\)"),
        ("cifar", {"input_shape": (32, 32, None)}, r"got \(32, 32, None\)"),
        ("cifar", {"classes": 1}, "classes: expected at least 2, got 1"),
    ],
)
def test_an_argument_that_cannot_be_is_told(stem, arguments, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, stem=stem)(**arguments)


def test_what_is_missing_or_contradicts_is_told():
    with pytest.raises(UserError, match="layers: expected at least 3, got 2"):
        replace(SMALL, layers=2)()
    with pytest.raises(UserError, match=r"stem: expected one of .* got 'cifar100'"):
        replace(SMALL, stem="cifar100")()
    with pytest.raises(UserError, match="classes: expected a number"):
        replace(SMALL, class_names=())()
    with pytest.raises(UserError, match=r"that of input_tensor, \(9, 9, 3\), got \(9, 8, 3\)"):
        SMALL(input_tensor=keras.Input((9, 9, 3)), input_shape=(9, 8, 3))
    with pytest.raises(UserError, match=r"unknown genotype 'DARTS_V3'; .* Did you mean 'DARTS_V2'"):
        replace(SMALL, genotype="DARTS_V3")()
