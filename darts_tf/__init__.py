"""DARTS+ in Keras and TensorFlow: differentiable architecture search that stops in time."""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Adam": "engine.optimizers",
    "Batch": "engine.scoring",
    "BilevelStep": "searching.bilevel",
    "DARTS": "spaces.darts",
    "EpochLoop": "engine.epochs",
    "EpochRecord": "runs.history",
    "Genotype": "spaces.genotype",
    "MixedOperation": "supernet.mixed_operation",
    "NetworkSpec": "networks.spec",
    "RandomSearchConfig": "tuning.config",
    "Relaxation": "supernet.relaxation",
    "RunDirectory": "runs.directory",
    "RunStage": "engine.epochs",
    "SGD": "engine.optimizers",
    "Score": "engine.scoring",
    "SearchCell": "supernet.cells",
    "SearchConfig": "config",
    "SearchResult": "searching.search",
    "SearchSpace": "spaces.search_space",
    "Session": "engine.session",
    "SourceFeatures": "supernet.source_features",
    "Space": "spaces.space",
    "StagedGenotype": "spaces.genotype",
    "StopSearch": "searching.stop_search",
    "StudyConfig": "study.config",
    "Supernet": "supernet.model",
    "TrainingConfig": "config",
    "TrainingResult": "training.train",
    "TuningConfig": "tuning.config",
    "UserError": "errors",
    "build_network": "networks.network",
    "compile_step": "engine.replicas",
    "cosine": "engine.schedules",
    "derive": "spaces.derivation",
    "export_genotype": "spaces.written",
    "export_lite": "exporting.formats",
    "export_onnx": "exporting.formats",
    "export_saved_model": "exporting.saved_model",
    "inference_network": "networks.network",
    "random_genotype": "spaces.sampling",
    "random_search": "tuning.random_baseline",
    "read_genotype": "spaces.genotype",
    "read_history": "runs.history",
    "run_epoch": "engine.loop",
    "run_study": "study.running",
    "score": "engine.scoring",
    "search": "searching.search",
    "setting": "settings",
    "softmax": "spaces.derivation",
    "train": "training.train",
    "train_repeats": "training.repeats",
    "tune": "tuning.tune",
    "warmed_cosine": "engine.schedules",
}
_MODULES = {
    "applications": "applications",
    "criteria": "searching.criteria",
    "datasets": "data.datasets",
    "methods": "searching.methods",
    "operations": "spaces.operations",
    "spaces": "spaces",
    "stopping": "searching.criteria",
    "zoo": "spaces.zoo",
}

__all__ = tuple(sorted((*_HOMES, *_MODULES)))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"darts_tf.{_MODULES[name]}")
    if name not in _HOMES:
        raise AttributeError(f"module 'darts_tf' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"darts_tf.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
