"""`model.keras` under each of Keras's backends, in a process that has neither this library nor,
where Keras does without it, TensorFlow.

tests/backends/requirements.txt has JAX and PyTorch, which nothing else needs.
"""

import json
import zipfile
from importlib.util import find_spec

import h5py
import numpy as np
import pytest

from darts_tf.networks.model_file import save_model
from tests import every_operation
from tests.processes import finish, hide, start

BACKENDS = {
    "tensorflow": hide("darts_tf"),
    "jax": hide("darts_tf", "tensorflow"),
    "torch": hide("darts_tf", "tensorflow"),
}

_ANSWER = """
import os
backend, folder, names = given
os.environ["KERAS_BACKEND"] = backend
import keras, numpy as np
assert keras.backend.backend() == backend
for name in names:
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    scores = model.predict(np.load(f"{folder}/{name}.npy"), verbose=0)
    np.save(f"{folder}/{name}.{backend}.npy", scores)
print(json.dumps(sorted({"darts_tf", "tensorflow", "jax", "torch"} & set(sys.modules))))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of the files, and the scores of each network."""
    folder, scores = tmp_path_factory.mktemp("models"), {}
    for seed, name in enumerate(every_operation.SETTINGS):
        model = every_operation.network(name, seed)
        images = every_operation.images(model, 7, seed)
        save_model(model, folder / f"{name}.keras")
        np.save(folder / f"{name}.npy", images)
        scores[name] = model(images).numpy()
    return folder, scores


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_alone_loads_it_and_gives_the_same_scores(backend, saved):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; tests/backends/requirements.txt has it")
    folder, right = saved
    [text] = finish(start(BACKENDS[backend] + _ANSWER, backend, str(folder), list(right)))
    assert backend in json.loads(text)
    assert "darts_tf" not in json.loads(text)
    assert backend == "tensorflow" or "tensorflow" not in json.loads(text)
    for name, scores in right.items():
        assert np.ptp(scores, axis=1).max() > 0.01
        found = np.load(folder / f"{name}.{backend}.npy")
        np.testing.assert_allclose(found, scores, rtol=0, atol=1e-5, err_msg=name)


def parts(value):
    """Every object of a configuration that names a class or a function."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from parts(item)


@pytest.mark.parametrize("name", every_operation.SETTINGS)
def test_it_holds_stock_layers_in_float32_and_no_operation_of_a_backend(name, saved, tmp_path):
    with zipfile.ZipFile(saved[0] / f"{name}.keras") as archive:
        config = json.loads(archive.read("config.json"))
        archive.extract("model.weights.h5", tmp_path)
    found = list(parts(config))
    homes = {part["module"] for part in found if "module" in part}
    assert homes <= {
        "keras",
        "keras.initializers",
        "keras.layers",
        "keras.src.models.functional",
    }
    assert not {part.get("registered_name") for part in found} - {None, "Functional"}
    policies = [part["config"]["name"] for part in found if part["class_name"] == "DTypePolicy"]
    assert policies
    assert {*policies} == {"float32"}
    kinds = set()
    with h5py.File(tmp_path / "model.weights.h5") as weights:
        weights.visititems(lambda _, item: kinds.add(str(getattr(item, "dtype", "float32"))))
    assert kinds == {"float32"}
