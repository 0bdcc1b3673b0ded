"""Errors in the midst of a pipeline: one line where images are lost, as they are elsewhere."""

import pytest
import tensorflow as tf

from darts_tf.data.reading import each, explained
from darts_tf.errors import UserError


def pipeline(function):
    return tf.data.Dataset.range(4).map(
        lambda number: tf.numpy_function(function, [number], tf.int64)
    )


def test_what_can_be_read_is_yielded():
    assert [int(number) for number in each(tf.data.Dataset.range(4), "here")] == [0, 1, 2, 3]


def test_a_lost_file_is_named(tmp_path):
    lost = tmp_path / "lost"
    with pytest.raises(UserError) as caught:
        list(each(tf.data.TFRecordDataset(str(lost)), "here"))
    text = str(caught.value)
    assert text.startswith(f"here: cannot be read ({lost}; No such file or directory); restore ")


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "file"
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(b"record")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"^here: cannot be read \([^{]*truncated[^{\[]*\); re"):
        list(each(tf.data.TFRecordDataset(str(file)), "here"))


def test_an_error_of_ours_is_told_in_its_own_words():
    def read(number):
        if number == 2:
            raise UserError("a/file: is gone; put it back")
        return number

    read_so_far = []
    with pytest.raises(UserError, match=r"^a/file: is gone; put it back$"):
        read_so_far.extend(map(int, each(pipeline(read), "here")))
    assert read_so_far == [0, 1]


def test_a_bug_stays_what_it_is():
    def read(number):
        raise ValueError("a bug")

    with pytest.raises(tf.errors.InvalidArgumentError, match="a bug"):
        list(each(pipeline(read), "here"))
    with pytest.raises(ZeroDivisionError), explained("here"):
        raise ZeroDivisionError
