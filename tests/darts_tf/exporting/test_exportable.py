"""Models that are not from pixels to probabilities: every export refuses them in one line."""

import re
import zipfile

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.exporting.exportable import check_exportable
from darts_tf.exporting.formats import export_lite, export_onnx
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.supernet.model import Supernet

WRITERS = {"served": export_saved_model, "a.tflite": export_lite, "a.onnx": export_onnx}
SPEC = NetworkSpec(zoo.get("DARTS_V2"), (8, 8, 3), classes=4, layers=3, init_channels=2)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.end = classifier()

    def call(self, images):
        return self.end(images)


def classifier():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])


def subclassed():
    model = Own()
    model(np.zeros((1, 8, 8, 3), np.float32))
    return model


def scored(*layers, shape=(8, 8, 3), **given):
    """A model of layers after one image's pixels, all in a row."""
    image = given.pop("image", None)
    image = keras.Input(shape, **given) if image is None else image
    answer = keras.layers.Flatten()(image)
    for layer in layers:
        answer = layer(answer)
    return keras.Model(image, answer)


def dense(classes=4, activation="softmax", **more):
    return keras.layers.Dense(classes, activation=activation, **more)


def ended(end):
    """A model with a classifier, whose output is what `end` makes of image, features and scores."""
    image = keras.Input((8, 8, 3))
    features = keras.layers.Conv2D(4, 3)(image)
    scores = dense()(keras.layers.GlobalAveragePooling2D()(features))
    return keras.Model(image, end(features, scores))


def two_inputs():
    images = [keras.Input((8, 8, 3)) for _ in range(2)]
    return keras.Model(images, classifier()(keras.layers.Add()(images)))


PROBABILITIES = "expected probabilities, at least 0 and in each row of sum 1, got scores from"
ONE_OUTPUT = "expected one output"
FUNCTIONAL = "expected a functional or sequential Keras model that is built"
WRONG = {
    "the network to train": (lambda: build_network(SPEC), PROBABILITIES),
    "one with a second head": (
        lambda: build_network(
            NetworkSpec(zoo.get("DARTS_V2"), (32, 32, 3), 4, layers=3, init_channels=2),
            auxiliary=True,
        ),
        f"{ONE_OUTPUT}, got a list of 2",
    ),
    "logits": (lambda: scored(dense(activation=None)), PROBABILITIES),
    # Halves: sigmoids of pixels from 0 to 255 are 0 or 1, and by chance have the sum 1.
    "sigmoids": (
        lambda: scored(dense(activation="sigmoid", kernel_initializer="zeros")),
        PROBABILITIES,
    ),
    "logarithms": (lambda: scored(dense(activation="log_softmax")), PROBABILITIES),
    "signed sums to one": (
        lambda: scored(dense(), keras.layers.Rescaling(3, -0.5)),
        PROBABILITIES,
    ),
    "not a number": (lambda: scored(dense(), keras.layers.Rescaling(np.nan)), PROBABILITIES),
    "one sigmoid": (
        lambda: scored(dense(1, "sigmoid")),
        r"at least 2 classes\], got .*\(None, 1\)",
    ),
    "a feature map": (lambda: ended(lambda features, _: features), r"got .*\(None, 6, 6, 4\)"),
    "two outputs": (lambda: ended(lambda *both: list(both)), f"{ONE_OUTPUT}, got a list of 2"),
    "a dictionary": (
        lambda: ended(lambda _, scores: {"scores": scores}),
        rf"{ONE_OUTPUT}, got a dict of \['scores'\]",
    ),
    "two inputs": (two_inputs, "expected one input, got a list of 2"),
    "half precision": (lambda: scored(dense(dtype="float16")), "in float32, got float16"),
    "one batch size": (
        lambda: scored(dense(), image=keras.Input(batch_shape=(2, 8, 8, 3))),
        "expected any batch size, got 2 alone",
    ),
    "no image": (lambda: scored(dense(), shape=(4,)), r"images of .*, got one that takes \(4,\)"),
    "two channels": (lambda: scored(dense(), shape=(8, 8, 2)), r"takes \(8, 8, 2\)"),
    "four channels": (lambda: scored(dense(), shape=(8, 8, 4)), r"takes \(8, 8, 4\)"),
    "any size": (
        lambda: keras.Model(
            image := keras.Input((None, None, 3)),
            dense()(keras.layers.GlobalAveragePooling2D()(image)),
        ),
        r"takes \(None, None, 3\)",
    ),
    "a subclass": (subclassed, f"{FUNCTIONAL}, .*, got one of class Own"),
    "a supernet": (lambda: Supernet(layers=3, init_channels=2, classes=4), "class Supernet"),
    "not yet built": (classifier, f"{FUNCTIONAL}, .*, got one of class Sequential"),
    "a layer": (dense, f"{FUNCTIONAL}, .*, got one of class Dense"),
    "a path": (lambda: "model.keras", f"{FUNCTIONAL}, .*, got one of class str"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_model_of_another_kind_is_refused_by_every_export(name, tmp_path):
    make, told = WRONG[name]
    model = make()
    for file, write in WRITERS.items():
        with pytest.raises(UserError, match=f"^model: .*{told}") as caught:
            write(model, tmp_path / file)
        assert not re.search(r"\n", str(caught.value))
    assert not any(tmp_path.iterdir())


def test_a_trained_networks_twin_and_a_sequential_model_may_be_exported():
    trained = inference_network(build_network(SPEC), SPEC, (0.5,) * 3, (0.25,) * 3)
    assert check_exportable(trained) == ((8, 8, 3), 4)
    ends = keras.layers.Flatten(), dense()
    gray = keras.Sequential([keras.Input((6, 5, 1)), *ends])
    assert check_exportable(gray) == ((6, 5, 1), 4)


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([b"a", b"b", b"c", b"d"], "expected names as text, got b'a'"),
        ([0, 1, 2, 3], "expected names as text, got 0"),
        (["a", "b", "c", None], "expected names as text, got None"),
        (["a", "b", "c", "\ud800"], "expected names as text, got '"),
        ("abcd", "expected a list of names, got 'abcd'"),
        ({"a": 0, "b": 1, "c": 2, "d": 3}, "expected a list of names, got {'a': 0"),
        ({"a", "b", "c", "d"}, "expected a list of names, got {'"),
        (4, "expected a list of names, got 4"),
    ],
    ids=[
        "bytes",
        "numbers",
        "none",
        "half a character",
        "one text",
        "a dictionary",
        "a set",
        "a number",
    ],
)
def test_names_that_are_no_list_of_texts_are_refused(file, labels, told, tmp_path):
    model = scored(dense())
    with pytest.raises(UserError, match=f"^labels: {told}"):
        WRITERS[file](model, tmp_path / file, labels=labels)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_names_may_be_any_list_of_texts(kind, tmp_path):
    import onnx

    path = export_onnx(scored(dense()), tmp_path / "a.onnx", kind(["a", "b", "ç", "\udce9"]))
    entries = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert entries["classes"] == r'["a", "b", "\u00e7", "\udce9"]'
    path = export_lite(scored(dense()), tmp_path / "a.tflite", kind(["a", "b", "ç", "\udce9"]))
    assert zipfile.ZipFile(path).read("labels.txt") == b"a\nb\n\xc3\xa7\n\xe9\n"
