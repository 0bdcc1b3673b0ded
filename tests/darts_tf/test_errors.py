"""The exception for users' mistakes, and the hint that goes with a wrong name."""

import errno
import os

import numpy as np
import pytest

from darts_tf.errors import UserError, nearest, reason

DATASETS = ("digits", "cifar10", "cifar100", "tiny_imagenet", "imagenet")


def test_a_users_mistake_is_a_value_error():
    assert issubclass(UserError, ValueError)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0c", "\x85", "\u2028"])
def test_its_message_is_one_line_whatever_was_found(end):
    assert str(UserError(f"--run_dir=a{end}b: a file")) == "--run_dir=a b: a file"


@pytest.mark.parametrize("name", DATASETS)
def test_a_slip_of_one_letter_finds_the_name(name, seed):
    rng = np.random.default_rng(seed)
    place = int(rng.integers(len(name)))
    slips = [name[:place] + name[place + 1 :], name[:place] + "x" + name[place:], name.upper()]
    for slip in slips:
        assert nearest(slip, [name, "qqqqqqqq"]) == f" Did you mean '{name}'?", slip


def test_of_two_names_the_more_similar_one_is_meant():
    assert nearest("cifar_100", DATASETS) == " Did you mean 'cifar100'?"
    assert nearest("tiny-imagenet", DATASETS) == " Did you mean 'tiny_imagenet'?"


def test_the_hint_has_the_spelling_that_would_be_right():
    assert nearest("darts_v1", ["DARTS_V1"]) == " Did you mean 'DARTS_V1'?"


def test_no_hint_when_nothing_is_similar():
    assert nearest("wxyz", DATASETS) == ""
    assert nearest("", DATASETS) == ""
    assert nearest("digits", []) == ""


def test_the_names_may_come_from_an_iterator():
    assert nearest("digit", iter(DATASETS)) == " Did you mean 'digits'?"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_where_there_is_no_room_room_would_be_right(number):
    text = reason(OSError(number, os.strerror(number)), "expected another file")
    assert text == f"{os.strerror(number)}; make room, then run the same command again to resume"


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), OSError("no")])
def test_elsewhere_the_caller_says_what_would_be_right(error):
    assert reason(error, "expected another file") == "no; expected another file"
