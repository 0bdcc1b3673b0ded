"""Many runs in one process: what a run leaves is gone when it is over."""

import gc
import json

import pytest

from darts_tf.engine.memory import collecting_later
from tests.processes import SHORT_RUN, finish, start

# A search and a training, twice, then a search after which nothing is released. After each, counts
# the graphs and variables that were made and still live; the collector hardly runs by itself.
_RUNS = (
    SHORT_RUN
    + """
import weakref
import numpy as np
from tensorflow.python.framework.func_graph import FuncGraph
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable
made = {FuncGraph: [], BaseResourceVariable: []}
def noted(kind):
    first = kind.__init__
    def init(self, *arguments, **named):
        first(self, *arguments, **named)
        made[kind].append(weakref.ref(self))
    kind.__init__ = init
for kind in made:
    noted(kind)

import darts_tf
from darts_tf.engine import memory
from tests.some_spaces import Dense, registered
images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)
data = images, np.arange(16) % 2
small = {"epochs": 1, "layers": 3, "init_channels": 2, "batch_size": 8, "threads": 1}
search = darts_tf.SearchConfig(space="dense", stop_criterion="none", **small)
training = darts_tf.TrainingConfig(**small)
counts = []
def count():
    counts.append([sum(one() is not None for one in every) for every in made.values()])
with registered(Dense(nodes=1, candidates=("skip_connect", "sep_conv_3x3"))):
    for number in range(2):
        folder = f"{given[0]}/{number}"
        found = darts_tf.search(search, f"{folder}/search", data=data, verbose=0)
        count()
        darts_tf.train(training, found.genotype, f"{folder}/train", data=data, verbose=0)
        count()
    memory.release = lambda: None  # the fault that the test is about
    darts_tf.search(search, f"{given[0]}/faulty", data=data, verbose=0)
    count()
print(json.dumps(counts))
"""
)


def test_no_run_leaves_graphs_or_variables_behind(tmp_path):
    [counts] = finish(start(_RUNS, str(tmp_path)))
    search, training, second_search, second_training, faulty = json.loads(counts)
    assert search[0] == 0
    assert second_search <= search
    assert second_training == training
    assert faulty[0] > training[0] + 5


def test_the_collector_rests_in_the_context_and_goes_on_after_it_as_before():
    assert gc.isenabled()
    with collecting_later():
        with collecting_later():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), collecting_later():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with collecting_later():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
