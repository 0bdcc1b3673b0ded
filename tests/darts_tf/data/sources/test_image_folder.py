"""Which files of a folder belong to which class and split, by their names alone."""

import os
import re
from pathlib import Path

import pytest

from darts_tf import data
from darts_tf.data.datasets import run_name
from darts_tf.data.sources.image_folder import scan
from darts_tf.errors import UserError


def fill(folder: Path, **classes: int) -> Path:
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number:02}.png").touch()
    return folder


def names(images) -> list[tuple[str, int]]:
    return [(path.stem, label) for path, label in images]


def find(path: Path | str, size: int = 8) -> data.LazyDataset:
    return data.find(data.DataRequest(f"image_folder:{path}", image_size=size))


def test_the_path_may_hold_colons_and_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "b:c", a=5, b=5)
    assert find("~/b:c").facts.name == "image_folder:~/b:c"
    with pytest.raises(UserError, match=r"^dataset: expected image_folder:PATH, got 'image_f"):
        data.find("image_folder:")
    with pytest.raises(UserError, match=r"got ~nobody-here/photos: no such user's home"):
        find("~nobody-here/photos")


@pytest.mark.parametrize(
    ("size", "stem", "policy"),
    [
        (8, "cifar", "cifar"),
        (48, "cifar", "cifar"),
        (49, "tiny_imagenet", "imagenet"),
        (96, "tiny_imagenet", "imagenet"),
        (97, "imagenet", "imagenet"),
    ],
)
def test_the_recipe_is_cifars_in_proportion_to_the_size(tmp_path, size, stem, policy):
    facts = find(fill(tmp_path, b=6, a=6), size).facts
    assert facts.name == f"image_folder:{tmp_path}"
    assert (facts.image_size, facts.classes) == (size, ("a", "b"))
    assert (facts.train_images, facts.test_images) == (10, 2)
    assert (facts.stem, facts.policy, facts.crop, facts.flip) == (stem, policy, "pad", True)
    assert facts.pad == pytest.approx(4 * size / 32, abs=0.5)
    assert facts.cutout == pytest.approx(16 * size / 32, abs=0.5)


@pytest.mark.parametrize("size", [0, 7, 2**15 + 1, 10**400])
def test_the_size_is_asked_for_and_bounded(tmp_path, size):
    fill(tmp_path, a=5, b=5)
    assert find(tmp_path, 2**15).facts.image_size == 2**15
    with pytest.raises(UserError, match=rf"^image_size: .*expected .*, got {size}$"):
        find(tmp_path, size)


def test_a_run_is_named_like_the_folder(tmp_path, monkeypatch):
    assert run_name(f"image_folder:{tmp_path}/flowers/") == "flowers"
    monkeypatch.chdir(tmp_path)
    assert run_name("image_folder:.") == tmp_path.name
    assert run_name("image_folder:/") == "image_folder"


def test_every_fifth_image_of_each_class_is_a_test_image(tmp_path):
    files = scan(fill(tmp_path, zebra=2, ant=11))
    assert files.classes == ("ant", "zebra")
    assert names(files.test) == [("04", 0), ("09", 0)]
    ants = [f"{number:02}" for number in (0, 1, 2, 3, 5, 6, 7, 8, 10)]
    zebras = [(f"{number:02}", 1) for number in range(2)]
    assert names(files.train) == [(name, 0) for name in ants] + zebras


@pytest.mark.parametrize("number", [3, 4])
def test_a_small_class_has_a_test_image_where_two_are_left_to_train_with(tmp_path, number):
    files = scan(fill(tmp_path, ant=number, bee=10))
    assert names(files.test)[0] == (f"{number - 1:02}", 0)
    assert sum(label == 0 for _, label in files.train) == number - 1


@pytest.mark.parametrize("test", ["test", "val"])
def test_folders_of_that_name_are_the_splits(tmp_path, test):
    fill(tmp_path / "train", b=3, a=2)
    fill(tmp_path / test, a=1, b=1)
    files = scan(tmp_path)
    assert files.classes == ("a", "b")
    assert names(files.train) == [("00", 0), ("01", 0), ("00", 1), ("01", 1), ("02", 1)]
    assert names(files.test) == [("00", 0), ("00", 1)]
    assert all(tmp_path / test in path.parents for path, _ in files.test)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("train", "validation"),
        ("train", "valid"),
        ("training", "testing"),
        ("Training", "Validation"),
    ],
)
def test_splits_have_several_names_in_capitals_or_not(tmp_path, train, test):
    fill(tmp_path / train, b=3, a=2)
    fill(tmp_path / test, a=1, b=1)
    files = scan(tmp_path)
    assert (files.classes, len(files.train), len(files.test)) == (("a", "b"), 5, 2)
    assert not files.passed_over


def test_a_test_without_classes_gives_way_to_val_and_then_to_every_fifth(tmp_path):
    fill(tmp_path, test=5)
    fill(tmp_path / "train", b=5, a=5)
    files = scan(tmp_path)
    assert names(files.test) == [("04", 0), ("04", 1)]
    assert dict(files.passed_over) == {"in folder test": 5}
    fill(tmp_path / "val", a=2, b=1)
    files = scan(tmp_path)
    assert (len(files.train), len(files.test)) == (10, 3)
    assert all(tmp_path / "val" in path.parents for path, _ in files.test)


