import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from darts_tf import data
from darts_tf.data.digits import Digits
from darts_tf.errors import UserError
from tests import cifar


def test_nothing_that_is_checked_loads_tensorflow(tmp_path):
    program = (
        "import sys\n"
        "from darts_tf import data\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
        f"data.check('digits', {str(tmp_path)!r})\n"
        f"try: data.check('cifar10', {str(tmp_path)!r})\n"
        "except ValueError as error: print(error)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(data.__file__).parents[2])},
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_line_for_an_absent_data_set_says_how_to_get_it(tmp_path):
    folder = tmp_path / "it's here"
    for function in (data.check, data.load):
        with pytest.raises(UserError) as caught:
            function("cifar10", str(folder))
        line = str(caught.value)
        assert line.startswith(f"data set 'cifar10' is not in {folder}: run python -c ")
        assert line.endswith(" on a machine with a network, or give --data_dir")
        command = line.split(": run ", 1)[1].split(" on a machine", 1)[0]
        code = shlex.split(command)[2]
        compile(code, "command", "exec")
        assert f'builder("cifar10", data_dir="{folder}").download_and_prepare()' in code
    assert not folder.exists()


def test_an_unknown_data_set_is_named_with_its_nearest():
    with pytest.raises(UserError, match=r"'cifar-10' .* cifar10\. Did you mean 'cifar10'"):
        data.check("cifar-10")


def test_a_place_that_cannot_hold_the_digits_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    for function in (data.check, data.load):
        with pytest.raises(UserError, match=re.escape(f"{tmp_path / 'file'} is not a folder")):
            function("digits", str(tmp_path / "file" / "below"))


def test_digits_that_cannot_be_put_in_place_end_in_one_line(tmp_path):
    (tmp_path / "digits").touch()
    with pytest.raises(UserError, match="data_dir: the digits cannot be put into"):
        data.load("digits", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]


def test_digits_are_the_same_each_time_and_say_nothing(tmp_path, capfd):
    first, again = (data.load("digits", str(tmp_path)) for _ in range(2))
    for one, other in ((first.train, again.train), (first.test, again.test)):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]
    output = capfd.readouterr()
    assert "Downloading" not in output.out + output.err
    assert "examples" not in output.out + output.err


def test_a_second_process_may_put_the_digits_there_first(tmp_path, monkeypatch, digits):
    prepare = Digits.download_and_prepare

    def overtaken(builder):
        prepare(builder)
        shutil.copytree(builder.data_dir, tmp_path / "digits" / "1.0.0")

    monkeypatch.setattr(Digits, "download_and_prepare", overtaken)
    loaded = data.load("digits", str(tmp_path))
    np.testing.assert_array_equal(loaded.train.images, digits.train.images)
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]


def doubled(images: np.ndarray, axis: int) -> np.ndarray:
    """Twice the size by straight lines between pixel centres, as the twin of the resizing."""
    moved = np.moveaxis(images.astype(float), axis, 0)
    before, after = np.concatenate([moved[:1], moved[:-1]]), np.concatenate([moved[1:], moved[-1:]])
    pairs = np.stack([0.25 * before + 0.75 * moved, 0.75 * moved + 0.25 * after], axis=1)
    return np.moveaxis(pairs.reshape(-1, *moved.shape[1:]), 0, axis)


def test_resizing_is_linear_between_pixel_centres(tmp_path, digits):
    large = data.load("digits", str(tmp_path), image_size=16)
    assert large.train.images.shape == (1437, 16, 16, 1)
    assert large.train.images.dtype == np.uint8
    assert (large.facts.image_size, large.facts.pad) == (16, 2)
    np.testing.assert_array_equal(large.train.labels, digits.train.labels)
    twin = doubled(doubled(digits.test.images, axis=1), axis=2)
    np.testing.assert_allclose(large.test.images, twin, atol=0.51)
    with pytest.raises(UserError, match="image_size: must be at least 0, found -1"):
        data.load("digits", str(tmp_path), image_size=-1)


def test_cifar10_is_read_as_its_files_have_it(tmp_path, seed):
    written = cifar.prepare(tmp_path, np.random.default_rng(seed))
    assert data.check("cifar10", str(tmp_path / "data")) is None
    loaded = data.load("cifar10", str(tmp_path / "data"))
    assert (loaded.facts.train_images, loaded.facts.test_images) == (30, 6)
    for split, part in ((loaded.train, "train"), (loaded.test, "test")):
        assert split.images.shape[1:] == (32, 32, 3)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)
        planes = split.images.transpose(0, 3, 1, 2).reshape(len(split), -1)
        read = np.concatenate([split.labels[:, None].astype(np.uint8), planes], axis=1)
        assert sorted(map(bytes, read)) == sorted(map(bytes, written[part]))
