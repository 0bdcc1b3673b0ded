"""Tiny-ImageNet's zip and ImageNet's tars: read as they are, and named where they are broken."""

import io
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from darts_tf import data
from darts_tf.data import batches, decoding
from darts_tf.data.sources.origins import MANUAL, ORIGINS
from darts_tf.errors import UserError
from tests import layouts

TOP = "tiny-imagenet-200"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return layouts.prepare("tiny_imagenet", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory) -> Path:
    return layouts.prepare("imagenet", tmp_path_factory.mktemp("imagenet"))


def refusal(name: str, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        data.load(name, str(folder))
    assert [path.name for path in folder.iterdir()] == ["downloads"]
    line = str(caught.value)
    assert "\n" not in line
    expected = f"data set '{name}': expected the whole archive from {ORIGINS[name].url}, got "
    assert line.startswith(expected)
    return line.removeprefix(expected)


def as_pairs(images, labels) -> list[tuple[bytes, int]]:
    return sorted(
        (np.asarray(image).tobytes(), int(label))
        for image, label in zip(images, labels, strict=True)
    )


def test_tiny_imagenet_is_read_as_its_zip_has_it(tiny):
    loaded = data.load("tiny_imagenet", str(tiny))
    with zipfile.ZipFile(tiny / MANUAL / "tiny-imagenet-200.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    wnids = files[f"{TOP}/wnids.txt"].decode().split()
    train = [name for name in files if re.fullmatch(rf"{TOP}/train/n\d+/images/.*\.JPEG", name)]
    table = [
        line.split("\t") for line in files[f"{TOP}/val/val_annotations.txt"].decode().splitlines()
    ]
    expected = {
        "train": [(name, name.split("/")[2]) for name in train],
        "test": [(f"{TOP}/val/images/{row[0]}", row[1]) for row in table],
    }
    assert (len(loaded.train), len(loaded.test)) == (200, 20)
    for part, split in (("train", loaded.train), ("test", loaded.test)):
        assert split.shape == (64, 64, 3)
        pixels = [tf.io.decode_jpeg(files[name]).numpy() for name, _ in expected[part]]
        labels = [wnids.index(wnid) for _, wnid in expected[part]]
        assert as_pairs(split.images, split.labels) == as_pairs(pixels, labels)


def test_tiny_imagenets_classes_are_named_by_number_and_first_word(tiny):
    classes = data.load("tiny_imagenet", str(tiny)).facts.classes
    assert len(set(classes)) == 200
    assert classes[:2] == ("n01443537 thing 0", "n01443634 thing 1")
    assert tfds.builder("tiny_imagenet", data_dir=tiny).info.features["label"].names == [*classes]


def test_tiny_imagenet_is_prepared_once(tiny, monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", None)
    first, again = (data.load("tiny_imagenet", str(tiny)).train for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)
    # The files of a class stand together in the zip, but not here.
    assert (np.diff(first.labels) == 1).mean() < 0.1


def rewritten(folder: Path, changes: dict[str, bytes | None]) -> Path:
    """Writes a zip in which some files are others, or none."""
    whole = layouts.tiny_imagenet(folder / "whole", np.random.default_rng(0))
    path = folder / "data" / MANUAL / whole.name
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"wnids.txt": None}, r": something is missing \(.*wnids.txt"),
        ({"wnids.txt": b"n1\nn2\n"}, ": wnids.txt has 2 lines, not 200$"),
        (
            {"train/n01443537/images/n01443537_0.JPEG": None},
            f": {TOP}/train/n01443537/images/ holds no image$",
        ),
        (
            {"val/val_annotations.txt": b"val_0.JPEG\tn00000001\t0\t0\t1\t1\n"},
            ": val_annotations.txt gives val_0.JPEG an unknown class$",
        ),
        ({"val/images/val_7.JPEG": None}, r": something is missing \(.*val_7.JPEG"),
        (
            {"val/images/val_7.JPEG": b"\xff\xd8\xff nothing"},
            f"/{TOP}/val/images/val_7.JPEG: no JPEG that can be read$",
        ),
    ],
)
def test_a_zip_that_is_not_tiny_imagenets_is_named(tmp_path, changes, problem):
    path = rewritten(tmp_path, {f"{TOP}/{name}": content for name, content in changes.items()})
    line = refusal("tiny_imagenet", tmp_path / "data")
    assert re.match(f"{re.escape(str(path))}{problem}", line), line


@pytest.mark.parametrize("content", ["cut", b"", b"something else"])
def test_a_zip_that_is_cut_off_is_named_before_tensorflow_is_loaded(tmp_path, content):
    path = layouts.tiny_imagenet(tmp_path / MANUAL, np.random.default_rng(0))
    path.write_bytes(path.read_bytes()[:-1000] if content == "cut" else content)
    line = refusal("tiny_imagenet", tmp_path)
    assert line == f"{path}: no whole zip file"
    with pytest.raises(UserError, match="no whole zip file"):
        data.find(data.DataRequest("tiny_imagenet", str(tmp_path)))


