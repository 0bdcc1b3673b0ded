"""Output files: new, whole, and with nothing beside them when writing fails."""

import pytest

from darts_tf.errors import UserError
from darts_tf.runs.output_file import new_file, writing


def test_a_new_file_may_lie_in_folders_that_are_missing(tmp_path):
    path = new_file(str(tmp_path / "a" / "b" / "c.onnx"), ".onnx")
    assert path == tmp_path / "a" / "b" / "c.onnx"
    assert not any(tmp_path.iterdir())
    with writing(path) as temporary:
        assert temporary.suffix == ".onnx"
        temporary.write_bytes(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert [entry.name for entry in path.parent.iterdir()] == ["c.onnx"]


def write_half(path, error):
    with writing(path) as temporary:
        temporary.write_bytes(b"half")
        raise error


@pytest.mark.parametrize(
    ("error", "right", "told"),
    [
        (OSError(28, "No space left on device"), UserError, r"c\.onnx: No space left on device"),
        (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
    ],
)
def test_a_failure_leaves_nothing(error, right, told, tmp_path):
    with pytest.raises(right, match=told):
        write_half(tmp_path / "c.onnx", error)
    assert not any(tmp_path.iterdir())


def test_a_name_too_long_is_told(tmp_path):
    path = new_file(tmp_path / f"{'x' * 300}.onnx", ".onnx")
    with pytest.raises(UserError, match="File name too long"), writing(path) as temporary:
        temporary.touch()
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("c.tflite", "expected a name that ends in .onnx"),
        ("onnx", "expected a name that ends in .onnx"),
        ("there.onnx", "exists; expected the name of a new file"),
        ("link.onnx", "exists; expected the name of a new file"),
        ("there.onnx/c.onnx", "there.onnx, a file"),
        ("link.onnx/c.onnx", "link.onnx, a broken link"),
    ],
)
def test_what_is_in_the_way_is_told(name, told, tmp_path):
    (tmp_path / "there.onnx").touch()
    (tmp_path / "link.onnx").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError) as error:
        new_file(tmp_path / name, ".onnx")
    assert str(error.value).startswith(f"--output={tmp_path / name}: ")
    assert told in str(error.value)
