"""Runs every search method with each setting that goes with it: `python -m tests.combinations`.

Each search is tiny: two epochs on random images, in a space of two nodes. It passes if it ends with
finite losses and a genotype, or is refused in one line. The command prints a line for each and
exits with status 1 if one does neither.
"""

import argparse
import contextlib
import gc
import io
import itertools
import math
import sys
import tempfile
from typing import Any

import numpy as np

import darts_tf
from darts_tf import SearchConfig, SearchSpace, methods
from darts_tf.engine import memory
from tests.contracts import CHANNELS

SPACE = SearchSpace(
    ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_3x3"),
    nodes=2,
    learnable=("sep_conv_3x3", "dil_conv_3x3"),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "recompute": {"recompute": True},
    "bfloat16": {"mixed_precision": "bfloat16"},
    "float16": {"mixed_precision": "float16"},
    "by stage": {"share_alphas": "stage", "layers": 5},
    "late alphas": {"arch_start_epoch": 1},
    "second order": {"arch_order": "second"},
    "one level": {"arch_order": "one_level"},
    "Criterion 1": {"stop_criterion": "skip_connects", "min_epochs": 2},
    "Criterion 1*": {"stop_criterion": "stable_ranking", "stable_epochs": 1, "min_epochs": 2},
    "ImageNet's stem": {"stem": "imagenet"},
}


def tried(method: str, settings: dict[str, Any], size: int) -> str:
    """Searches, and returns what came of it in words.

    Raises:
        AssertionError: If a loss is no number, or there is no genotype.
    """
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, size, size, 3), np.uint8)
    config = SearchConfig(
        **{
            "epochs": 2,
            "layers": 3,
            "init_channels": CHANNELS.get(method, 8),
            "batch_size": 10,
            "stop_criterion": "none",
            **settings,
        }
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        try:
            result = darts_tf.search(
                config,
                folder,
                method=method,
                space=SPACE,
                data=(images, np.arange(40) % 4),
                verbose=0,
            )
        except darts_tf.UserError as error:
            text = str(error)
            assert "\n" not in text, text
            return f"refused: {text}"
    assert result.genotype is not None
    losses = [(one.train_loss, one.valid_loss) for one in result.records]
    assert all(math.isfinite(loss or 0) for pair in losses for loss in pair), losses
    return f"epoch {result.epoch}: {result.reason}"


def main() -> int:
    """Runs the combinations; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", default=",".join(methods.names()), help="comma-separated")
    parser.add_argument("--settings", default=",".join(SETTINGS), help="comma-separated")
    options = parser.parse_args()
    failed = 0
    pairs = itertools.product(options.methods.split(","), options.settings.split(","))
    for method, name in pairs:
        size = 32 if name == "ImageNet's stem" else 8
        try:
            words = tried(method, SETTINGS[name], size)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next ones are tried
            failed += 1
            words = f"FAILED: {type(error).__name__}: {str(error)[:300]}"
        print(f"{method}, {name}: {words}", flush=True)
        memory.release()
        gc.collect()
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