def test_of_test_and_val_test_counts_and_the_other_is_told(tmp_path):
    for name in ("train", "val", "test"):
        fill(tmp_path / name, b=3, a=2)
    fill(tmp_path, docs=1)
    files = scan(tmp_path)
    assert all(tmp_path / "test" in path.parents for path, _ in files.test)
    assert dict(files.passed_over) == {"in folder docs": 1, "in folder val": 5}


def test_a_lone_train_is_the_whole(tmp_path):
    fill(tmp_path / "train", b=5, a=5)
    files = scan(tmp_path)
    assert (files.classes, len(files.train), len(files.test)) == (("a", "b"), 8, 2)


def test_two_folders_for_one_split_are_refused(tmp_path):
    for name in ("train", "Training", "val"):
        fill(tmp_path / name, b=3, a=2)
    with pytest.raises(UserError, match=r"one folder of the names train, training in .*, got Tr"):
        scan(tmp_path)


def test_what_systems_leave_behind_is_no_class_and_no_image(tmp_path):
    fill(tmp_path, a=5, b=5)
    for junk in ("__MACOSX", "@eaDir", "$RECYCLE.BIN", ".ipynb_checkpoints"):
        fill(tmp_path / junk, a=3)
        fill(tmp_path / "a", **{junk: 2})
    (tmp_path / "a" / "._00.png").touch()
    (tmp_path / "a" / "Thumbs.db").touch()
    files = scan(tmp_path)
    assert (files.classes, len(files.train), len(files.test)) == (("a", "b"), 8, 2)
    assert dict(files.passed_over) == {"hidden": 5, "that end in .db": 1}


def test_what_is_passed_over_is_counted_by_why(tmp_path):
    fill(tmp_path, a=5, b=5)
    fill(tmp_path / "a", more=4)
    fill(tmp_path / "a" / "more", deeper=3)
    for name in ("1.tif", "2.TIF", "3.heic", "notes"):
        (tmp_path / "b" / name).touch()
    assert dict(scan(tmp_path).passed_over) == {
        "in folders within a class folder": 7,
        "that end in .tif": 2,
        "that end in .heic": 1,
        "without an ending": 1,
    }


def test_a_class_whose_images_lie_deeper_is_refused_with_what_is_there(tmp_path):
    fill(tmp_path, plane=5)
    fill(tmp_path / "trainings", a=4, b=3)
    with pytest.raises(UserError) as caught:
        scan(tmp_path)
    assert "got none but 7 in folders within a class folder. Folders that are" in str(caught.value)
    assert "are called train, training; test, testing, val, valid, val" in str(caught.value)


def test_a_class_may_be_called_train(tmp_path):
    assert scan(fill(tmp_path, train=5, plane=5)).classes == ("plane", "train")


def test_suffixes_in_capitals_count_and_other_or_hidden_files_do_not(tmp_path):
    fill(tmp_path, a=4, b=4)
    images = ("04.JPG", "05.jpeg", "06.bmp", "07.GIF", "09.WebP", "10.jfif", "11.JPE")
    for name in (*images, "notes.txt", ".08.png", "png"):
        (tmp_path / "a" / name).touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "read.me").touch()
    files = scan(tmp_path)
    assert files.classes == ("a", "b")
    assert [path.name for path, label in (*files.train, *files.test) if label == 0] == [
        *("00.png", "01.png", "02.png", "03.png", "05.jpeg", "06.bmp", "07.GIF", "09.WebP"),
        *("11.JPE", "04.JPG", "10.jfif"),
    ]


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        ({}, "a folder for each of at least two classes in {path}, got none"),
        ({"a": 9}, "a folder for each of at least two classes in {path}, got only one, a"),
        ({"a": 9, "b": 0}, "images in class folder {path}/b, files that end in .jpg, .jpeg, "),
        ({"a": 2, "b": 1}, "3 images, the last of which is for the test, in one of the class "),
    ],
)
def test_a_folder_that_cannot_be_used_ends_in_a_line_that_names_it(tmp_path, classes, line):
    fill(tmp_path, **classes)
    with pytest.raises(UserError) as caught:
        scan(tmp_path)
    assert str(caught.value).startswith(f"dataset: expected {line.format(path=tmp_path)}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("train", "test"), [("abc", "ab"), ("ab", "abc")])
def test_both_splits_have_the_same_classes(tmp_path, train, test):
    fill(tmp_path / "train", **dict.fromkeys(train, 1))
    fill(tmp_path / "test", **dict.fromkeys(test, 1))
    there, missing = ("train", "test") if "c" in train else ("test", "train")
    line = f"got 'c' in {tmp_path / there} but not in {tmp_path / missing}"
    with pytest.raises(UserError, match=re.escape(line)):
        scan(tmp_path)


def test_a_place_that_is_no_folder_or_cannot_be_read_is_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=re.escape(f"got {tmp_path}/nothing, which is no folder")):
        scan(tmp_path / "nothing")
    fill(tmp_path, a=5, b=5)

    def refuse(path):
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=re.escape(f"got {tmp_path}: Permission denied")):
        scan(tmp_path)
