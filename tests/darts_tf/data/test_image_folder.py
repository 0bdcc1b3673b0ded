"""Which files of a folder belong to which class and split, by their names alone."""

import os
import re
from pathlib import Path

import pytest

from darts_tf.data.image_folder import path_of, scan
from darts_tf.errors import UserError


def fill(folder: Path, **classes: int) -> Path:
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number:02}.png").touch()
    return folder


def names(images) -> list[tuple[str, int]]:
    return [(path.stem, label) for path, label in images]


def test_only_a_name_with_the_prefix_is_a_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert path_of("cifar10") is None
    assert path_of("image_folder:a/b:c") == Path("a/b:c")
    assert path_of("image_folder:~/photos") == Path("/home/me/photos")
    with pytest.raises(
        UserError, match=r"^dataset: image_folder:PATH names a folder, found 'image"
    ):
        path_of("image_folder:")
    with pytest.raises(UserError, match=r"^dataset: ~nobody-here/photos: no such user's home"):
        path_of("image_folder:~nobody-here/photos")


def test_every_fifth_image_of_each_class_is_a_test_image(tmp_path):
    found = scan(fill(tmp_path, zebra=4, ant=11))
    assert found.classes == ("ant", "zebra")
    assert names(found.test) == [("04", 0), ("09", 0)]
    ants = [f"{number:02}" for number in (0, 1, 2, 3, 5, 6, 7, 8, 10)]
    zebras = [(f"{number:02}", 1) for number in range(4)]
    assert names(found.train) == [(name, 0) for name in ants] + zebras


@pytest.mark.parametrize("test", ["test", "val"])
def test_folders_of_that_name_are_the_splits(tmp_path, test):
    fill(tmp_path / "train", b=3, a=2)
    fill(tmp_path / test, a=1, b=1)
    found = scan(tmp_path)
    assert found.classes == ("a", "b")
    assert names(found.train) == [("00", 0), ("01", 0), ("00", 1), ("01", 1), ("02", 1)]
    assert names(found.test) == [("00", 0), ("00", 1)]
    assert all(tmp_path / test in path.parents for path, _ in found.test)


def test_a_class_may_be_called_train(tmp_path):
    assert scan(fill(tmp_path, train=5, plane=5)).classes == ("plane", "train")


def test_suffixes_in_capitals_count_and_other_or_hidden_files_do_not(tmp_path):
    fill(tmp_path, a=4, b=4)
    for name in ("04.JPG", "05.jpeg", "06.bmp", "07.GIF", "notes.txt", ".08.png", "png"):
        (tmp_path / "a" / name).touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "read.me").touch()
    found = scan(tmp_path)
    assert found.classes == ("a", "b")
    assert [path.name for path, label in (*found.train, *found.test) if label == 0] == [
        *("00.png", "01.png", "02.png", "03.png", "05.jpeg", "06.bmp", "07.GIF", "04.JPG")
    ]


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        ({}, "{path} must hold a folder for each of at least two classes, found none"),
        ({"a": 9}, "{path} must hold a folder for each of at least two classes, found only one, a"),
        ({"a": 9, "b": 0}, "class folder {path}/b holds no image; files that end in .jpg, .jpeg, "),
        ({"a": 4, "b": 3}, "no class folder in {path} holds 5 images, the last of which "),
    ],
)
def test_a_folder_that_cannot_be_used_ends_in_a_line_that_names_it(tmp_path, classes, line):
    fill(tmp_path, **classes)
    with pytest.raises(UserError) as caught:
        scan(tmp_path)
    assert str(caught.value).startswith(f"dataset: {line.format(path=tmp_path)}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("train", "test"), [("abc", "ab"), ("ab", "abc")])
def test_both_splits_have_the_same_classes(tmp_path, train, test):
    fill(tmp_path / "train", **dict.fromkeys(train, 1))
    fill(tmp_path / "test", **dict.fromkeys(test, 1))
    there, missing = ("train", "test") if "c" in train else ("test", "train")
    line = f"class 'c' is in {tmp_path / there} but not in {tmp_path / missing}"
    with pytest.raises(UserError, match=re.escape(line)):
        scan(tmp_path)


def test_a_place_that_is_no_folder_or_cannot_be_read_is_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=re.escape(f"dataset: {tmp_path}/nothing is no folder")):
        scan(tmp_path / "nothing")
    fill(tmp_path, a=5, b=5)

    def refuse(path):
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=re.escape(f"dataset: {tmp_path}: Permission denied")):
        scan(tmp_path)
