"""The line of an epoch: what it tells, and that it fits 100 columns whatever the values are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.runs.history import EpochRecord
from darts_tf.runs.progress import duration, search_line, seconds_left, training_line
from darts_tf.searching.criteria import SkipConnects, StableRanking, never, state
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SHARES = st.floats(0, 1)
WHOLE = st.integers(0, 10**30)
SECONDS = st.floats(0, 1e12)


def record(epoch=0, skips=0, stable=0, cells=CELLS, **known):
    return EpochRecord(
        epoch=epoch,
        alphas={},
        skip_connects=dict.fromkeys(cells, skips),
        stable_epochs=dict.fromkeys(cells, (stable,) * 14),
        **known,
    )


LEARNT = {
    "train_loss": 0.5234,
    "train_accuracy": 0.8214,
    "valid_loss": 0.601,
    "valid_accuracy": 0.79,
}


def test_a_search_on_its_way_is_told_in_one_line():
    records = [record(12, 1, 4, **LEARNT)]
    numbers = "epoch 12: train 0.523 82.1%, valid 0.601 79.0%"
    assert search_line(records[-1], state(SkipConnects(), records), 7920) == (
        f"{numbers}, 1 of 2 skip-connects, up to 2.2 h left"
    )
    assert search_line(records[-1], state(StableRanking(), records), 7920) == (
        f"{numbers}, ranking stable for 4 of 10 epochs, up to 2.2 h left"
    )
    assert search_line(records[-1], state(never, records)) == numbers


def test_a_training_on_its_way_is_told_in_one_line():
    timing = {"seconds": 9.0, "images_per_second": 1234.4, "waiting": 0.021}
    line = {"epoch": 7, "train_loss": 1.204, "train_accuracy": 0.613, "timing": timing}
    told = "epoch 7: train 1.204 61.3%, 1234 images/s, 2% waiting"
    assert training_line(line, 42 * 60) == f"{told}, about 42 min left"
    assert training_line(line) == told


@st.composite
def criteria(draw):
    cells = draw(st.sampled_from([("normal",), CELLS, STAGED_CELLS, STAGED_CELLS[::2]]))
    kind = draw(st.sampled_from([SkipConnects, StableRanking]))
    return kind(draw(WHOLE), cells, draw(WHOLE))


@given(
    st.builds(
        record,
        epoch=WHOLE,
        skips=st.integers(0, 10**30),
        stable=WHOLE,
        cells=st.just((*CELLS, *STAGED_CELLS)),
        train_loss=st.none() | FINITE,
        train_accuracy=st.none() | SHARES,
        valid_loss=st.none() | FINITE,
        valid_accuracy=st.none() | SHARES,
    ),
    st.just(never) | criteria(),
    st.just(0.0) | SECONDS,
)
def test_any_epoch_of_a_search_fits_100_columns(found, criterion, left):
    line = search_line(found, state(criterion, [found]), left)
    assert len(line) <= 100
    assert line.isascii()
    assert line.isprintable()
    assert line.startswith(f"epoch {found.epoch}: train ")


@given(WHOLE, FINITE, FINITE, SHARES, FINITE, SHARES, st.just(0.0) | SECONDS)
def test_any_epoch_of_a_training_fits_100_columns(
    epoch, loss, rate, accuracy, images, waiting, left
):
    line = {
        "epoch": epoch,
        "train_loss": loss,
        "train_accuracy": accuracy,
        "learning_rate": rate,
        "timing": {"seconds": 1.0, "images_per_second": images, "waiting": waiting},
    }
    told = training_line(line, left)
    assert len(told) <= 100
    assert told.startswith(f"epoch {epoch}: train ")


@given(
    epoch=st.integers(0, 999),
    loss=st.floats(0, 9.999),
    share=SHARES,
    cells=st.sampled_from([("normal",), CELLS, STAGED_CELLS]),
    count=st.integers(0, 99),
    left=st.floats(1, 99 * 86400),
    kind=st.sampled_from([SkipConnects, StableRanking]),
)
def test_nothing_is_left_out_of_the_line_of_a_usual_search(
    epoch, loss, share, cells, count, left, kind
):
    both = {"train_loss": loss, "valid_loss": loss}
    both |= {"train_accuracy": share, "valid_accuracy": share}
    found = record(epoch, count % 9, count, cells, **both)
    words = state(kind(9 if kind is SkipConnects else 99, cells), [found])
    assert search_line(found, words, left).endswith(f", {words}, up to {duration(left)} left")


@given(st.floats(0, 1000 * 86400))
def test_a_duration_is_short_and_right_to_a_sixth(seconds):
    number, unit = duration(seconds).split()
    told = float(number) * {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
    assert told == pytest.approx(seconds, rel=1 / 6, abs=0.5)
    assert len(duration(seconds)) <= 8


def test_the_time_left_is_that_of_epochs_like_the_last_ones():
    assert seconds_left([], 60) == 0.0
    assert seconds_left([100.0], 60) == 5900.0
    assert seconds_left([100.0, 10.0, 10.0, 12.0, 11.0], 60) == 55 * 11.0
    assert seconds_left([100.0] * 9 + [10.0] * 3, 13) == 10.0
    assert seconds_left([3.0] * 60, 60) == 0.0


def test_what_no_criterion_needs_is_not_told():
    found = record(3, cells=("chain",))
    assert search_line(found, "") == "epoch 3: train - -%, valid - -%"
    assert re.fullmatch(r"[ -~]+", search_line(found, ""))


def test_the_perplexities_of_a_text_stand_in_place_of_accuracies():
    measures = {"train_perplexity": 182.27, "valid_perplexity": 240.049}
    told = record(3, 1, **{**LEARNT, "measures": measures})
    line = search_line(told, "1 of 2 skip-connects")
    assert "ppl 182.27, valid" in line
    assert "ppl 240.05, 1 of 2" in line
    assert "%" not in line
    epoch = {"epoch": 3, "train_loss": 5.2, "train_accuracy": 0.1, "valid_loss": 5.5, **measures}
    line = training_line({**epoch, "timing": {"images_per_second": 90.0, "waiting": 0.0}})
    assert line == (
        "epoch 3: train 5.200 ppl 182.27, valid 5.500 ppl 240.05, 90 windows/s, 0% waiting"
    )
