"""Texts of one's own: how they are found, numbered, and cut into windows."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import datasets
from darts_tf.data.batches import endless_batches, evaluation_batches, training_batches
from darts_tf.data.sources.text_file import END
from darts_tf.data.text import TextSplit
from darts_tf.errors import UserError
from tests import texts


def unchanged(windows, seed):
    return windows


def words_of(dataset, split):
    return [dataset.facts.classes[number] for number in split.words]


def test_a_file_is_divided_by_its_lines_into_words_and_ends(seed, tmp_path):
    dataset = datasets.load(texts.write(tmp_path, seed, lines=50))
    lines = [[*line.split(), END] for line in texts.sentences(seed, 50)]
    parts = lines[:40], lines[40:45], lines[45:]
    splits = dataset.train, dataset.train.valid, dataset.test
    for part, split in zip(parts, splits, strict=True):
        assert words_of(dataset, split) == [*chain.from_iterable(part)]
    facts = dataset.facts
    assert facts.kind == "text"
    assert facts.classes == tuple(dict.fromkeys(chain.from_iterable(lines)))
    assert (facts.train_images, facts.test_images) == (len(splits[0]), len(splits[2]))


def test_a_folder_has_three_files_and_one_vocabulary(tmp_path):
    for name, text in {"train": "a b\n\nb  c \n", "valid": "d\n", "test": "a d e"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    dataset = datasets.load(f"text_file:{tmp_path}")
    assert words_of(dataset, dataset.train) == ["a", "b", END, END, "b", "c", END]
    assert words_of(dataset, dataset.train.valid) == ["d", END]
    assert words_of(dataset, dataset.test) == ["a", "d", "e", END]
    assert dataset.facts.classes == ("a", "b", END, "c", "d", "e")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "got no file"), ("", "expected two words or more in the part to train on, got 0")],
)
def test_what_is_no_text_is_told_in_one_line(content, message, tmp_path):
    if content is not None:
        (tmp_path / "text.txt").write_text(content)
    with pytest.raises(UserError, match=message) as error:
        datasets.find(f"text_file:{tmp_path / 'text.txt'}")
    assert len(str(error.value).splitlines()) == 1


def test_bytes_that_are_no_text_are_told_in_one_line(tmp_path):
    (tmp_path / "text.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="expected a text in UTF-8") as error:
        datasets.find(f"text_file:{tmp_path / 'text.txt'}")
    assert len(str(error.value).splitlines()) == 1


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 40))
def test_rows_are_stretches_of_the_text_that_go_on_from_batch_to_batch(rows, window, more):
    text = np.arange(rows * (window + 1) + more, dtype=np.int32)
    split = TextSplit(text, stream=1).arranged(rows, window)
    length = len(text) // rows
    windows, labels = split.windows(np.arange(len(split)))
    assert len(split) == rows * ((length - 1) // window)
    assert set(windows[:, 0]) == {1}
    for row in range(rows):
        own, following = windows[row::rows], labels[row::rows]
        stretch = text[row * length : (row + 1) * length]
        count = len(own) * window
        np.testing.assert_array_equal(own[:, 1], np.arange(len(own)))
        np.testing.assert_array_equal(own[:, 2:].reshape(-1), stretch[:count])
        np.testing.assert_array_equal(following.reshape(-1), stretch[1 : count + 1])
        assert length - 1 - count < window


def test_epochs_keep_the_order_and_endless_batches_begin_again():
    split = TextSplit(np.arange(24, dtype=np.int32)).arranged(2, 3)
    given = {"batch_size": 2, "transform": unchanged}
    evaluated = [batch[0].numpy() for batch in evaluation_batches(split, **given)]
    trained = [*training_batches(split, seed=3, epoch=5, **given)]
    assert len(trained) == len(evaluated) == 3
    for batch, right in zip(trained, evaluated, strict=True):
        np.testing.assert_array_equal(batch[0], right)
        np.testing.assert_allclose(batch[2], np.full((2, 3), 1 / 6), rtol=1e-6)
    endless = [*endless_batches(split, seed=3, first_step=2, steps=5, **given)]
    for number, batch in enumerate(endless, start=2):
        np.testing.assert_array_equal(batch[0], evaluated[number % 3])
    [later] = training_batches(split, seed=3, epoch=5, first_step=2, **given)
    np.testing.assert_array_equal(later[0], evaluated[2])


def test_a_text_is_too_short_for_its_rows_or_has_none_to_validate_on():
    text = TextSplit(np.arange(11, dtype=np.int32))
    with pytest.raises(UserError, match="batch_size: expected rows of more than text_bptt=3"):
        text.arranged(3, 3)
    assert len(text.arranged(2, 3)) == 2
    with pytest.raises(UserError, match="another one to validate on"):
        text.portions(0.5)
    with pytest.raises(UserError, match="expected batches of batch_size=2"):
        text.arranged(2, 3).batches(np.arange(3), 3, np.zeros((1, 2), np.int32), crop=False)
