"""DARTS+ in Keras and TensorFlow: differentiable architecture search that stops in time."""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "DARTS": "search_space",
    "Genotype": "genotype",
    "MixedOperation": "mixed_operation",
    "SearchCell": "cells",
    "RandomSearchConfig": "tuning_config",
    "SearchConfig": "config",
    "SearchResult": "searching",
    "SearchSpace": "search_space",
    "SourceFeatures": "mixed_operation",
    "StagedGenotype": "genotype",
    "StopSearch": "callbacks",
    "Supernet": "supernet",
    "TrainingConfig": "config",
    "TrainingResult": "training",
    "TuningConfig": "tuning_config",
    "UserError": "errors",
    "build_network": "network",
    "derive": "genotype",
    "export_lite": "formats",
    "export_onnx": "formats",
    "export_saved_model": "export",
    "inference_network": "network",
    "random_genotype": "sampling",
    "random_search": "random_baseline",
    "read_genotype": "genotype",
    "search": "searching",
    "train": "training",
    "train_repeats": "repeats",
    "tune": "tuning",
}
_MODULES = ("applications", "stopping", "zoo")

__all__ = tuple(sorted((*_HOMES, *_MODULES)))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"darts_tf.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'darts_tf' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"darts_tf.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