def test_a_damaged_byte_in_the_zip_is_found(tmp_path):
    path = layouts.tiny_imagenet(tmp_path / MANUAL, np.random.default_rng(0))
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)
    assert f"{path}" in refusal("tiny_imagenet", tmp_path)


def jpegs(folder: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The images in ImageNet's tars, by their names."""
    train, valid = {}, {}
    with tarfile.open(folder / MANUAL / "ILSVRC2012_img_train.tar") as outer:
        for member in outer:
            with tarfile.open(fileobj=io.BytesIO(outer.extractfile(member).read())) as inner:
                train |= {image.name: inner.extractfile(image).read() for image in inner}
    with tarfile.open(folder / MANUAL / "ILSVRC2012_img_val.tar") as tar:
        valid |= {image.name: tar.extractfile(image).read() for image in tar}
    return train, valid


def test_imagenet_is_read_as_its_tars_have_it(imagenet):
    loaded = data.load("imagenet", str(imagenet), image_size=32)
    train, valid = jpegs(imagenet)
    wnids = layouts.imagenet_wnids()
    published = tfds.core.tfds_path("datasets/imagenet2012/validation_labels.txt")
    labels = {
        "train": [wnids.index(name.partition("_")[0]) for name in train],
        "test": [wnids.index(wnid) for wnid in published.read_text().split()[: len(valid)]],
    }
    assert loaded.facts.classes == tuple(wnids)
    assert (loaded.facts.train_images, loaded.facts.test_images) == (24, 10)
    assert (loaded.facts.image_size, loaded.facts.pad) == (32, 0)
    for part, split, files in (
        ("train", loaded.train, train.values()),
        ("test", loaded.test, (valid[name] for name in sorted(valid))),
    ):
        assert split.shape == (32, 32, 3)
        read = batches.evaluation_batches(split, 7, transform=lambda images, seed: images)
        images, found, _ = map(np.concatenate, zip(*read.as_numpy_iterator(), strict=True))
        middles = [decoding.central_crop(jpeg, 32).numpy() for jpeg in files]
        assert as_pairs(images, found) == as_pairs(middles, labels[part])


def test_the_halves_of_imagenet_are_no_blocks_of_classes(imagenet):
    first, second = data.load("imagenet", str(imagenet), image_size=8).train.portions(0.5, 0.5)
    parts = []
    for half in (first, second):
        read = half.batches(np.arange(12), 12, np.zeros((1, 2), np.int32), crop=False)
        [(_, labels, _)] = read.as_numpy_iterator()
        parts.append(set(labels.tolist()))
    assert len(parts[0] & parts[1]) >= 2


@pytest.mark.parametrize("number", [0, 1])
def test_a_tar_that_is_cut_off_is_named_before_tensorflow_is_loaded(tmp_path, number):
    layouts.imagenet(tmp_path / MANUAL, np.random.default_rng(0), classes=2)
    path = tmp_path / MANUAL / ORIGINS["imagenet"].archives[number]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 512 * 512])
    line = refusal("imagenet", tmp_path)
    assert line == f"{path}: no whole tar file"
    for content in (b"", b"something else", b"\0" * 10240):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no whole tar file"):
            data.find(data.DataRequest("imagenet", str(tmp_path)))


def test_a_truncated_jpeg_in_a_tar_is_named(tmp_path, monkeypatch):
    whole = layouts.jpeg
    count = iter(range(100))

    def cut(*how):
        made = whole(*how)
        return made[: len(made) // 2] if next(count) == 5 else made

    monkeypatch.setattr(layouts, "jpeg", cut)
    layouts.imagenet(tmp_path / MANUAL, np.random.default_rng(0), classes=2)
    wnid = layouts.imagenet_wnids()[500]
    path = tmp_path / MANUAL / "ILSVRC2012_img_train.tar"
    line = refusal("imagenet", tmp_path)
    assert line == f"{path}/{wnid}_1.JPEG: no JPEG that can be read"


def test_a_damaged_tar_of_a_class_is_named(tmp_path):
    layouts.imagenet(tmp_path / MANUAL, np.random.default_rng(0), classes=2)
    path = tmp_path / MANUAL / "ILSVRC2012_img_train.tar"
    with tarfile.open(path, "w") as outer:
        for wnid in layouts.imagenet_wnids()[:2]:
            layouts._add(outer, f"{wnid}.tar", b"no tar")
    assert refusal("imagenet", tmp_path).startswith(f"{path}: ")
