"""Logs of DARTS and of programs made from it, in the forms in which they write them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.runs.search_log import read_search_log
from tests.search_logs import call, darts_log, later_log
from tests.stopping import genotype


@pytest.fixture
def read(tmp_path):
    def reading(text):
        path = tmp_path / "log.txt"
        path.write_text(text)
        return read_search_log(path)

    return reading


def test_a_genotype_before_the_accuracies_is_that_of_the_epoch_before(read):
    records = read(darts_log([0, 1, 2, 3]))
    assert [record.epoch for record in records] == [0, 1, 2]
    assert [record.skip_connects["normal"] for record in records] == [1, 2, 3]
    assert [record.valid_accuracy for record in records] == pytest.approx([0.2, 0.21, 0.22])
    assert [record.train_accuracy for record in records] == pytest.approx([0.1, 0.11, 0.12])
    assert all(r.alphas == r.stable_epochs == {} and r.counts_from is None for r in records)
    assert records[2].genotype == genotype(3)


def test_a_genotype_after_the_last_epoch_is_that_of_the_last_epoch(read):
    records = read(darts_log([0, 1, 2]) + f"07/22 03:00:00 PM genotype = {call(4, 1)}\n")
    assert [record.skip_connects["normal"] for record in records] == [1, 2, 4]


def test_a_genotype_after_the_accuracies_is_that_of_its_own_epoch(read):
    records = read(later_log([0, 1, 2]))
    assert [record.epoch for record in records] == [0, 1, 2]
    assert [record.skip_connects["normal"] for record in records] == [0, 1, 2]


def test_without_validation_the_training_accuracy_tells_the_place(read):
    text = darts_log([0, 1, 2])
    lines = [line for line in text.splitlines(keepends=True) if "valid" not in line]
    records = read("".join(lines))
    assert [(r.valid_accuracy, r.skip_connects["normal"]) for r in records] == [
        (None, 1),
        (None, 2),
    ]


@pytest.mark.parametrize(
    "date", ["", "[2019-07-22 14:22:53] ", "2019-07-22T14:22:53Z INFO ", "07/22 02:22:53 PM | "]
)
def test_dates_come_in_many_forms(date, read):
    text = later_log([0, 2]).replace("2019-07-22 14:22:53,408 ", date)
    assert [record.skip_connects["normal"] for record in read(text)] == [0, 2]


def test_names_of_p_darts_and_shares_are_read(read):
    text = re.sub(r"(train|valid)_acc (\d+)\.0+", r"\1_acc 0.\2", later_log([0, 2]))
    text = text.replace("epoch", "Epoch:").replace("valid_", "Valid_").replace("train_", "Train_")
    assert [record.valid_accuracy for record in read(text)] == pytest.approx([0.2, 0.21])


def test_a_search_that_was_resumed_goes_back(read):
    text = later_log([0, 1, 2, 3]) + "".join(
        line for line in later_log([0, 0, 4]).partition("epoch 2")[1:]
    )
    assert [record.skip_connects["normal"] for record in read(text)] == [0, 1, 4]


def test_a_last_line_that_was_cut_off_is_left_out(read):
    text = later_log([0, 1, 2])
    assert len(read(text[:-40])) == 2


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: text.replace("sep_conv_3x3", "sep_conv_9x9", 1), r"line 4: .*sep_conv_9x9"),
        (lambda text: text.replace("range(2, 6))", "range(2, 6)"), r"line 4: .*closing paren"),
        (lambda text: text.replace("range(2, 6)", "open('x')", 1), r"line 4: .*names and numbers"),
        (lambda text: text.replace("acc 10.", "acc x10."), r"line 2: expected train_acc from 0"),
        (lambda text: text.replace("acc 20.", "acc 220."), r"line 3: expected valid_acc from 0"),
        (lambda text: text.replace("epoch 1", "epoch 3"), r"line 5: expected epoch 1 after epoch"),
        (lambda text: text.replace("genotype", "cells"), r"with genotypes of its epochs, got none"),
        (lambda text: text.replace("epoch", "round"), r"with lines such as 'epoch 0', got none"),
        (lambda text: "", "got none"),
        (lambda text: "\0\xff" * 50, "got none"),
    ],
    ids=["name", "parenthesis", "code", "word", "percent", "gap", "no cells", "none", "empty", "0"],
)
def test_a_spoiled_log_is_told_in_one_line(spoil, what, read):
    with pytest.raises(UserError, match=what) as error:
        read(spoil(later_log([0, 1])))
    assert "log.txt" in str(error.value)
    assert "\n" not in str(error.value)


def test_long_lines_without_sense_take_no_time(read):
    with pytest.raises(UserError, match="got none"):
        read("".join(f"{sign * 90_000}x\n" for sign in (" ", "1", "[", ": ", "- ]", "PM")))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match=r"none\.txt: No such file"):
        read_search_log(tmp_path / "none.txt")


@pytest.mark.parametrize("log", [darts_log, later_log])
def test_a_log_spoiled_anywhere_is_read_or_told_in_one_line(log, tmp_path, seed):
    random = np.random.default_rng(seed)
    path, whole = tmp_path / "log.txt", log([0, 1, 2]).encode()
    told = []
    for _ in range(200):
        spoiled = bytearray(whole)
        for place in random.integers(0, len(whole), 1 + random.integers(4)):
            spoiled[place] = random.choice(list(b"0e()[],'\"\n =_\xff"))
        path.write_bytes(spoiled)
        try:
            assert read_search_log(path)
        except UserError as error:
            told.append(str(error))
    assert told
    assert not any("\n" in line for line in told)
