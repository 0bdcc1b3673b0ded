"""The SavedModel: it answers like the model where neither Keras nor this library is installed."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import zoo
from darts_tf.errors import UserError
from darts_tf.export import export_saved_model
from darts_tf.network import build_network, inference_network
from tests.processes import HIDE, finish, start

LABELS = ["cat", "dog", "frog"]

_SERVE = """
import numpy as np
import tensorflow as tf
folder, pixels = given
signature = tf.saved_model.load(folder).signatures["serving_default"]
answer = signature(pixels=tf.constant(np.load(pixels)))
print(json.dumps({
    "takes": {name: [spec.shape.as_list(), spec.dtype.name]
              for name, spec in signature.structured_input_signature[1].items()},
    "scores": answer["scores"].numpy().tolist(),
    "label": [label.decode() for label in answer["label"].numpy()],
}))
"""


@pytest.fixture(scope="module")
def model():
    genotype = zoo.get("DARTS_PLUS_CIFAR10")
    network = build_network(genotype, (8, 8, 3), 3, layers=3, init_channels=2)
    return inference_network(network, genotype, (0.5,) * 3, (0.2,) * 3, layers=3, init_channels=2)


@pytest.fixture
def tiny():
    image = keras.Input((2, 2, 1))
    return keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(image)))


def test_the_export_answers_like_the_model_without_keras(model, seed, tmp_path):
    folder = export_saved_model(model, tmp_path / "served", labels=LABELS)
    pixels = np.random.default_rng(seed).integers(0, 256, (7, 8, 8, 3)).astype(np.float32)
    np.save(tmp_path / "pixels.npy", pixels)
    [text] = finish(start(HIDE + _SERVE, str(folder), str(tmp_path / "pixels.npy")))
    answer = json.loads(text)
    scores = model(pixels).numpy()
    assert answer["takes"] == {"pixels": [[None, 8, 8, 3], "float32"]}
    np.testing.assert_allclose(answer["scores"], scores, rtol=0, atol=1e-6)
    assert answer["label"] == [LABELS[i] for i in np.argmax(answer["scores"], 1)]


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


@pytest.mark.parametrize("labels", [LABELS[:2], [*LABELS, "more"], []])
def test_labels_must_be_as_many_as_the_classes(tiny, labels, tmp_path):
    with pytest.raises(UserError, match=f"one for each of 3 classes.*found {len(labels)}"):
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
