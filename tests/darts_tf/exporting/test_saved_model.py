"""The SavedModel: it answers like the model where neither Keras nor this library is installed."""

import hashlib
import json
import shutil
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from tests.every_operation import FEW
from tests.processes import HIDE, finish, start

LABELS = ["cat", "dog", "frog"]

_SERVE = """
import numpy as np
import tensorflow as tf
folder, pixels, images = given
served = tf.saved_model.load(folder)
pixels = tf.constant(np.load(pixels))
images = tf.constant([bytes.fromhex(image) for image in images])
answers = {}
for name, value in (("serving_default", pixels), ("serving_bytes", images)):
    signature = served.signatures[name]
    [(argument, spec)] = signature.structured_input_signature[1].items()
    answer = {key: part.numpy() for key, part in signature(**{argument: value}).items()}
    answers[name] = {
        "takes": [argument, spec.shape.as_list(), spec.dtype.name],
        "scores": answer["scores"].tolist(),
        "label": [label.decode() for label in answer["label"]],
        "classes": [[label.decode() for label in row] for row in answer["classes"]],
    }
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def model():
    spec = NetworkSpec(FEW, (8, 8, 3), 3, layers=3, init_channels=2)
    return inference_network(build_network(spec), spec, (0.5,) * 3, (0.2,) * 3)


@pytest.fixture
def tiny():
    image = keras.Input((2, 2, 1))
    return keras.Model(
        image, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(image))
    )


class Wide(keras.layers.Layer):
    """Weights that are most of an export."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(8, 8, 5000), initializer="random_normal")

    def call(self, images):
        return images + keras.ops.mean(self.kernel, axis=-1)[..., None]


def is_whole(folder):
    """Whether the files are those of the model card, all of them, to the last byte."""
    card = json.loads((folder / "assets.extra" / "model_card.json").read_text())
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("model_card.")
    }
    return found == card["sha256"] and "saved_model.pb" in found


def test_the_export_answers_like_the_model_without_keras_and_names_come_from_the_asset(
    model, seed, tmp_path
):
    written = export_saved_model(model, tmp_path / "served", labels=LABELS)
    folder = shutil.move(written, tmp_path / "elsewhere")
    assert (folder / "assets" / "labels.txt").read_text().split() == LABELS
    (folder / "assets" / "labels.txt").write_text("one\ntwo\nthree and more\n")
    names = ["one", "two", "three and more"]
    pixels = np.random.default_rng(seed).integers(0, 256, (7, 8, 8, 3)).astype(np.float32)
    np.save(tmp_path / "pixels.npy", pixels)
    images = [tf.io.encode_png(image.astype(np.uint8)).numpy().hex() for image in pixels]
    [text] = finish(start(HIDE + _SERVE, str(folder), str(tmp_path / "pixels.npy"), images))
    answers = json.loads(text)
    scores = model(pixels).numpy()
    takes = {
        "serving_default": ["pixels", [None, 8, 8, 3], "float32"],
        "serving_bytes": ["image_bytes", [None], "string"],
    }
    assert {name: answer["takes"] for name, answer in answers.items()} == takes
    for answer in answers.values():
        np.testing.assert_allclose(answer["scores"], scores, rtol=0, atol=1e-6)
        assert answer["label"] == [names[i] for i in np.argmax(answer["scores"], 1)]
        assert answer["classes"] == [names] * 7


def test_two_signatures_share_one_copy_of_the_weights(seed, tmp_path):
    image = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(Wide()(image))
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax")(flat))
    folder = export_saved_model(model, tmp_path / "served")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    weights = sum(weight.numpy().nbytes for weight in model.weights)
    assert weights < size < 1.8 * weights  # beside them, half a megabyte reads images


def test_the_extras_are_what_a_server_and_a_reader_find(tiny, tmp_path):
    result = {"dataset": "digits", "top1_error_percent": 2.5, "classes": LABELS}
    folder = export_saved_model(tiny, tmp_path / "served", result=result)
    assert (folder / "assets" / "labels.txt").read_text().split() == LABELS
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} >= {
        "batching_params.pbtxt",
        "assets/labels.txt",
        "assets.extra/tf_serving_warmup_requests",
        "assets.extra/model_card.md",
        "assets.extra/model_card.json",
    }
    card = json.loads((folder / "assets.extra" / "model_card.json").read_text())
    told = {
        key: card[key]
        for key in ("dataset", "top1_error_percent", "image", "classes", "parameters")
    }
    assert told == {
        "dataset": "digits",
        "top1_error_percent": 2.5,
        "image": [2, 2, 1],
        "classes": 3,
        "parameters": 15,
    }
    assert is_whole(folder)


