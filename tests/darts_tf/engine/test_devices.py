"""Strategies by name, and what makes a process repeat itself."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import building, make_strategy
from tests.processes import finish, start

_REPEAT = """
import keras, numpy as np, random
import tensorflow as tf
from darts_tf.engine.devices import make_repeatable
from darts_tf.errors import UserError

def draws(seed):
    make_repeatable(seed, 1)
    return (
        keras.random.normal((3,)).numpy().tolist(),
        keras.initializers.RandomNormal()((3,)).numpy().tolist(),
        tf.random.normal((3,)).numpy().tolist(),
        np.random.rand(),
        random.random(),
    )

first, again, other = draws(given[0]), draws(given[0]), draws(given[0] + 1)
assert first == again
assert all(a != b for a, b in zip(first, other))
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
assert tf.config.threading.get_intra_op_parallelism_threads() == 1
try:
    make_repeatable(0, 2)
except UserError as error:
    print(error)
"""

_STEPS = """
import hashlib
import numpy as np, tensorflow as tf
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.engine.devices import make_repeatable
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.scoring import Batch
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet

seed, threads = given
make_repeatable(seed, threads)
space = SearchSpace(("avg_pool_3x3", "skip_connect", "sep_conv_3x3"), nodes=1)
supernet = Supernet(space, layers=3, init_channels=4, classes=3)
supernet.build((None, 8, 8, 3))
step = BilevelStep(supernet, SGD(0.1), Adam(0.01), ARCHITECTURE_GRADIENTS["first"])
images = np.random.default_rng(seed).normal(size=(2, 64, 8, 8, 3)).astype(np.float32)
labels, shares = tf.range(64) % 3, tf.fill((64,), np.float32(1 / 64))
run = tf.function(lambda: step(*(Batch(part, labels, shares) for part in images)))
def hashes():
    return [hashlib.sha256(w.numpy().tobytes()).hexdigest() for w in supernet.weights]
told = [hashes()]
for _ in range(3):
    run()
print(json.dumps([*told, hashes()]))
"""


def test_one_device_is_the_first_and_mirrored_takes_all(two_devices):
    assert make_strategy("one_device").num_replicas_in_sync == 1
    mirrored = make_strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert mirrored.num_replicas_in_sync == len(two_devices) == 2


@pytest.mark.parametrize(
    ("gpus", "name", "expected"),
    [
        (0, "auto", ["/device:CPU:0"]),
        (1, "auto", ["/device:GPU:0"]),
        (2, "auto", ["/device:GPU:0", "/device:GPU:1"]),
        (2, "one_device", ["/device:GPU:0"]),
        (1, "mirrored", ["/device:GPU:0"]),
        (0, "mirrored", ["/device:CPU:0", "/device:CPU:1"]),
    ],
)
def test_gpus_are_preferred_and_auto_mirrors_several(monkeypatch, gpus, name, expected):
    counts = {"GPU": gpus, "CPU": 2}

    def devices(kind):
        return [tf.config.LogicalDevice(f"/device:{kind}:{i}", kind) for i in range(counts[kind])]

    monkeypatch.setattr(tf.config, "list_logical_devices", devices)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices, _: devices)
    monkeypatch.setattr(tf.distribute, "OneDeviceStrategy", lambda device: [device])
    assert make_strategy(name) == expected


def test_a_seed_decides_all_draws_and_other_threads_come_too_late(seed):
    [told] = finish(start(_REPEAT, seed % 2**30))
    assert told.startswith("threads: expected 1, with which TensorFlow already runs")
    assert told.count("\n") == 1


def test_the_number_of_threads_changes_no_bit(seed):
    one, again = finish(*(start(_STEPS, seed, threads) for threads in (1, 2)))
    assert one == again
    before, after = json.loads(one)
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_model_that_is_built_faster_is_the_same_model(seed):
    def network():
        inputs = keras.Input((6, 6, 2), name="images")
        x = keras.layers.Conv2D(3, 3, name="first")(inputs)
        x = keras.layers.BatchNormalization(name="second")(x)
        return keras.Model(inputs, keras.layers.Dense(2, name="third")(x))

    strategy = make_strategy("one_device")
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        slow = network()
    keras.utils.set_random_seed(seed)
    with building(strategy):
        fast = network()
    assert [variable.path for variable in fast.variables] == [
        variable.path for variable in slow.variables
    ]
    assert len({variable.value.name for variable in fast.variables}) == 1
    for one, other in zip(slow.variables, fast.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    # Each is a variable of its own all the same.
    for number, variable in enumerate(fast.variables):
        variable.assign(tf.fill(variable.shape, float(number)))
    for number, variable in enumerate(fast.variables):
        assert (variable.numpy() == number).all()
