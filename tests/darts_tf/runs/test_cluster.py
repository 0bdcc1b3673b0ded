"""Who the workers of a run are, by TF_CONFIG."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.cluster import Cluster, cluster_of

TWO = ["one:1", "two:2"]


def read(cluster, job, index):
    config = {"cluster": cluster, "task": {"type": job, "index": index}}
    return cluster_of("multi_worker", {"TF_CONFIG": json.dumps(config)})


@pytest.mark.parametrize("strategy", ["auto", "one_device", "mirrored"])
def test_other_strategies_have_no_cluster_whatever_tf_config_says(strategy):
    assert cluster_of(strategy, {"TF_CONFIG": "nonsense"}) is None


@pytest.mark.parametrize("index", [0, 1])
def test_the_first_worker_is_the_chief(index):
    found = read({"worker": TWO}, "worker", index)
    assert found == Cluster((("worker", 0), ("worker", 1)), tuple(TWO), index)
    assert found.chief == (index == 0)
    assert found.endpoint(1) == ("two", 2)
    assert read({"worker": ["[::1]:1"]}, "worker", 0).endpoint(0) == ("::1", 1)
    assert found.name(0) == "the chief (one:1)"
    assert found.name(1) == "worker 1 (two:2)"


def test_a_job_of_that_name_has_the_chief():
    jobs = {"worker": TWO, "chief": ["zero:3"]}
    assert read(jobs, "chief", 0).index == 0
    assert read(jobs, "worker", 0).index == 1
    assert read(jobs, "worker", 1).addresses == ("zero:3", *TWO)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "none"),
        ("{", "text that cannot be read"),
        ("[]", "text that cannot be read"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": [], "index": 0}}', "the task "),
        (
            '{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}',
            "text that cannot be read",
        ),
        ('{"cluster": {"worker": ["a:1"]}}', "text that cannot be read .KeyError: 'task'"),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "a job 'ps'",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "the task worker 1, which is not in its cluster",
        ),
        (
            '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}',
            "the address 'a'",
        ),
        (
            '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
            "the address 'a:1'",
        ),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_expected(text, found):
    with pytest.raises(UserError, match=rf"expected TF_CONFIG such as .*; got {found}"):
        cluster_of("multi_worker", {"TF_CONFIG": text})


parts = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a:1", "b:2", "worker", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cluster", "task", "worker", "chief", "type", "index"]), inner
        )
    ),
    max_leaves=12,
)


@given(parts | st.fixed_dictionaries({"cluster": parts, "task": parts}))
def test_any_other_text_is_refused_in_a_line_or_is_a_cluster_with_this_one_in_it(value):
    try:
        found = cluster_of("multi_worker", {"TF_CONFIG": json.dumps(value)})
    except UserError as error:
        lines = str(error).splitlines()
    else:
        lines = [found.tasks[found.index]]
        assert lines == [(value["task"]["type"], value["task"]["index"])]
        assert len(found.tasks) == len(set(found.addresses))
    assert len(lines) == 1
