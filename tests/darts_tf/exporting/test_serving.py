"""The version folders of an export, the next free number and what is in the way; batching."""

import os
import re

import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.exporting import serving
from darts_tf.exporting.serving import batching_parameters, publish, version_folder


@pytest.fixture
def output(tmp_path):
    return tmp_path / "served" / "digits"


def make(output, *names):
    for name in names:
        (output / name).mkdir(parents=True)


def test_the_first_version_is_1_and_nothing_is_made(output):
    assert version_folder(output) == output / "1"
    assert version_folder(str(output)) == output / "1"
    assert not output.parent.exists()


def test_the_next_version_follows_the_greatest_number(output, seed):
    numbers = np.random.default_rng(seed).choice(np.arange(1, 200), 5, replace=False)
    make(output, *map(str, numbers))
    assert version_folder(output) == output / str(max(numbers) + 1)


def test_names_that_are_no_number_do_not_count(output):
    make(output, "2", "9a", "-8", "1.5", "tmp", "\N{SUPERSCRIPT SEVEN}")
    assert version_folder(output) == output / "3"


def test_a_version_of_ones_own_may_leave_a_gap(output):
    make(output, "2")
    assert version_folder(output, 1) == output / "1"
    assert version_folder(output, 20240101) == output / "20240101"


def test_a_version_that_exists_is_refused_and_a_free_one_named(output):
    make(output, "1", "7")
    with pytest.raises(
        UserError, match=r"--version=7: exists in .*digits; expected a new number, such as 8"
    ):
        version_folder(output, 7)


def test_a_version_written_with_zeros_is_the_same_version(output):
    make(output, "007")
    with pytest.raises(UserError, match="--version=7: exists"):
        version_folder(output, 7)


@pytest.mark.parametrize("version", [0, -3])
def test_a_version_below_1_is_refused(output, version):
    with pytest.raises(UserError, match=f"--version: expected at least 1, got {version}"):
        version_folder(output, version)


def test_a_file_named_like_a_version_is_in_its_way(output):
    make(output, "1")
    (output / "2").write_text("a file")
    assert version_folder(output) == output / "3"
    with pytest.raises(UserError, match="--version=2: exists"):
        version_folder(output, 2)


@pytest.mark.parametrize("below", [".", "digits", "digits/more"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, below):
    (tmp_path / "file").write_text("a file")
    output = tmp_path / "file" / below
    with pytest.raises(UserError, match=r"^--output=.*/file is a file; expected a folder"):
        version_folder(output)


def test_a_relative_folder_is_where_the_user_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "here", "4")
    assert version_folder("here").resolve() == tmp_path.resolve() / "here" / "5"
    assert version_folder("there").resolve() == tmp_path.resolve() / "there" / "1"
    (tmp_path / "there").write_text("a file")
    with pytest.raises(UserError, match="--output=there: there is a file"):
        version_folder("there")


def test_a_link_that_leads_nowhere_is_in_the_way(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match=r"--output=.*link is a broken link"):
        version_folder(tmp_path / "link")


def test_a_folder_without_permission_is_named(output, monkeypatch):
    make(output, "1")
    # Root may write everywhere, so the answer of the system is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: os.fspath(path) != os.fspath(output))
    with pytest.raises(UserError, match=r"no permission to write in .*digits"):
        version_folder(output)
    assert version_folder(output.parent) == output.parent / "1"


def written(output, name, content):
    folder = output / f".export-{name}"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    return folder


def test_what_is_published_takes_its_number_with_all_its_files(output):
    first = publish(written(output, "a", "first"), output, None)
    chosen = publish(written(output, "b", "chosen"), output, 9)
    assert (first, chosen) == (output / "1", output / "9")
    assert [(folder / "saved_model.pb").read_text() for folder in (first, chosen)] == [
        "first",
        "chosen",
    ]
    assert sorted(path.name for path in output.iterdir()) == ["1", "9"]


def test_a_version_that_has_come_up_meanwhile_is_not_replaced(output):
    publish(written(output, "a", "first"), output, 4)
    with pytest.raises(UserError, match="--version=4: exists"):
        publish(written(output, "b", "second"), output, 4)
    assert (output / "4" / "saved_model.pb").read_text() == "first"


@pytest.mark.parametrize("version", [None, 1])
def test_a_number_that_another_export_takes_at_the_last_moment_is_left_to_it(
    output, monkeypatch, version
):
    rival, ours = written(output, "rival", "rival"), written(output, "ours", "ours")

    def and_then_the_rival(directory, version=None):
        folder = version_folder(directory, version)
        if rival.exists():
            rival.rename(folder)
        return folder

    monkeypatch.setattr(serving, "version_folder", and_then_the_rival)
    if version is None:
        assert publish(ours, output, version) == output / "2"
    else:
        with pytest.raises(UserError, match="--version=1: exists"):
            publish(ours, output, version)
    assert (output / "1" / "saved_model.pb").read_text() == "rival"


def test_batching_parameters_follow_the_rules_of_the_server():
    wrapped = {"max_batch_size", "batch_timeout_micros", "max_enqueued_batches"}
    values, sizes = {}, []
    for line in batching_parameters().splitlines():
        if found := re.fullmatch(r"(\w+) \{ value: (\d+) \}", line):
            values[found[1]] = int(found[2])
        else:
            sizes.append(int(re.fullmatch(r"allowed_batch_sizes: (\d+)", line)[1]))
    assert set(values) == wrapped
    assert min(values.values()) > 0
    # The sizes rise, and end with the greatest.
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (1, values["max_batch_size"])
