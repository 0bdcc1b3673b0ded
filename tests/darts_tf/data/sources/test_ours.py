import dataclasses
import gzip
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from darts_tf import data
from darts_tf.data.sources.digits import Digits
from darts_tf.data.sources.origins import MANUAL, ORIGINS
from darts_tf.errors import UserError
from tests import layouts

FETCHED = [name for name, origin in ORIGINS.items() if origin.fetched]
CIFAR = ["cifar10", "cifar100"]
GIVEN = [name for name, origin in ORIGINS.items() if origin.archives and not origin.fetched]


def refusals(name: str, folder: Path, **how) -> str:
    """The one line that `find` and `load` refuse with alike."""
    lines = set()
    request = data.DataRequest(name, str(folder), **how)
    for function in (lambda: data.find(request), lambda: data.load(name, str(folder), **how)):
        with pytest.raises(UserError) as caught:
            function()
        lines.add(str(caught.value))
    [line] = lines
    assert "\n" not in line
    return line


def test_nothing_that_is_checked_loads_tensorflow(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "folder" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "folder" / name / f"{number}.png").touch()
    program = (
        "import sys\n"
        "from darts_tf import data\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
        "find = lambda *words, **how: data.find(data.DataRequest(*words, **how))\n"
        f"find('image_folder:{tmp_path}/folder', image_size=8)\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
        f"find('digits', {str(tmp_path / 'data')!r})\n"
        f"find('cifar10', {str(tmp_path / 'data')!r}, download=True)\n"
        f"find('tfds:rock_paper_scissors', {str(tmp_path / 'data')!r}, 32, True)\n"
        "for name in data.DATASETS:\n"
        f"    try: find(name, {str(tmp_path / 'data')!r})\n"
        "    except ValueError as error: print(error)\n"
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
    assert run.stdout.count("\n") == len(data.DATASETS) - 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", [*FETCHED, *GIVEN])
def test_the_line_for_an_absent_data_set_says_how_to_get_it(tmp_path, name):
    folder = tmp_path / "it's here"
    line = refusals(name, folder)
    assert line.startswith(f"data set '{name}' is not in {folder}: ")
    assert ("add --download, or" in line) == (name in FETCHED)
    for archive in ORIGINS[name].archives:
        assert str(folder / "downloads" / "manual" / archive) in line
    assert f"from {ORIGINS[name].url}" in line
    assert line.endswith(", or give another --data_dir")
    assert not folder.exists()


@pytest.mark.parametrize("name", GIVEN)
def test_what_cannot_be_downloaded_is_asked_for_even_with_download(tmp_path, name):
    assert "--download" not in refusals(name, tmp_path, download=True)
    assert list(tmp_path.iterdir()) == []


def test_only_the_archive_that_is_missing_is_asked_for(tmp_path):
    train, valid = (tmp_path / MANUAL / name for name in ORIGINS["imagenet"].archives)
    train.parent.mkdir(parents=True)
    train.touch()
    line = refusals("imagenet", tmp_path)
    assert f"put {valid} there" in line
    assert train.name not in line


def test_an_unknown_data_set_is_named_with_its_nearest():
    with pytest.raises(UserError, match=r"'cifar-10'\. Did you mean 'cifar10'\?$"):
        data.find("cifar-10")
    with pytest.raises(UserError, match=r"image_folder:PATH, .*; got 'imagenet2012'\. Did"):
        data.load("imagenet2012")


def test_a_place_that_cannot_hold_the_digits_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    line = refusals("digits", tmp_path / "file" / "below")
    assert f"{tmp_path / 'file'} is not a folder" in line


def test_digits_that_cannot_be_put_in_place_end_in_one_line(tmp_path):
    (tmp_path / "digits").touch()
    with pytest.raises(UserError, match="data_dir: data set 'digits' cannot be put into"):
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


def test_random_numbers_do_not_depend_on_whether_digits_had_to_be_prepared(tmp_path, seed):
    drawn = []
    for _ in range(2):
        random.seed(seed)
        data.load("digits", str(tmp_path))
        drawn.append(random.random())
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("size", "problem"),
    [(None, "No such file or directory"), (5000, "truncated"), (0, "to contain 360 elements")],
)
def test_a_file_that_is_lost_is_named(tmp_path, size, problem):
    data.load("digits", str(tmp_path))
    [file] = tmp_path.rglob("*-test.tfrecord*")
    content = file.read_bytes()
    file.unlink()
    if size is not None:
        file.write_bytes(content[:size])
    with pytest.raises(UserError, match=rf"^{file}: cannot be read .*{problem}") as caught:
        data.load("digits", str(tmp_path))
    assert "\n" not in str(caught.value)
    file.write_bytes(content)
    assert len(data.load("digits", str(tmp_path)).test) == 360


