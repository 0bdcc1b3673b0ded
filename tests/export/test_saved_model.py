"""The program `export.saved_model`: versions, class names, and refusals before TensorFlow."""

import os

import pytest

import darts_tf
from darts_tf.errors import UserError
from darts_tf.exporting.serving import version_folder
from export import saved_model
from tests.stand_ins import CLASSES, make_model, stand_in_for_the_reader
from tests.trainers.programs import python, refused


@pytest.fixture
def exported(monkeypatch, tmp_path):
    """Stands in for the library's reader and writer, and keeps what the writer was given."""
    calls = []

    def stand_in(model, directory, version, result):
        folder = version_folder(directory, version)
        calls.append((folder, result))
        folder.mkdir(parents=True)
        return folder

    monkeypatch.setitem(vars(darts_tf), "export_saved_model", stand_in)
    stand_in_for_the_reader(monkeypatch, tmp_path)
    return calls


def export(*arguments):
    saved_model.main(["--model=model.keras", "--output=serving", *arguments])


def test_versions_count_on_and_carry_the_class_names(exported, tmp_path, capsys):
    for _ in range(2):
        export()
    assert [result for _, result in exported] == [{"classes": CLASSES}] * 2
    assert capsys.readouterr().out.splitlines() == ["wrote serving/1", "wrote serving/2"]


def test_the_next_version_follows_the_greatest_whatever_else_lies_there(exported, tmp_path):
    for name in ("3", "0", "012", "1.5", "notes", "-20", "²"):
        (tmp_path / "serving" / name).mkdir(parents=True)
    export()
    assert exported[0][0].name == "13"


def test_a_version_may_be_chosen(exported):
    export("--version=7")
    export("--version=5")
    assert [call[0].name for call in exported] == ["7", "5"]


def test_a_version_zero_that_exists_is_not_in_the_way(exported, tmp_path):
    (tmp_path / "serving" / "0").mkdir(parents=True)
    export()
    assert exported[0][0].name == "1"


def test_a_model_without_result_has_numbered_classes_and_one_line_says_so(exported, capsys):
    os.remove("result.json")
    export()
    assert exported[0][1] is None
    assert capsys.readouterr().out.splitlines()[0] == (
        "result.json: no such file, so the classes are numbered"
    )


def test_the_words_of_a_language_model_are_in_the_vocabulary_beside_it(exported, tmp_path):
    (tmp_path / "result.json").write_text('{"vocabulary": 3, "test_perplexity": 2.5}')
    with pytest.raises(UserError, match=r"^vocabulary\.json: expected class names, got FileNotF"):
        export()
    (tmp_path / "vocabulary.json").write_text('{"words": ["a", "b"]}')
    with pytest.raises(UserError, match=r"^vocabulary\.json: expected the 3 classes .*, got 2"):
        export()
    (tmp_path / "vocabulary.json").write_text('{"words": ["a", "b", "c"]}')
    export()
    right = {"vocabulary": 3, "test_perplexity": 2.5, "classes": ["a", "b", "c"]}
    assert [result for _, result in exported] == [right]


def test_class_names_of_another_model_are_refused(exported, tmp_path):
    make_model(tmp_path, classes=["cat", "dog"])
    with pytest.raises(UserError, match=r"expected the 3 classes of the model, got 2"):
        export()
    assert not exported


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--output=new"], ["--model: expected the model.keras of a training run"]),
        (["--model=model.keras"], ["--output: expected the folder"]),
        (["--model=no.keras", "--output=new"], ["--model=no.keras: ", "got No such file"]),
        (["--model=folder", "--output=new"], ["--model=folder: ", "got Is a directory"]),
        (["--model=junk.keras", "--output=new"], ["--model=junk.keras: expected the model.keras"]),
        (["--model=other.zip", "--output=new"], ["--model=other.zip: expected the model.keras"]),
        (["--model=model.keras", "--output=junk.keras"], ["--output=junk.keras", "a file"]),
        (["--model=model.keras", "--output=junk.keras/below"], ["--output=junk.keras/below"]),
        (
            ["--model=model.keras", "--output=serving", "--version=4"],
            ["--version=4: exists in serving", "such as 6"],
        ),
        (["--model=model.keras", "--output=serving", "--version=5"], ["--version=5: exists"]),
        (
            ["--model=model.keras", "--output=new", "--version=-1"],
            ["--version: expected at least 0"],
        ),
        (["--model=model.keras", "--outputs=new"], ["Did you mean '--output'?"]),
        (["--model=bad/model.keras", "--output=new"], ["bad/result.json: ", "class names"]),
        (["--model=odd/model.keras", "--output=new"], ["odd/result.json: ", "a list of names"]),
    ],
    ids=lambda value: value[-1],
)
def test_a_mistake_is_one_line_before_tensorflow_is_imported(tmp_path, arguments, told):
    make_model(tmp_path)
    for name in ("folder", "bad", "odd", "serving/4"):
        (tmp_path / name).mkdir(parents=True)
    make_model(tmp_path / "bad")
    (tmp_path / "bad" / "result.json").write_text("{}")
    make_model(tmp_path / "odd", classes="abc")
    (tmp_path / "junk.keras").write_text("junk")
    (tmp_path / "other.zip").write_bytes((tmp_path / "model.keras").read_bytes())
    (tmp_path / "serving" / "5").write_text("a file in the way")
    line = refused("export.saved_model", *arguments, cwd=tmp_path)
    assert all(words in line for words in told), line
    assert not (tmp_path / "new").exists()


def test_an_archive_that_keras_cannot_load_is_a_users_mistake(tmp_path):
    make_model(tmp_path)
    with pytest.raises(UserError, match=r"model\.keras: not a Keras model"):
        saved_model.main([f"--model={tmp_path}/model.keras", f"--output={tmp_path}/serving"])
    assert not (tmp_path / "serving").exists()


def test_a_folder_that_cannot_be_made_is_a_users_mistake(exported, tmp_path):
    name = "x" * 300
    with pytest.raises(
        UserError, match=rf"--output={name}: expected a folder, got File name too long"
    ):
        saved_model.main(["--model=model.keras", f"--output={name}"])


def test_as_a_module_it_ends_with_the_status_of_its_outcome(tmp_path):
    ended = python("-m", "export.saved_model", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("saved_model: --model: expected the model.keras")
    ended = python("-m", "export.saved_model", "--help", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "--version=0" in ended.stdout
