"""The `.keras` file: equal bytes for equal networks, and nothing in it is executed."""

import io
import time
import zipfile

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.networks.model_file import load_model, save_model


def make_model():
    image = keras.Input((4, 4, 1), name="image")
    x = keras.layers.Conv2D(2, 3, name="conv")(image)
    x = keras.layers.Flatten(name="flatten")(keras.layers.BatchNormalization(name="norm")(x))
    shared = keras.initializers.RandomUniform(-0.1, 0.1)
    dense = keras.layers.Dense(
        3,
        kernel_initializer=shared,
        bias_initializer=shared,
        dtype=keras.DTypePolicy("float32"),
        name="dense",
    )
    return keras.Model(image, dense(x), name="network")


@pytest.fixture
def model(seed):
    keras.utils.set_random_seed(seed)
    return make_model()


def test_the_file_loads_with_keras_and_computes_the_same(model, seed, tmp_path):
    save_model(model, tmp_path / "model.keras")
    x = np.random.default_rng(seed).normal(size=(5, 4, 4, 1)).astype(np.float32)
    for load in (load_model, keras.saving.load_model):
        np.testing.assert_array_equal(load(tmp_path / "model.keras")(x), model(x))


def test_a_model_that_was_saved_ready_to_train_is_read_for_answers_alone(model, tmp_path):
    model.compile("adam", "mse", metrics=["mae"])
    model.save(tmp_path / "compiled.keras")
    loaded = load_model(tmp_path / "compiled.keras")
    assert not getattr(loaded, "compiled", False)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_the_bytes_depend_on_the_network_alone(model, monkeypatch, tmp_path):
    save_model(model, tmp_path / "a.keras")
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(1e9))
    equal = make_model()
    equal.set_weights(model.get_weights())
    save_model(equal, tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    equal.get_layer("dense").bias.assign([0, 1, 2])
    save_model(equal, tmp_path / "c.keras")
    assert (tmp_path / "a.keras").read_bytes() != (tmp_path / "c.keras").read_bytes()


def junk(path):
    path.write_bytes(b"junk")


def empty_archive(path):
    zipfile.ZipFile(path, "w").close()


def cut_off(path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("config.json", "{}" * 500)
    path.write_bytes(whole.getvalue()[:200])


def not_json(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(name, "junk")


def no_model(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(name, "[]")


@pytest.mark.parametrize("write", [junk, empty_archive, cut_off, not_json, no_model])
def test_a_file_that_is_no_model_is_told_to_the_user(write, tmp_path):
    write(tmp_path / "bad.keras")
    with pytest.raises(UserError, match=r"bad\.keras: not a Keras model"):
        load_model(tmp_path / "bad.keras")


def test_a_file_that_is_not_there_is_told_to_the_user(tmp_path):
    with pytest.raises(UserError, match=r"none\.keras: not a Keras model"):
        load_model(tmp_path / "none.keras")


def test_code_in_a_file_is_refused(tmp_path):
    image = keras.Input((2,))
    model = keras.Model(image, keras.layers.Lambda(lambda x: print("run") or x)(image))
    model.save(tmp_path / "code.keras")
    with pytest.raises(UserError, match=r"code\.keras: not a Keras model.*[Ll]ambda"):
        load_model(tmp_path / "code.keras")
