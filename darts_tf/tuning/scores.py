"""What a trial is scored by."""

from collections.abc import Callable
from pathlib import Path

from darts_tf.config import SearchConfig, TrainingConfig

SCORE = "valid_accuracy"  # under this name in files

Objective = Callable[[SearchConfig, TrainingConfig, Path], float]
