"""Files that bring code along: none of it runs, by whatever door they come.

Each is first loaded by careless means, by which its code does run and leaves a file behind.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.networks.model_file import load_model
from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import read_genotype
from export import saved_model
from tests.fuzzing.checkpoints import MARKER, Runs, archive, npy, with_checksum
from trainers import train

CODE = f"open({MARKER!r}, 'w').close()"
MODEL = "model.keras"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current folder, where code that runs leaves its mark."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(folder):
    """Whether code has run; forgets it."""
    found = (folder / MARKER).exists()
    (folder / MARKER).unlink(missing_ok=True)
    return found


def one_line(call, *arguments):
    with pytest.raises(UserError) as error:
        call(*arguments)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def change(edit):
    """Writes a model with a Lambda layer, whose parts are edited on their way."""
    image = keras.Input((2,))
    layer = keras.layers.Lambda(lambda x: open("ran", "w").close() or x, name="odd")
    keras.Model(image, layer(image)).save(MODEL)
    with zipfile.ZipFile(MODEL) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    layer = next(x for x in config["config"]["layers"] if x["config"]["name"] == "odd")
    others = edit(config, layer) or {}
    parts |= {"config.json": json.dumps(config).encode(), **others}
    with zipfile.ZipFile(MODEL, "w") as file:
        for name, content in parts.items():
            if content is not None:
                file.writestr(name, content)


def lambda_layer(config, layer):
    """Leaves the layer with its marshalled function as it is."""


def dotted_name(config, layer):
    layer |= {"module": "keras", "class_name": "layers.Lambda"}


def package_beside(config, layer):
    layer |= {"module": "keras_nlp", "class_name": "Layer", "config": {"name": "odd"}}
    with open("keras_nlp.py", "w") as file:
        file.write(CODE)


def careless(monkeypatch, folder):
    """Loads the model with code allowed; a package that lies in the folder can be imported."""
    monkeypatch.syspath_prepend(folder)
    try:
        keras.saving.load_model(MODEL, compile=False, safe_mode=False)
    except ValueError:
        pass  # it has run by now
    finally:
        sys.modules.pop("keras_nlp", None)


@pytest.mark.parametrize("edit", [lambda_layer, dotted_name, package_beside])
def test_a_model_that_runs_code_is_refused_unrun(edit, here, monkeypatch):
    change(edit)
    ran(here)
    careless(monkeypatch, here)
    assert ran(here)
    assert f"{MODEL}: not a Keras model" in one_line(load_model, MODEL)
    one_line(saved_model.main, [f"--model={MODEL}", "--output=serving"])
    assert not ran(here)
    assert not (here / "serving").exists()


def function_of(module, name):
    return {"class_name": "function", "module": module, "config": name, "registered_name": name}


def test_a_function_of_keras_that_safe_mode_lets_through_is_refused():
    def edit(config, layer):
        layer["config"] |= {
            "function": function_of("keras.config", "set_floatx"),
            "output_shape": [2],
        }

    change(edit)
    loaded = keras.saving.load_model(MODEL, compile=False, safe_mode=True)
    assert loaded.get_layer("odd").function is keras.config.set_floatx
    assert "Lambda" in one_line(load_model, MODEL)


@pytest.mark.parametrize(
    "named",
    [
        function_of("os", "system"),
        function_of("builtins", "config.set_floatx"),
        function_of("keras", "config.set_floatx"),
        function_of("keras.config", "set_floatx"),
        {"class_name": "Popen", "module": "subprocess", "config": {"args": ["touch", MARKER]}},
        {"class_name": "__lambda__", "config": {"code": "", "defaults": None, "closure": None}},
        {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "."}},
    ],
    ids=lambda named: f"{named.get('module')} {named['class_name']}",
)
@pytest.mark.parametrize("place", ["activation", "layer", "model"])
def test_whatever_a_model_names_beside_stock_layers_is_refused(named, place, here):
    def edit(config, layer):
        if place == "model":
            return {"config.json": json.dumps(named).encode()}
        activation = {"class_name": "Activation", "module": "keras.layers", "registered_name": None}
        activation["config"] = {"name": "odd", "activation": named}
        layer |= activation if place == "activation" else named
        return None

    change(edit)
    ran(here)
    assert "expected layers without code" in one_line(load_model, MODEL)
    one_line(saved_model.main, [f"--model={MODEL}", "--output=serving"])
    assert not ran(here)


def test_pickled_weights_are_not_unpickled(here):
    pickled = archive({"__root__.npy": npy(np.array([Runs()]), allow_pickle=True)})

    def edit(config, layer):
        layer |= {"class_name": "Dense", "module": "keras.layers"}
        layer["config"] = {"name": "odd", "units": 2}
        return {"model.weights.h5": None, "model.weights.npz": pickled}

    change(edit)
    ran(here)
    np.load(io.BytesIO(pickled), allow_pickle=True)["__root__"]
    assert ran(here)
    assert f"{MODEL}: not a Keras model" in one_line(load_model, MODEL)
    one_line(saved_model.main, [f"--model={MODEL}", "--output=serving"])
    assert not ran(here)


@pytest.mark.parametrize("name", ["model.h5", "folder.keras", "hf://owner/model.keras"])
def test_another_form_of_a_model_is_no_way_in(name, here):
    change(lambda_layer)
    ran(here)
    (here / "model.h5").write_bytes((here / MODEL).read_bytes())
    with zipfile.ZipFile(MODEL) as file:
        file.extractall("folder.keras")
    one_line(load_model, name)
    assert not ran(here)


PICKLED = pickle.dumps(Runs())
GENOTYPES = {
    "code": (CODE.encode(), eval),
    "import": (f"__import__('pathlib').Path({MARKER!r}).touch()".encode(), eval),
    "code in braces": (f"{{'normal': {CODE}, 'normal_concat': range(2, 6)}}".encode(), eval),
    "a constructor": (f"dict(normal=[('skip_connect', {CODE})])".encode(), eval),
    "pickle": (PICKLED, pickle.loads),
    "pickle of protocol 0": (pickle.dumps(Runs(), protocol=0), pickle.loads),
    "YAML": (f"!!python/object/apply:os.mknod [{MARKER!r}]".encode(), None),
    "JSON with code": (
        json.dumps({"normal": f"__import__('os').mknod({MARKER!r})"}).encode(),
        None,
    ),
}


@pytest.mark.parametrize("case", GENOTYPES)
def test_a_genotype_file_with_code_is_refused_unrun(case, here):
    content, run = GENOTYPES[case]
    (here / "genotype.json").write_bytes(content)
    if run is not None:
        run(content)
        assert ran(here)
    text = content.decode(errors="surrogateescape")
    one_line(read_genotype, text)
    flags = ["--dataset=digits", "--run_dir=run"]
    one_line(train.main, [*flags, "--genotype=genotype.json"])
    one_line(train.main, [*flags, f"--genotype={text}"])
    assert not ran(here)


@pytest.mark.parametrize(
    "payload",
    [archive({"a.npy": npy(np.array([Runs()]), allow_pickle=True)}), PICKLED],
    ids=["an array of objects", "pickle"],
)
def test_a_checkpoint_with_a_pickle_and_a_right_checksum_is_passed_over_unrun(payload, here):
    found = np.load(io.BytesIO(payload), allow_pickle=True)
    if payload is not PICKLED:
        found["a"]
    assert ran(here)
    run = RunDirectory(here / "run", "search")
    run.checkpoints.mkdir(parents=True)
    file = run.checkpoints / "epoch-00001-step-000000.checkpoint"
    file.write_bytes(with_checksum(payload))
    assert Checkpoints(run).latest() is None
    assert not ran(here)