def test_a_second_process_may_put_the_digits_there_first(tmp_path, monkeypatch, digits):
    prepare = Digits.download_and_prepare

    def overtaken(builder, **how):
        prepare(builder, **how)
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
    with pytest.raises(UserError, match="image_size: expected at least 0, got -1"):
        data.load("digits", str(tmp_path), image_size=-1)


def as_records(split: data.ArraySplit) -> list[bytes]:
    """Labels and pixels as CIFAR's files have them, sorted."""
    planes = split.images.transpose(0, 3, 1, 2).reshape(len(split), -1)
    read = np.concatenate([split.labels[:, None].astype(np.uint8), planes], axis=1)
    return sorted(map(bytes, read))


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [("cifar10", r"data_batch_\d.bin", "test_batch.bin"), ("cifar100", "train.bin", "test.bin")],
)
def test_cifar_is_read_as_its_files_have_it(tmp_path, seed, name, train, test):
    layouts.prepare(name, tmp_path, seed)
    lazy = data.find(data.DataRequest(name, str(tmp_path)))
    assert lazy.facts == data.DATASETS[name]
    loaded = lazy.load()
    assert loaded.facts.classes == data.DATASETS[name].classes
    assert loaded.facts.train_images == len(loaded.train)
    files = list((tmp_path / "downloads" / "extracted").rglob("*.bin"))
    bytes_before = int(name == "cifar100")  # the coarse label
    for split, pattern in ((loaded.train, train), (loaded.test, test)):
        assert split.images.shape[1:] == (32, 32, 3)
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)
        written = b"".join(path.read_bytes() for path in files if re.fullmatch(pattern, path.name))
        records = np.frombuffer(written, np.uint8).reshape(-1, 3073 + bytes_before)
        assert as_records(split) == sorted(map(bytes, records[:, bytes_before:]))


@pytest.mark.parametrize("name", CIFAR)
def test_an_archive_of_cifar_in_place_is_enough(tmp_path, seed, name, no_network):
    archive = getattr(layouts, name)(tmp_path / MANUAL, np.random.default_rng(seed))
    with layouts.trusted(name, archive.parent):
        loaded = data.load(name, str(tmp_path))
    layouts.prepare(name, tmp_path / "other", seed)
    other = data.load(name, str(tmp_path / "other"))
    assert as_records(loaded.train) == as_records(other.train)
    assert {path.name for path in tmp_path.iterdir()} == {"downloads", name, "other"}
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == ["manual"]


def as_idx(folder: Path, part: str) -> list[bytes]:
    """Labels and pixels of MNIST's files, sorted."""
    images, labels = (
        np.frombuffer(gzip.decompress((folder / f"{part}-{kind}-ubyte.gz").read_bytes()), np.uint8)
        for kind in ("images-idx3", "labels-idx1")
    )
    pixels = images[16:].reshape(-1, 28 * 28)
    return sorted(map(bytes, np.concatenate([labels[8:, None], pixels], axis=1)))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_mnists_four_files_in_place_are_enough(tmp_path, seed, name, apart, no_network):
    # They have the same names, so each data set may have a folder of its own.
    folder = layouts.idx(tmp_path / MANUAL / (name if apart else ""), np.random.default_rng(seed))
    with layouts.trusted(name, folder):
        loaded = data.load(name, str(tmp_path))
    assert loaded.facts == dataclasses.replace(data.DATASETS[name], train_images=40, test_images=10)
    assert as_records(loaded.train) == as_idx(folder, "train")
    assert as_records(loaded.test) == as_idx(folder, "t10k")


