"""A line of the history: through JSON to the bit, and wrong lines refused."""

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import StagedGenotype
from tests.genotype_rules import OPERATIONS

FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 10**6)
NAMES = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def rows(elements):
    return st.lists(elements, max_size=5).map(tuple)


EDGES = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.just(1)), min_size=2, max_size=2)
EDGES = EDGES.map(tuple)


def staged(first, last):
    """A genotype by stage, whose first and last cells are these."""
    return StagedGenotype(first, (2,), *(last, (2,)) * 4)


GENOTYPES = st.sampled_from(zoo.names()).map(zoo.get) | st.builds(staged, EDGES, EDGES)
RECORDS = st.builds(
    EpochRecord,
    epoch=COUNTS,
    alphas=st.dictionaries(NAMES, rows(rows(FINITE)), max_size=3),
    skip_connects=st.dictionaries(NAMES, COUNTS, max_size=3),
    stable_epochs=st.dictionaries(NAMES, rows(COUNTS), max_size=3),
    genotype=st.none() | GENOTYPES,
    train_loss=st.none() | FINITE,
    train_accuracy=st.none() | FINITE,
    valid_loss=st.none() | FINITE,
    valid_accuracy=st.none() | FINITE,
    learning_rate=st.none() | FINITE,
    timing=st.dictionaries(NAMES, FINITE, max_size=3),
    strengths=st.none() | st.dictionaries(NAMES, rows(rows(FINITE)), max_size=3),
    stage=COUNTS,
    measures=st.dictionaries(NAMES, FINITE, max_size=3),
    kept=st.none() | st.dictionaries(NAMES, rows(rows(NAMES)), max_size=3),
)
FULL = EpochRecord(
    epoch=3,
    alphas={"normal": ((0.1, -2.0), (3.0, 1e-30))},
    skip_connects={"normal": 1},
    stable_epochs={"normal": (0, 2)},
    genotype=zoo.get("DARTS_V2"),
    train_loss=2.3,
    train_accuracy=0.1,
    valid_loss=2.4,
    valid_accuracy=0.2,
    learning_rate=0.025,
    timing={"seconds": 1.5},
    strengths={"normal": ((0.9, 0.1), (0.5, 0.5))},
    stage=2,
    measures={"temperature": 4.5},
    kept={"normal": (("max_pool_3x3",), ("none", "skip_connect"))},
    moved={"normal": 0.5},
    noise={"normal": 0.001},
    counts_from={"normal": 2},
)
LATER = ("strengths", "stage", "measures", "kept", "moved", "noise", "counts_from")


def through_json(record):
    return EpochRecord.from_dict(json.loads(json.dumps(record.to_dict())))


@given(RECORDS)
def test_a_record_comes_back_from_json_to_the_bit(record):
    back = through_json(record)
    assert back == record
    # Unlike ==, the text tells -0.0 from 0.0, and a tuple from a list.
    assert repr(back) == repr(record)


def test_no_field_is_lost_on_the_way():
    for field in dataclasses.fields(EpochRecord):
        value = getattr(FULL, field.name)
        assert value != field.default
        assert value
        assert getattr(through_json(FULL), field.name) == value


@pytest.mark.parametrize("name", sorted(set(FULL.to_dict()) - set(LATER)))
def test_a_missing_field_is_refused(name):
    line = FULL.to_dict()
    del line[name]
    with pytest.raises(UserError, match=rf"history line: expected a field '{name}', got "):
        EpochRecord.from_dict(line)


def test_a_line_leaves_out_later_fields_at_their_default_and_is_read_without_them():
    old = EpochRecord(0, {"normal": ((0.5,),)}, {"normal": 0}, {"normal": (0,)})
    assert not set(old.to_dict()) & set(LATER)
    assert through_json(old) == old
    for name in LATER:
        line = FULL.to_dict()
        del line[name]
        assert name not in EpochRecord.from_dict(line).to_dict()


def test_an_unknown_field_is_refused_in_one_line():
    with pytest.raises(UserError) as error:
        EpochRecord.from_dict({**FULL.to_dict(), "entropy": 0.5})
    assert "got 'entropy', perhaps of a newer release" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("line", [None, [], "epoch", 3])
def test_what_is_no_object_is_refused(line):
    with pytest.raises(UserError, match=f"expected an object, got {type(line).__name__}"):
        EpochRecord.from_dict(line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", -1),
        ("epoch", "3"),
        ("epoch", True),
        ("epoch", None),
        ("alphas", [[0.1]]),
        ("alphas", {"normal": 3}),
        ("alphas", {"normal": "12"}),
        ("alphas", {"normal": [["1"]]}),
        ("alphas", {"normal": [[float("nan")]]}),
        ("alphas", {"normal": [[float("inf")]]}),
        ("alphas", {"normal": [[10**400]]}),
        ("skip_connects", {"normal": "2"}),
        ("skip_connects", {"normal": -1}),
        ("stable_epochs", {"normal": [1.5]}),
        ("stable_epochs", {"normal": [float("inf")]}),
        ("stable_epochs", {"normal": 4}),
        ("genotype", {"normal": []}),
        ("genotype", "DARTS_V2"),
        ("train_loss", "low"),
        ("valid_loss", float("nan")),
        ("valid_accuracy", [0.5]),
        ("learning_rate", False),
        ("timing", None),
        ("timing", {"seconds": "1"}),
        ("strengths", {"normal": [[None]]}),
        ("stage", 0.5),
        ("measures", {"temperature": float("nan")}),
        ("kept", {"normal": [[1]]}),
    ],
)
def test_a_field_of_another_kind_is_refused_by_its_name(name, value):
    with pytest.raises(UserError, match=f"history line: {name}: "):
        EpochRecord.from_dict({**FULL.to_dict(), name: value})


@given(name=st.sampled_from([field.name for field in dataclasses.fields(EpochRecord)]), value=JSON)
def test_any_json_in_a_field_is_a_record_or_a_users_mistake(name, value):
    with contextlib.suppress(UserError):
        record = EpochRecord.from_dict({**FULL.to_dict(), name: value})
        assert through_json(record) == record


def test_the_history_of_a_search_is_read_from_its_directory(tmp_path):
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(["--dataset=digits"])
    records = tuple(dataclasses.replace(FULL, epoch=epoch) for epoch in range(3))
    for record in records:
        run.append_history(record.to_dict())
    with run.history.open("a") as file:
        file.write('{"epoch": 3, "al')
    assert read_history(run.path) == records
    assert read_history(str(run.path)) == records


def test_what_is_no_history_of_a_search_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"config\.flags"):
        read_history(tmp_path)
    training = RunDirectory(tmp_path / "training", "train")
    training.claim(["--genotype=DARTS_V2"])
    with pytest.raises(UserError, match="expected the run of a search, got one of train"):
        read_history(training.path)
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(["--dataset=digits"])
    run.append_history(FULL.to_dict())
    run.append_history({"epoch": 1})
    with pytest.raises(UserError, match=r"history\.jsonl, line 2: history line: expected a field"):
        read_history(run.path)