def test_images_for_a_network_of_imagenet_are_cropped(tiny, tmp_path):
    image = np.full((20, 200, 3), 255, np.uint8)
    image[:, 50:150] = 0
    png = tf.io.encode_png(image).numpy()
    found = {}
    for dataset in ("imagenet", "digits"):
        folder = export_saved_model(tiny, tmp_path / dataset, result={"dataset": dataset})
        served = tf.saved_model.load(folder)
        found[dataset] = served.signatures["serving_bytes"](image_bytes=tf.constant([png]))
    black = tiny(np.zeros((1, 2, 2, 1), np.float32)).numpy()
    np.testing.assert_allclose(found["imagenet"]["scores"], black, atol=1e-6)
    assert np.abs(found["digits"]["scores"] - black).max() > 1e-3


def test_versions_count_on_from_one_and_may_be_chosen(tiny, tmp_path):
    directory = tmp_path / "new" / "served"
    written = [export_saved_model(tiny, directory, version) for version in (None, None, 7, None)]
    assert [folder.name for folder in written] == ["1", "2", "7", "8"]
    assert sorted(path.name for path in directory.iterdir()) == ["1", "2", "7", "8"]
    assert all((folder / "saved_model.pb").is_file() for folder in written)


def test_an_existing_version_stays_as_it_is(tiny, tmp_path):
    (tmp_path / "3").mkdir()
    with pytest.raises(UserError, match="--version=3: exists"):
        export_saved_model(tiny, tmp_path, version=3)
    assert [path.name for path in tmp_path.rglob("*")] == ["3"]


@pytest.mark.parametrize("wrong", ["", "two\nlines", "a\rb"])
def test_a_name_that_is_not_one_line_is_refused(tiny, wrong, tmp_path):
    with pytest.raises(UserError, match="labels: expected names of one line, got"):
        export_saved_model(tiny, tmp_path / "served", labels=[*LABELS[:2], wrong])
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("labels", [LABELS[:2], [*LABELS, "more"], []])
def test_labels_must_be_as_many_as_the_classes(tiny, labels, tmp_path):
    with pytest.raises(
        UserError, match=f"labels: expected 3, one for each class, got {len(labels)}"
    ):
        export_saved_model(tiny, tmp_path / "served", labels=labels)
    assert not any(tmp_path.iterdir())


def test_a_failure_leaves_no_part_of_a_version(tiny, monkeypatch, tmp_path):
    def fail(module, folder, signatures):
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        export_saved_model(tiny, tmp_path / "served")
    assert not any((tmp_path / "served").iterdir())
    monkeypatch.undo()
    assert export_saved_model(tiny, tmp_path / "served").name == "1"


_EXPORT = """
import keras
from darts_tf.exporting.saved_model import export_saved_model
image = keras.Input((8, 8, 1))
flat = keras.layers.Flatten()(image)
model = keras.Model(image, keras.layers.Dense(300, activation="softmax")(flat))
while True:
    print(export_saved_model(model, given[0]).name, flush=True)
"""


def versions(directory):
    """What a server finds that polls."""
    return [path for path in directory.iterdir() if path.name.isdecimal()]


def test_a_server_that_polls_sees_whole_versions_only_also_when_the_export_is_killed(
    seed, tmp_path
):
    directory = tmp_path / "served"
    directory.mkdir()
    rng = np.random.default_rng(seed)
    seen = set()
    process = start(_EXPORT, str(directory))
    while not any(directory.iterdir()) and process.poll() is None:
        time.sleep(0.02)  # TensorFlow starts
    try:
        while len(seen) < 3 and process.poll() is None:
            for folder in set(versions(directory)) - seen:
                assert is_whole(folder)
                seen.add(folder)
        time.sleep(rng.uniform(0, 1))
    finally:
        process.kill()
        _, errors = process.communicate()
    assert len(seen) >= 3, errors[-2000:]
    found = versions(directory)
    assert all(is_whole(folder) for folder in found)
    assert sorted(int(folder.name) for folder in found) == list(range(1, len(found) + 1))
    assert tf.saved_model.load(max(found, key=lambda folder: int(folder.name))).signatures
