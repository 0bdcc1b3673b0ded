"""Reads event files the way TensorBoard does."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.util import tensor_util

HPARAMS = metadata.PLUGIN_NAME


class Board(NamedTuple):
    """The content of a folder of event files as TensorBoard shows it.

    Attributes:
        values: The tensor of each tag and step: a number, a histogram [buckets, 3], or an image as
            its width, height and bytes. Duplicate steps are an error.
        kinds: The plugin that shows each tag.
        settings: The hyperparameters.
        ended: Whether the run was recorded as successful.
    """

    values: dict[str, dict[int, np.ndarray]]
    kinds: dict[str, str]
    settings: dict[str, object]
    ended: bool


def read(folder: Path) -> Board:
    """Reads all event files of a folder."""
    everything = dict.fromkeys(("scalars", "histograms", "images"), 0)
    found = EventAccumulator(str(folder), tensor_size_guidance=everything)
    found.Reload()
    values: dict[str, dict[int, np.ndarray]] = {}
    kinds, settings, ended = {}, {}, False
    for tag in found.Tags()["tensors"]:
        kind = found.SummaryMetadata(tag).plugin_data
        if kind.plugin_name == HPARAMS:
            if tag == metadata.SESSION_START_INFO_TAG:
                start = metadata.parse_session_start_info_plugin_data(kind.content)
                settings = {
                    name: getattr(value, value.WhichOneof("kind"))
                    for name, value in start.hparams.items()
                }
            else:
                end = metadata.parse_session_end_info_plugin_data(kind.content)
                ended = end.status == 1
            continue
        kinds[tag] = kind.plugin_name
        events = found.Tensors(tag)
        values[tag] = {event.step: tensor_util.make_ndarray(event.tensor_proto) for event in events}
        assert len(values[tag]) == len(events), f"{tag}: a step twice in {folder}"
    return Board(values, kinds, settings, ended)


def check_scalars(shown: Board, lines: list[dict]) -> None:
    """Checks that every number of a history is shown at its epoch, and nothing else."""
    scalars = {tag for tag, kind in shown.kinds.items() if kind == "scalars"}
    names = {
        "loss/train": lambda line: line["train_loss"],
        "accuracy/train": lambda line: line["train_accuracy"],
        "learning_rate": lambda line: line["learning_rate"],
    }
    if "valid_loss" in lines[0]:
        names["loss/valid"] = lambda line: line["valid_loss"]
        names["accuracy/valid"] = lambda line: line["valid_accuracy"]
    if "drop_path" in lines[0]:
        names["drop_path"] = lambda line: line["drop_path"]
    for name in lines[0]["timing"]:
        names[f"timing/{name}"] = lambda line, name=name: line["timing"][name]
    for cell in lines[0].get("alphas", ()):
        names[f"skip_connects/{cell}"] = lambda line, cell=cell: line["skip_connects"][cell]
        names[f"stable_epochs/{cell}"] = lambda line, cell=cell: min(line["stable_epochs"][cell])
    assert scalars - {"test/top1_error_percent", "test/top5_error_percent"} == set(names)
    for tag, value in names.items():
        expected = {line["epoch"]: np.float32(value(line)) for line in lines}
        assert shown.values[tag] == expected, tag


def check_histograms(shown: Board, lines: list[dict]) -> None:
    """Checks that the alphas of a search's history are in the right buckets."""
    for cell in lines[0]["alphas"]:
        found = shown.values[f"alphas/{cell}"]
        assert list(found) == [line["epoch"] for line in lines]
        for line in lines:
            alphas = np.ravel(line["alphas"][cell])
            left, right, counts = found[line["epoch"]].T
            edges = [*left, right[-1]]
            np.testing.assert_array_equal(counts, np.histogram(alphas, edges)[0])
            assert counts.sum() == alphas.size
