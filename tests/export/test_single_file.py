"""The programs `export.lite` and `export.onnx`: one new file, and refusals before TensorFlow."""

import pytest

import darts_tf
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from export import lite, onnx
from tests.processes import hide
from tests.stand_ins import CLASSES, make_model, stand_in_for_the_reader
from tests.trainers.programs import python, refused

PROGRAMS = {"lite": (lite, ".tflite"), "onnx": (onnx, ".onnx")}


@pytest.fixture(params=PROGRAMS)
def name(request):
    return request.param


@pytest.fixture
def exported(name, monkeypatch, tmp_path):
    """Stands in for the library's reader and writer, and keeps what the writer was given."""
    calls = []

    def stand_in(model, path, labels=None):
        calls.append((path.name, labels))
        return path

    monkeypatch.setitem(vars(darts_tf), f"export_{name}", stand_in)
    stand_in_for_the_reader(monkeypatch, tmp_path)
    return calls


def export(name):
    program, suffix = PROGRAMS[name]
    program.main(["--model=model.keras", f"--output=net{suffix}"])
    return f"net{suffix}"


def test_the_file_carries_the_class_names(name, exported, capsys):
    file = export(name)
    assert exported == [(file, CLASSES)]
    assert capsys.readouterr().out == f"wrote {file}\n"


def test_a_model_without_result_has_numbered_classes_and_one_line_says_so(
    name, exported, tmp_path, capsys
):
    (tmp_path / "result.json").unlink()
    file = export(name)
    assert exported == [(file, None)]
    assert capsys.readouterr().out.startswith("result.json: no such file, so the classes are num")


def test_class_names_of_another_model_are_refused(name, exported, tmp_path):
    make_model(tmp_path, classes=["cat", "dog"])
    with pytest.raises(UserError, match=r"expected the 3 classes of the model, got 2"):
        export(name)
    assert not exported


MISTAKES = [
    (["--output=new.tflite"], "--model: expected the model.keras of a training run"),
    (["--model=model.keras"], "--output: expected the name of a new .tflite file"),
    (["--model=no.keras", "--output=new.tflite"], "training run, got No such file"),
    (["--model=junk.keras", "--output=new.tflite"], "--model=junk.keras: expected the model.keras"),
    (["--model=model.keras", "--output=new.lite"], "expected a name that ends in .tflite"),
    (["--model=model.keras", "--output=old.tflite"], "--output=old.tflite: exists"),
    (["--model=model.keras", "--output=link.tflite"], "--output=link.tflite: exists"),
    (["--model=model.keras", "--output=junk.keras/a.tflite"], "junk.keras, a file"),
    (["--model=bad/model.keras", "--output=new.tflite"], "bad/result.json: expected class names"),
    (["--model=model.keras", "--outputs=new.tflite"], "Did you mean '--output'?"),
]


@pytest.mark.parametrize(("arguments", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_is_one_line_before_tensorflow_is_imported(tmp_path, arguments, told):
    make_model(tmp_path)
    make_model(tmp_path / "bad")
    (tmp_path / "bad" / "result.json").write_text("[]")
    (tmp_path / "junk.keras").write_text("junk")
    (tmp_path / "old.tflite").touch()
    (tmp_path / "link.tflite").symlink_to(tmp_path / "nowhere")
    assert told in refused("export.lite", *arguments, cwd=tmp_path)
    assert not (tmp_path / "new.tflite").exists()


def test_a_missing_package_is_one_line_before_tensorflow_is_imported(tmp_path):
    make_model(tmp_path)
    code = f"""{hide("onnx", "tf2onnx")}
import sys
from darts_tf.command_line.program import run
from export import onnx
sys.argv[1:] = ["--model=model.keras", "--output=new.onnx"]
status = run("onnx", onnx.main)
print("tensorflow" in sys.modules, status)
"""
    ended = python("-c", code, cwd=tmp_path)
    assert ended.stdout == "False 2\n"
    assert ended.stderr == (
        "onnx: expected the packages onnx and tf2onnx, which pip install "
        '"darts_tf[onnx]" installs\n'
    )


def test_a_file_that_holds_no_network_is_one_line(name, tmp_path, monkeypatch, capsys):
    make_model(tmp_path)
    program, suffix = PROGRAMS[name]
    file = f"new{suffix}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [name, "--model=model.keras", f"--output={file}"])
    assert run(name, program.main) == 2
    [told] = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{name}: model.keras: not a Keras model")
    assert not (tmp_path / file).exists()


def test_a_model_that_cannot_be_exported_is_named_with_its_flag(name, tmp_path, monkeypatch):
    import keras

    image = keras.Input((8, 8, 1))
    keras.Model(image, keras.layers.Flatten()(image)).save(tmp_path / "model.keras")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^--model=model\.keras: model: expected probabilities"):
        export(name)