def test_svhns_files_in_place_are_enough_and_ten_is_zero(tmp_path, seed, no_network):
    folder = layouts.svhn(tmp_path / MANUAL, np.random.default_rng(seed))
    with layouts.trusted("svhn_cropped", folder):
        loaded = data.load("svhn_cropped", str(tmp_path))
    assert loaded.facts == dataclasses.replace(
        data.DATASETS["svhn_cropped"], train_images=40, test_images=10
    )
    for split, part in ((loaded.train, "train"), (loaded.test, "test")):
        file = scipy.io.loadmat(folder / f"{part}_32x32.mat")
        planes = np.moveaxis(file["X"], -1, 0).transpose(0, 3, 1, 2).reshape(len(split), -1)
        assert as_records(split) == sorted(map(bytes, np.hstack([file["y"] % 10, planes])))


@pytest.mark.parametrize("number", [0, 3])
def test_the_false_one_of_several_archives_is_named(tmp_path, seed, number, no_network):
    folder = layouts.idx(tmp_path / MANUAL, np.random.default_rng(seed))
    with layouts.trusted("mnist", folder):
        path = folder / ORIGINS["mnist"].archives[number]
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(UserError, match=re.escape(f"got {path}: its checksum")):
            data.load("mnist", str(tmp_path))


@pytest.mark.parametrize("name", CIFAR)
def test_a_false_archive_of_cifar_is_named(tmp_path, seed, name, no_network):
    archive = getattr(layouts, name)(tmp_path / MANUAL, np.random.default_rng(seed))
    with pytest.raises(UserError) as caught:
        data.load(name, str(tmp_path))
    assert f"got {archive}: its checksum is not that of the published one" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["downloads"]


def test_a_download_that_fails_ends_in_one_line(tmp_path, no_network):
    data.find(data.DataRequest("cifar10", str(tmp_path), download=True))
    with pytest.raises(UserError) as caught:
        data.load("cifar10", str(tmp_path), download=True)
    line = str(caught.value)
    assert line.startswith("data set 'cifar10': cannot be downloaded (no network here); expected")
    assert f"{tmp_path / MANUAL / 'cifar-10-binary.tar.gz'}, put there from http" in line
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", CIFAR)
def test_a_download_gives_what_an_archive_in_place_does(tmp_path, seed, name, monkeypatch):
    archive = getattr(layouts, name)(tmp_path / "net", np.random.default_rng(seed))
    asked = []

    def fetch(manager, url):
        asked.append(url)
        return layouts.unpack(archive, tmp_path / "unpacked")

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", fetch)
    loaded = data.load(name, str(tmp_path / "data"), download=True)
    assert [url.rpartition("/")[2] for url in asked] == [archive.name]
    assert len(loaded.train) > 0


@pytest.fixture
def no_network(monkeypatch):
    """Refuses as a machine without a network does, without its minutes of trying again."""

    def refuse(*_, **__):
        raise ConnectionError("no network here")

    monkeypatch.setattr(tfds.download.DownloadManager, "_download", refuse)


def test_a_set_that_was_prepared_without_its_test_split_is_named(tmp_path):
    layouts.prepare("imagenet", tmp_path)
    [file] = tmp_path.glob("imagenet2012/*/dataset_info.json")
    info = json.loads(file.read_text())
    whole = info["splits"]
    info["splits"] = [split for split in whole if split["name"] == "train"]
    file.write_text(json.dumps(info))
    line = refusals("imagenet", tmp_path)
    assert line.startswith(f"data set 'imagenet' in {file.parent} lacks the split 'validation';")
    file.write_text(json.dumps(info | {"splits": whole, "fileFormat": "tfrecord"}))
    assert (
        "expected the format array_record, which can be read in any order, got tfrecord"
        in refusals("imagenet", tmp_path)
    )
    file.write_text("{")
    assert f"{file} cannot be read" in refusals("imagenet", tmp_path)
