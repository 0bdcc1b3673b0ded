"""Settings of a search reach its optimizer, the order of its updates, and the rate of each step."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import darts_tf

TOLD: list = []


@dataclass(frozen=True, kw_only=True)
class Told(darts_tf.methods.Method):
    """DARTS, which tells what it is asked for."""

    name: ClassVar[str] = "told"

    def learning_rate(self, epoch, stage, config):
        TOLD.append(epoch)
        return super().learning_rate(epoch, stage, config)

    def step(self, stage, supernet, config, loss_scale):
        made = super().step(stage, supernet, config, loss_scale)
        TOLD.append((made.weights_first, made.weight_optimizer.nesterov))
        return made


@pytest.mark.parametrize(
    ("settings", "order", "epochs"),
    [
        ({}, (False, False), [0, 1]),
        (
            {"cosine_by": "step", "weights_first": True, "nesterov": True},
            (True, True),
            [0, 0, 0.5, 1, 1, 1.5],
        ),
    ],
)
def test_a_search_is_run_by_its_settings(settings, order, epochs, tmp_path, seed):
    images = np.random.default_rng(seed).integers(0, 256, (32, 8, 8, 1), np.uint8)
    config = darts_tf.SearchConfig(
        seed=seed, epochs=2, layers=3, init_channels=2, batch_size=8, stop_criterion="none"
    )
    config = darts_tf.SearchConfig(**{**vars(config), **settings})
    TOLD.clear()
    result = darts_tf.search(
        config,
        tmp_path,
        data=(images, np.arange(32) % 2),
        method=Told(),
        space="nas_bench_201",
        verbose=0,
    )
    assert [order, *epochs] == TOLD
    whole = darts_tf.cosine(1, 2, config.learning_rate, config.learning_rate_min)
    assert result.records[1].learning_rate == whole
