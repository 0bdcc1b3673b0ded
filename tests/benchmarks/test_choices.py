"""What the paper leaves open: the choices are what they say, and the page has their table."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest

from darts_tf.data.augment.transforms import search_transform
from darts_tf.data.batches import endless_batches
from darts_tf.data.datasets import as_dataset
from darts_tf.runs.history import EpochRecord
from darts_tf.supernet.operations import SepConv

choices = pytest.importorskip("benchmarks.choices")  # not in the wheel
table = pytest.importorskip("benchmarks.table")

PAGE = (Path(choices.__file__).parents[1] / "docs" / "paper.md").read_text(encoding="utf-8")
ROWS = table.read(Path(choices.__file__).parent / "results" / "choices.csv", choices.COLUMNS)


def test_the_page_has_the_table_of_the_results():
    text = table.markdown(choices.SUMMARY, choices.summary(ROWS))
    assert f"<!-- choices -->\n\n{text}\n\n<!-- end of choices -->" in PAGE


def test_the_results_of_the_recorded_searches_are_current():
    found = [row for search in choices.recorded() for row in choices.stops(*search)]
    assert found == [row for row in ROWS if row["search"] in choices.RECORDED]
    assert {row["seed"] for row in ROWS if row["search"] == choices.HERE} == {"0", "1", "2"}


def test_each_batch_is_the_first_one_of_a_new_order(seed):
    images = np.zeros((10, 8, 8, 1), np.uint8) + np.arange(10, dtype=np.uint8)[:, None, None, None]
    data = as_dataset(((images, np.arange(10)), (images, np.arange(10))))
    batches = choices.anew(endless_batches)(
        data.train,
        4,
        seed=seed,
        first_step=3,
        steps=2,
        first_image=12,
        transform=search_transform(data.facts),
    )
    drawn = [np.asarray(labels) for _, labels, _ in batches]
    # A permutation's key is the seed, the stream, which is 2, and its number.
    orders = [np.random.default_rng([seed, 2, number]).permutation(10) for number in (3, 4)]
    right = [data.train.labels[order[:4]] for order in orders]
    np.testing.assert_array_equal(drawn, right)


def test_kernels_of_old_start_within_a_smaller_bound(seed):
    keras.utils.set_random_seed(seed)
    layer = SepConv(16, 5)
    kernel = np.asarray(choices.smaller(layer, "kernel", 5, 16))
    bound = 1 / math.sqrt(5 * 5 * 16)
    assert kernel.shape == (5, 5, 16, 1)
    assert 0.9 * bound < np.abs(kernel).max() <= bound


def test_a_summary_has_the_epochs_of_all_seeds():
    values = [("digits", "0", "Criterion 1, normal cell", "3")]
    values += [("digits", "1", "Criterion 1, normal cell", "")]
    values += [("S3, DARTS", "100", "Criterion 1, normal cell", "0")]
    rows = [dict(zip(choices.COLUMNS, row, strict=True)) for row in values]
    [line] = choices.summary(rows)
    assert (line["digits"], line["S3, DARTS"], line[choices.SMALLER]) == ("3 -", "0", "")


def test_readings_differ_as_they_say():
    from darts_tf import zoo

    genotype = zoo.get("DARTS_V2")
    rows = np.tile(np.arange(8.0), (14, 1))
    swapped = rows.copy()
    swapped[:, [4, 5]] = swapped[:, [5, 4]]  # the two weakest of the four convolutions
    tables = [swapped if epoch == 3 else rows for epoch in range(12)]
    records = [
        EpochRecord(
            epoch,
            {"normal": tuple(map(tuple, one)), "reduce": tuple(map(tuple, rows))},
            {"normal": 2 * (epoch > 6), "reduce": 2 * (epoch > 4)},
            {},
            genotype=genotype,
            moved={"normal": 1.0, "reduce": 1.0},
        )
        for epoch, one in enumerate(tables)
    ]
    found = {row["reading"]: row["stop_epoch"] for row in choices.stops("digits", 0, records)}
    assert found["Criterion 1, normal cell"] == "7"
    assert found["Criterion 1, reduction cell"] == found["Criterion 1, any cell"] == "5"
    assert found[r"Criterion 1\*, best only, 5 comparisons"] == "5"
    assert found[r"Criterion 1\*, best only, 4 comparisons"] == "4"
    assert found[r"Criterion 1\*, all ranks, 5 comparisons"] == "9"
