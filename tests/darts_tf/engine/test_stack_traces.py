"""Operations of a compiled step remember the program's own lines alone."""

from pathlib import Path

import keras
import tensorflow as tf

from darts_tf.engine.replicas import compile_step
from darts_tf.engine.scoring import Score


def frames(tensor):
    return [Path(frame.filename) for frame in tensor.op.traceback]


def test_operations_of_a_step_keep_no_frames_of_tensorflow_and_keras():
    built, traces = keras.layers.Dense(3), []

    def step(images):
        traces.append(frames(built(images)))
        return Score(tf.reduce_mean(images), tf.zeros(()))

    built.build((None, 3))
    data = tf.data.Dataset.from_tensors((tf.ones((4, 3)),))
    compile_step(tf.distribute.get_strategy(), step)(next(iter(data)), data.element_spec)
    assert len(traces) == 1
    [trace] = traces
    assert Path(__file__) in trace
    roots = [Path(package.__file__).parent for package in (tf, keras)]
    assert not [file for file in trace if any(root in file.parents for root in roots)]


def test_other_graphs_keep_all_frames():
    traces = []

    @tf.function(autograph=False)
    def outside():
        traces.append(frames(tf.zeros(()) + 1))

    outside()
    root = Path(tf.__file__).parent
    assert any(root in file.parents for file in traces[0])
