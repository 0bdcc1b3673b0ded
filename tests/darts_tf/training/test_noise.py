"""A network with the operation `noise`: its training resumes to the bit, and it answers without."""

import keras
import numpy as np
import tensorflow as tf

import darts_tf
from darts_tf.config import TrainingConfig
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import Genotype
from tests import contracts

# A node that adds noise to what it reads, and one that reads nothing, at both strides.
EDGES = [("sep_conv_3x3", 0), ("noise", 1), ("noise", 0), ("noise", 2)]
GENOTYPE = Genotype(normal=EDGES, normal_concat=[2, 3], reduce=EDGES, reduce_concat=[2, 3])


def test_a_killed_training_resumes_to_the_bit_and_its_model_is_served(seed, folder):
    config = TrainingConfig(
        dataset="digits",
        data_dir=str(folder / "data"),
        seed=seed,
        epochs=2,
        batch_size=300,
        layers=3,
        init_channels=2,
        auxiliary_weight=0.0,
        warmup_epochs=0,
        checkpoint_every="1step",
    )
    runs = [RunDirectory(folder / name, "train") for name in ("alone", "killed")]
    with contracts.repeatable():
        with contracts.copied_when_killed(runs[0], runs[1].path, epochs=1):
            trained = darts_tf.train(config, GENOTYPE, runs[0].path, verbose=0)
        darts_tf.train(config, GENOTYPE, runs[1].path, verbose=0)
    contracts.check_alike(*runs)
    assert runs[0].model.read_bytes() == runs[1].model.read_bytes()
    losses = [line["train_loss"] for line in runs[0].read_history()]
    assert losses[0] != losses[1]

    loaded = keras.saving.load_model(runs[0].model)
    kinds = [type(layer) for layer in loaded.layers]
    assert kinds.count(keras.layers.GaussianNoise) == 3 * 3
    images = np.random.default_rng(seed).integers(0, 256, (5, 8, 8, 1)).astype("float32")
    served = tf.saved_model.load(str(export_saved_model(trained.model, folder / "served")))
    answers = [loaded(images), loaded.predict(images, verbose=0), trained.model(images)]
    for _ in range(2):
        answers.append(served.signatures["serving_default"](pixels=tf.constant(images))["scores"])
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], rtol=1e-4, atol=1e-6)
