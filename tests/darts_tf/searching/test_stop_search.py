"""StopSearch: in `fit`, outside it, resumed, and against the twin of the criteria."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria import Never, SkipConnects, StableRanking, never
from darts_tf.searching.stop_search import StopSearch
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, StagedGenotype
from darts_tf.spaces.search_space import SearchSpace
from tests.oracles import criteria

CHAIN = SearchSpace(("skip_connect", "wide", "deep"), 2, 1, ("wide", "deep"))
DRAWN = st.integers(0, 2**32 - 1).map(np.random.default_rng)


class Scripted:
    """What a callback sees of a model; its alphas are those of a history."""

    def __init__(self, history):
        self.history = history
        self.epoch = 0
        self.stop_training = False

    def architecture_parameters(self):
        return self.history[self.epoch]


class Dense(keras.Sequential):
    """A model of anybody's. Its alphas follow a plan: epoch -> the table of its one cell type."""

    def __init__(self, plan):
        super().__init__([keras.layers.Input((3,)), keras.layers.Dense(1)])
        self.plan = plan
        self.alphas = keras.Variable(plan(0), trainable=False, name="alphas")
        self.compile(loss="mse", optimizer="sgd")

    def architecture_parameters(self):
        return {"chain": self.alphas.numpy()}


class Plan(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.alphas.assign(self.model.plan(epoch))


def swapped_once(at):
    """Five edges of which the last changes its ranking in one epoch; the skips always move."""

    def plan(epoch):
        table = np.array([[epoch, 2.0, 1.0]] * 5)
        if epoch >= at:
            table[-1, 1:] = 1.0, 2.0
        return table

    return plan


def wander(rng, epochs):
    """Float32 tables, as a model has them, of which few entries move from epoch to epoch."""
    tables = rng.normal(size=(2, 14, 8)).astype(np.float32)
    history = []
    for _ in range(epochs):
        moves = rng.random(tables.shape) < rng.choice([0.0, 0.002, 0.05])
        tables = np.where(moves, rng.normal(size=tables.shape), tables).astype(np.float32)
        history.append(dict(zip(CELLS, tables, strict=True)))
    return history


def run(stop, history, first=0):
    """Epochs under a CallbackList, as a loop of one's own has them; the epoch that ended it."""
    stop.set_model(model := Scripted(history))
    for epoch in range(first, len(history)):
        model.epoch = epoch
        stop.on_epoch_end(epoch)
        assert model.stop_training == (stop.reason is not None)
        if model.stop_training:
            return epoch
    return None


def expected(kind, history, first_epoch, min_epochs):
    """The twin's epoch, where the alphas learn from `first_epoch` on."""
    later = history[first_epoch:]
    left = min_epochs - first_epoch
    if kind is SkipConnects:
        found = criteria.criterion_1(later, at=3, min_epochs=left)
    else:
        found = criteria.criterion_1_star(later, stable_epochs=4, ranks=2, min_epochs=left)
    return None if found is None else found + first_epoch


def stop_search(kind, min_epochs=1, **options):
    criterion = kind(3 if kind is SkipConnects else 4, min_epochs=min_epochs)
    return StopSearch(criterion, ranks=2, **options)


KINDS = st.sampled_from([SkipConnects, StableRanking])
HISTORIES = st.builds(wander, DRAWN, st.integers(0, 20))


@given(KINDS, HISTORIES, st.integers(0, 6), st.integers(0, 12))
def test_it_stops_at_the_twins_epoch(kind, history, first_epoch, min_epochs):
    stop = stop_search(kind, min_epochs, first_epoch=first_epoch)
    found = run(stop, history)
    assert found == expected(kind, history, first_epoch, min_epochs)
    assert len(stop.records) == (len(history) if found is None else found + 1)


@given(KINDS, HISTORIES, st.integers(0, 6), st.data())
def test_a_resumed_search_stops_where_an_uninterrupted_one_does(kind, history, first_epoch, data):
    whole = stop_search(kind, first_epoch=first_epoch)
    end = run(whole, history)
    last = len(whole.records) - (end is not None)
    cut = data.draw(st.integers(0, max(0, last)))
    lines = [json.dumps(record.to_dict()) for record in whole.records[:cut]]
    records = [EpochRecord.from_dict(json.loads(line)) for line in lines]
    resumed = stop_search(kind, first_epoch=first_epoch, records=records)
    assert run(resumed, history, first=cut) == end
    assert resumed.records == whole.records
    assert (resumed.reason, resumed.genotype) == (whole.reason, whole.genotype)


@given(HISTORIES)
def test_a_record_holds_the_epochs_alphas_to_the_bit_and_their_genotype(history):
    stop = StopSearch(never)
    assert run(stop, history) is None
    for epoch, (record, alphas) in enumerate(zip(stop.records, history, strict=True)):
        assert record.epoch == epoch
        for cell in CELLS:
            np.testing.assert_array_equal(np.float32(record.alphas[cell]), alphas[cell])
            pairs = criteria.derive(criteria.softmax_table(alphas[cell]))
            assert list(getattr(record.genotype, cell)) == pairs
            assert record.skip_connects[cell] == criteria.skip_connects(alphas[cell])
    assert stop.genotype == (stop.records[-1].genotype if history else None)


@given(DRAWN)
def test_alphas_of_each_stage_give_a_genotype_by_stage_and_stop_by_any_of_its_cells(rng):
    tables = dict(zip(STAGED_CELLS, rng.normal(size=(5, 14, 8)), strict=True))
    skips = {cell: criteria.skip_connects(table) for cell, table in tables.items()}
    stop = StopSearch(SkipConnects(1, ("normal_0", "normal_1", "normal_2")))
    found = any(skips[cell] for cell in ("normal_0", "normal_1", "normal_2"))
    assert run(stop, [tables]) == (0 if found else None)
    [record] = stop.records
    assert isinstance(stop.genotype, StagedGenotype)
    assert record.skip_connects == skips
    assert EpochRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_random_alphas_before_the_first_epoch_that_learns_stop_nothing():
    skips = np.zeros((14, 8))
    skips[:, DARTS.candidates.index("skip_connect")] = 1.0
    history = [dict.fromkeys(CELLS, skips)] * 20
    assert run(StopSearch(), history) == 0
    assert run(StopSearch(first_epoch=5), history) == 5
    assert run(StopSearch(StableRanking()), history) == 10
    assert run(StopSearch(StableRanking(), first_epoch=5), history) == 15


def test_another_derivation_decides_what_criterion_1_counts():
    calls = []

    def without_skips(strengths, space):
        calls.append(space)
        return derive({cell: np.roll(strengths[cell], 1, axis=1) for cell in CELLS}, space)

    skips = np.zeros((14, 8))
    skips[:, DARTS.candidates.index("skip_connect")] = 1.0
    stop = StopSearch(derivation=without_skips)
    assert run(stop, [dict.fromkeys(CELLS, skips)] * 3) is None
    assert calls == [DARTS] * 3
    assert {name for name, _ in stop.genotype.normal} == {"sep_conv_3x3"}


@pytest.mark.parametrize("changed", [0, 2])
def test_fit_of_a_model_that_is_not_ours_ends_when_its_ranking_has_held(changed, seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    stop = StopSearch(StableRanking(epochs=3, cells=("chain",)), CHAIN)
    model = Dense(swapped_once(at=changed))
    history = model.fit(*data, validation_data=data, epochs=20, verbose=0, callbacks=[Plan(), stop])
    assert len(history.epoch) == changed + 4
    assert stop.reason == "Criterion 1*: ranking stable for 3 epochs"
    last = stop.records[-1].stable_epochs["chain"]
    assert last == (changed + 3,) * 4 + (3,)
    assert [record.train_loss for record in stop.records] == history.history["loss"]
    assert [record.valid_loss for record in stop.records] == history.history["val_loss"]
    assert stop.records[-1].train_accuracy is None
    assert stop.genotype is None
    assert all(json.loads(json.dumps(record.to_dict())) for record in stop.records)


def test_fit_goes_to_its_last_epoch_when_the_ranking_never_holds(seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    stop = StopSearch(StableRanking(epochs=1, cells=("chain",)), CHAIN)
    model = Dense(lambda epoch: np.array([[0.0, epoch % 2, 0.5]] * 5))
    assert len(model.fit(*data, epochs=6, verbose=0, callbacks=[Plan(), stop]).epoch) == 6
    assert stop.reason is None


def test_outside_fit_a_callback_list_passes_the_epochs_and_their_logs_on():
    model = Dense(swapped_once(at=1))
    stop = StopSearch(StableRanking(epochs=2, cells=("chain",)), CHAIN)
    callbacks = keras.callbacks.CallbackList([Plan(), stop], model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    epoch = -1
    while not model.stop_training:
        epoch += 1
        callbacks.on_epoch_begin(epoch)
        callbacks.on_epoch_end(
            epoch,
            {
                "loss": 4.0 - epoch,
                "accuracy": 0.1,
                "val_loss": np.float32(0.5),
                "val_accuracy": 0.2,
                "learning_rate": 0.025,
                "images_a_second": 99.0,
            },
        )
    callbacks.on_train_end()
    assert epoch == 3
    record = stop.records[-1]
    assert (record.train_loss, record.train_accuracy) == (1.0, 0.1)
    assert (record.valid_loss, record.valid_accuracy) == (0.5, 0.2)
    assert record.learning_rate == 0.025
    assert EpochRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


@given(DRAWN, st.integers(1, 9), st.sampled_from(["chain", "stem and head", "normal"]))
def test_criterion_1_counts_in_the_tables_of_any_model(rng, edges, name):
    free = SearchSpace(("skip_connect", "wide", "deep"), learnable=("wide", "deep"))
    tables = [{name: rng.normal(size=(edges, 3))} for _ in range(8)]
    stop = StopSearch(SkipConnects(at=3), free)
    end = run(stop, tables)
    counts = [int(np.sum(table[name].argmax(1) == 0)) for table in tables]
    assert end == next((i for i, count in enumerate(counts) if count >= 3), None)
    assert [record.skip_connects[name] for record in stop.records] == counts[: len(stop.records)]
    assert stop.genotype is None


@pytest.mark.parametrize("answer", [False, True, 3])
def test_a_criterion_that_answers_no_reason_is_told(answer):
    with pytest.raises(TypeError, match=f"reason to stop or None, got {answer}"):
        run(StopSearch(lambda records: answer, CHAIN), [{"chain": np.zeros((5, 3))}])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_search_that_diverged_is_not_stable(value):
    with pytest.raises(ValueError, match="expected a table 'mine' of finite numbers"):
        run(StopSearch(StableRanking(1), CHAIN), [{"mine": np.full((4, 3), value)}] * 3)


def test_a_criterion_can_be_a_class_and_a_table_a_variable():
    stop = StopSearch(StableRanking, CHAIN)
    table = keras.Variable(np.zeros((5, 3)))
    assert run(stop, [{"chain": table}] * 2) is None
    assert stop.criterion == StableRanking()
    assert len(stop.records[-1].alphas["chain"]) == 5


@pytest.mark.parametrize("tables", [[], None, {}, {"mine": np.zeros((0, 3))}])
def test_what_is_no_table_is_told(tables):
    with pytest.raises(ValueError, match="expected"):
        run(StopSearch(search_space=CHAIN), [tables])


def test_settings_of_criteria_that_count_are_whole_numbers():
    for wrong in ("x", -1, 1.5):
        with pytest.raises(UserError, match="epochs: expected a whole number from 0"):
            StableRanking(wrong)
        with pytest.raises(UserError, match="at: expected a whole number from 0"):
            SkipConnects(wrong)
    with pytest.raises(ValueError, match="ranks: expected at least 1, got 0"):
        StopSearch(ranks=0)


def test_a_ragged_table_is_told():
    with pytest.raises(ValueError, match="expected a table 'chain' of equally long rows"):
        run(StopSearch("stable_ranking", CHAIN), [{"chain": [[1.0, 2.0, 3.0], [1.0]]}])


def test_the_strengths_of_a_model_make_genotype_and_record():
    class WithStrengths(Scripted):
        def strengths(self):
            return {cell: np.eye(14, 8, k=4) for cell in CELLS}

    stop = StopSearch(never)
    stop.set_model(WithStrengths([dict.fromkeys(CELLS, np.zeros((14, 8)))]))
    stop.on_epoch_end(0)
    [record] = stop.records
    assert record.genotype == derive(stop.model.strengths(), DARTS)
    assert record.strengths["normal"][0][4] == 1.0
    assert EpochRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_a_criterion_may_return_the_genotype_of_an_earlier_epoch():
    class Earlier(Never):
        def __call__(self, records):
            return "enough" if len(records) == 4 else None

        def returned_epoch(self, records):
            return records[-1].epoch - 2

    history = wander(np.random.default_rng(0), 6)
    stop = StopSearch(Earlier())
    assert run(stop, history) == 3
    assert stop.epoch == 1
    assert stop.genotype == stop.records[1].genotype


def test_a_space_is_looked_up_by_its_name():
    assert StopSearch(search_space="darts").search_space is DARTS
    assert StopSearch(search_space={"name": "darts", "nodes": 1}).search_space.nodes == 1
    with pytest.raises(UserError, match="unknown space 'dart'"):
        StopSearch(search_space="dart")
