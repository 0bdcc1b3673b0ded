"""Settings of a training reach its optimizer and the learning rate of each step."""

import numpy as np
import pytest

import darts_tf
from darts_tf.training import train as module


@pytest.mark.parametrize(
    ("settings", "nesterov", "epochs"),
    [
        ({}, False, [0, 1]),
        ({"cosine_by": "step", "nesterov": True}, True, [0, 0, 0.5, 1, 1, 1.5]),
    ],
)
def test_a_training_is_run_by_its_settings(settings, nesterov, epochs, tmp_path, seed, monkeypatch):
    asked, made = [], []
    rate, optimizer = module.warmed_cosine, module.weight_optimizer

    def told_rate(epoch, *rest):
        asked.append(epoch)
        return rate(epoch, *rest)

    def told_optimizer(*arguments, **named):
        made.append(optimizer(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(module, "warmed_cosine", told_rate)
    monkeypatch.setattr(module, "weight_optimizer", told_optimizer)
    images = np.random.default_rng(seed).integers(0, 256, (16, 8, 8, 1), np.uint8)
    labels = np.arange(16) % 2
    edges = [("skip_connect", 0), ("sep_conv_3x3", 1)]
    darts_tf.train(
        darts_tf.TrainingConfig(
            seed=seed,
            epochs=2,
            layers=3,
            init_channels=2,
            batch_size=8,
            auxiliary_weight=0.0,
            **settings,
        ),
        darts_tf.Genotype(normal=edges, normal_concat=[2], reduce=edges, reduce_concat=[2]),
        tmp_path,
        data=(images, labels),
        verbose=0,
    )
    assert [one.nesterov for one in made] == [nesterov]
    assert asked == epochs
