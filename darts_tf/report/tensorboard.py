"""A run for TensorBoard, made from the lines of its history."""

import dataclasses
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
from tensorboard.plugins.hparams.summary import session_end_pb
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.image.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from darts_tf.config import SearchConfig, TrainingConfig, training_flag_lines
from darts_tf.report.pictures.drawing import Look, caption, picture
from darts_tf.report.pictures.heat_map import heat_map
from darts_tf.report.tables import cell_tables, wiring
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.results import SCORES
from darts_tf.spaces.genotype import Genotype

# As many pictures of a kind as TensorBoard shows by default.
PICTURES = 10
SCALARS = {
    "loss/train": "train_loss",
    "loss/valid": "valid_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/valid": "valid_accuracy",
    "perplexity/train": "train_perplexity",
    "perplexity/valid": "valid_perplexity",
    "learning_rate": "learning_rate",
    "drop_path": "drop_path",
}
# TensorBoard has light and dark pages, and zooms in on a picture.
_LOOK = Look(solid=True)
_NAME = "events.out.tfevents.{}.darts_tf"


class Board:
    """The event file of a run: scalars, histograms, pictures and settings, step by epoch.

    The file is made afresh when a run is resumed, from the history alone: so no step stands in it
    twice, and none is missing, wherever the run was killed.

    Args:
        run: Its directory. Files that others have in `run.tensorboard`, such as the profiler's,
            stay.
        config: The settings, for TensorBoard's table of hyperparameters.
        history: The lines so far.
        genotype: The cells of a training; a search has them in its history.
        pictures: Whether it has pictures, which matplotlib draws.

    Raises:
        UserError: If the file cannot be written, now or later.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: SearchConfig | TrainingConfig,
        history: Sequence[Mapping[str, Any]],
        genotype: Genotype | None = None,
        pictures: bool = True,
    ) -> None:
        self._run, self._has_pictures = run, pictures
        self._description = run.described()
        self._settings = {"space": config.space} if isinstance(config, SearchConfig) else {}
        self._every = max(1, config.epochs // PICTURES)
        self._last: Mapping[str, Any] = {}
        self._drawn = True
        now = time.time()
        seconds = [_seconds(line) for line in history]
        begun = now - sum(seconds)
        self._path = run.tensorboard / _NAME.format(f"{now:017.6f}")
        self._begin(begun)
        first = [hparams_pb(_table(config, genotype), None, begun)]
        if genotype is not None and pictures:
            first.append(_image("cells", picture(genotype, "png", dpi=100, look=_LOOK)))
        self._append(0, begun, first)
        for line, ends in zip(history, begun + np.cumsum(seconds), strict=True):
            self._write(line, float(ends))

    def add(self, line: Mapping[str, Any]) -> None:
        """Adds an epoch.

        Args:
            line: Its line of the history.
        """
        self._write(line, time.time())

    def finish(self, results: Mapping[str, Any] | None = None) -> None:
        """Adds the end of a run.

        Args:
            results: The contents of a training's `result.json`, of which the errors are shown.
        """
        now, step = time.time(), self._last["epoch"]
        ends = [] if self._drawn else [*self._pictures(self._last)]
        errors = {name: value for name, value in (results or {}).items() if name in SCORES}
        ends += [_scalar(f"test/{name}", value) for name, value in errors.items()]
        success = session_end_pb(STATUS_SUCCESS, now)  # in TensorFlow's class of the same name
        ends.append(Summary.FromString(success.SerializeToString()))
        self._append(step, now, ends)

    def _write(self, line: Mapping[str, Any], ends: float) -> None:
        summaries = [*_numbers(line)]
        self._last = line
        self._drawn = (line["epoch"] + 1) % self._every == 0
        if self._drawn:
            summaries += self._pictures(line)
        self._append(line["epoch"], ends, summaries)

    def _begin(self, begun: float) -> None:
        """Makes the file; a TensorBoard that has read the one before forgets that one."""
        folder = self._path.parent
        with self._run.explained(folder.name):
            folder.mkdir(exist_ok=True)
            for path in folder.glob(_NAME.format("*")):
                path.unlink()
        start = SessionLog(status=SessionLog.START)
        self._record(Event(wall_time=begun, file_version="brain.Event:2"))
        self._record(Event(wall_time=begun, step=0, session_log=start))

    def _pictures(self, line: Mapping[str, Any]) -> Iterator[Summary]:
        """Yields the heat maps and the cells of an epoch of a search."""
        if "alphas" not in line or not self._has_pictures:
            return
        record = EpochRecord.from_dict(line)
        known = wiring(self._description, self._settings, [record])
        for cell, table in cell_tables(known, [record]).items():
            title = f"{caption(cell)}: alphas after epoch {record.epoch}"
            values = table.alphas(record, cell)
            yield _image(f"heat_maps/{cell}", heat_map(values, table.names(), table.columns, title))
        if record.genotype is not None:
            yield _image("cells", picture(record.genotype, "png", dpi=100, look=_LOOK))

    def _append(self, step: int, ends: float, summaries: Iterable[Summary]) -> None:
        self._record(*(Event(wall_time=ends, step=step, summary=one) for one in summaries))

    def _record(self, *events: Event) -> None:
        with self._run.explained(self._path.parent.name), self._path.open("ab") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())


def _numbers(line: Mapping[str, Any]) -> Iterator[Summary]:
    """Yields the scalars and histograms of an epoch."""
    for tag, name in SCALARS.items():
        if line.get(name) is not None:
            yield _scalar(tag, line[name])
    for name, value in line["timing"].items():
        yield _scalar(f"timing/{name}", value)
    for cell, count in line.get("skip_connects", {}).items():
        yield _scalar(f"skip_connects/{cell}", count)
    for cell, counts in line.get("stable_epochs", {}).items():
        if counts:
            yield _scalar(f"stable_epochs/{cell}", min(counts))
    for cell, alphas in line.get("alphas", {}).items():
        yield histogram_pb(f"alphas/{cell}", [value for row in alphas for value in row])
    for name, value in line.get("measures", {}).items():
        yield _scalar(f"measures/{name}", value)


def _image(tag: str, png: bytes) -> Summary:
    width, height = struct.unpack(">II", png[16:24])
    content = np.array([str(width).encode(), str(height).encode(), png], object)
    metadata = create_summary_metadata(display_name=None, description=None)
    return Summary(
        value=[Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(content))]
    )


def _table(
    config: SearchConfig | TrainingConfig, genotype: Genotype | None
) -> dict[str, bool | int | float | str]:
    """Returns the settings that determine the run, and the genotype of a training run."""
    fields = [field for field in dataclasses.fields(config) if field.metadata["recorded"]]
    table = {field.name: getattr(config, field.name) for field in fields}
    if isinstance(config, TrainingConfig) and genotype is not None:
        table["genotype"] = training_flag_lines(config, genotype)[-1].partition("=")[2]
    return table


def _scalar(tag: str, value: float) -> Summary:
    """Returns a number in float32, of which a perplexity at the beginning may be beyond the end."""
    most = float(np.finfo(np.float32).max)
    return scalar_pb(tag, np.clip(value, -most, most))


def _seconds(line: Mapping[str, Any]) -> float:
    return float(line["timing"].get("seconds", 0.0))
