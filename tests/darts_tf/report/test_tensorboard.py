"""What TensorBoard reads back of a run: the history, whatever has befallen the run."""

import dataclasses
import io
import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.errors import UserError
from darts_tf.report.pictures.drawing import Look, picture
from darts_tf.report.pictures.heat_map import heat_map
from darts_tf.report.tensorboard import Board
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces import zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, read_genotype
from tests import events
from tests.stages import by_stage

SEARCH = SearchConfig(dataset="digits", epochs=30, learning_rate=0.1)
TRAINING = TrainingConfig(dataset="digits", epochs=4)


def searched(seed, epochs, cells=CELLS):
    """Lines of a history, after a way through JSON."""
    rng = np.random.default_rng(seed)
    lines = []
    for epoch in range(epochs):
        alphas = {cell: rng.normal(size=(14, 8)) for cell in cells}
        genotype = derive(softmax(alphas), DARTS)
        record = EpochRecord(
            epoch=epoch,
            alphas={cell: tuple(map(tuple, table.tolist())) for cell, table in alphas.items()},
            skip_connects=genotype.skip_connects(),
            stable_epochs={cell: tuple(rng.integers(0, 9, 14).tolist()) for cell in cells},
            genotype=genotype,
            train_loss=rng.random(),
            train_accuracy=rng.random(),
            valid_loss=rng.random(),
            valid_accuracy=rng.random(),
            learning_rate=rng.random(),
            timing={"seconds": 2.0, "images_per_second": 99.0, "waiting": 0.25},
        )
        lines.append(json.loads(json.dumps(record.to_dict())))
    return lines


def trained(epochs):
    timing = {"seconds": 2.0, "images_per_second": 99.0, "waiting": 0.25}
    return [
        {"epoch": epoch, "train_loss": 1 / (epoch + 1), "train_accuracy": epoch / 10}
        | {"learning_rate": 0.1, "drop_path": 0.2 * epoch, "timing": timing}
        for epoch in range(epochs)
    ]


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path, "search")


def check_pictures(shown, lines, drawn):
    for tag in ("cells", *(f"heat_maps/{cell}" for cell in lines[0]["alphas"])):
        assert shown.kinds[tag] == "images"
        assert sorted(shown.values[tag]) == drawn
    last = lines[drawn[-1]]
    width, height, png = shown.values["cells"][drawn[-1]]
    assert png == picture(read_genotype(last["genotype"]), "png", dpi=100, look=Look(solid=True))
    assert imread(io.BytesIO(png)).shape[:2] == (int(height), int(width))


# Each tenth part of 30 epochs ends with pictures, and so does the last epoch.
@pytest.mark.parametrize(
    ("cells", "epochs", "drawn"),
    [(CELLS, 4, [2, 3]), (STAGED_CELLS, 3, [2])],
    ids=["network", "stage"],
)
def test_a_search_is_shown_as_its_history_has_it(run, seed, cells, epochs, drawn):
    lines = searched(seed, epochs, cells)
    shown = Board(run, SEARCH, lines[:1])
    for line in lines[1:]:
        shown.add(line)
    shown.finish()
    found = events.read(run.tensorboard)
    events.check_scalars(found, lines)
    events.check_histograms(found, lines)
    check_pictures(found, lines, drawn)
    assert found.ended
    for cell in cells:
        width, height, png = found.values[f"heat_maps/{cell}"][drawn[-1]]
        assert imread(io.BytesIO(png)).shape[:2] == (int(height), int(width))


def test_a_training_is_shown_with_its_cells_and_its_errors(run):
    lines = trained(4)
    genotype = by_stage("DARTS_V1")
    shown = Board(run, TRAINING, (), genotype)
    for line in lines:
        shown.add(line)
    assert not events.read(run.tensorboard).ended
    shown.finish(
        {"top1_error_percent": 2.5, "top5_error_percent": 0.5, "parameters": 7, "classes": ["a"]}
    )
    found = events.read(run.tensorboard)
    events.check_scalars(found, lines)
    assert found.values["test/top1_error_percent"] == {3: 2.5}
    assert found.values["test/top5_error_percent"] == {3: 0.5}
    assert found.values["cells"][0][2] == picture(genotype, "png", dpi=100, look=Look(solid=True))
    assert found.settings["genotype"] == genotype.to_json().replace(" ", "")
    assert found.ended


def test_a_perplexity_beyond_float32_is_shown_at_its_end(run):
    [line] = trained(1)
    shown = Board(run, TRAINING, (), by_stage("DARTS_V1"))
    shown.add({**line, "valid_perplexity": 1e300})
    found = events.read(run.tensorboard)
    assert found.values["perplexity/valid"] == {0: float(np.finfo(np.float32).max)}


def test_the_settings_that_make_a_run_are_its_hyperparameters(run, tmp_path):
    Board(run, SEARCH, ())
    found = events.read(run.tensorboard).settings
    recorded = [field for field in dataclasses.fields(SEARCH) if field.metadata["recorded"]]
    assert found == {field.name: getattr(SEARCH, field.name) for field in recorded}
    assert {"learning_rate", "stop_criterion", "seed"} <= found.keys()
    other = RunDirectory(tmp_path / "other", "train")
    other.path.mkdir()
    Board(other, TRAINING, (), zoo.get("DARTS_V2"))
    assert events.read(other.tensorboard).settings["genotype"] == "DARTS_V2"


# Where a run was killed and how far back its checkpoint was; pictures are tested above.
@settings(
    max_examples=20,
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=3), st.data())
def test_no_step_is_doubled_or_missing_wherever_a_run_was_killed(tmp_path_factory, kills, data):
    run = RunDirectory(tmp_path_factory.mktemp("run"), "search")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Board, "_pictures", lambda board, line: ())
        lines = searched(5, 7)
        done = 0
        for add, back in kills:
            shown = Board(run, SEARCH, lines[:done])
            for line in lines[done : done + add]:
                shown.add(line)
            [file] = run.tensorboard.iterdir()
            size = file.stat().st_size
            os.truncate(file, size - data.draw(st.integers(0, min(size, 300))))  # killed there
            done = max(0, min(len(lines), done + add) - back)
        shown = Board(run, SEARCH, lines[:done])
        for line in lines[done:]:
            shown.add(line)
        shown.finish()
    found = events.read(run.tensorboard)
    events.check_scalars(found, lines)
    events.check_histograms(found, lines)


def test_a_tensorboard_that_has_read_the_file_before_forgets_what_is_made_afresh(run, seed):
    lines = trained(3)
    shown = Board(run, TRAINING, ())
    for line in lines:
        shown.add(line)
    [old] = run.tensorboard.iterdir()
    before = old.read_bytes()
    Board(run, TRAINING, lines[:2]).add(lines[2])
    old.write_bytes(before)  # it has read this one first, whose name comes first
    assert len(list(run.tensorboard.iterdir())) == 2
    events.check_scalars(events.read(run.tensorboard), lines)


def test_what_others_have_written_there_stays(run):
    trace = run.tensorboard / "plugins" / "profile" / "now" / "trace.pb"
    trace.parent.mkdir(parents=True)
    trace.write_text("a trace")
    (run.tensorboard / "events.out.tfevents.1.profile-empty").touch()
    for _ in range(2):
        Board(run, TRAINING, trained(1))
    assert trace.read_text() == "a trace"
    assert len(list(run.tensorboard.glob("events.*"))) == 2
    events.check_scalars(events.read(run.tensorboard), trained(1))


def test_a_line_that_cannot_be_written_is_one_line_to_the_user(run):
    run.tensorboard.touch()
    with pytest.raises(UserError, match=rf"--run_dir={run.path}: .*; expected a directory"):
        Board(run, TRAINING, ())
    run.tensorboard.unlink()
    shown = Board(run, TRAINING, ())
    [file] = run.tensorboard.iterdir()
    file.unlink()
    if os.path.exists("/dev/full"):
        file.symlink_to("/dev/full")
        with pytest.raises(UserError, match="No space left on device; make room"):
            shown.add(trained(1)[0])


def test_the_pictures_of_a_search_are_those_of_its_record(run, seed):
    [line] = searched(seed, 1)
    Board(run, SEARCH, [line]).finish()
    found = events.read(run.tensorboard).values
    title = "Reduction cell: alphas after epoch 0"
    nodes = ("c(k-2)", "c(k-1)", "0", "1", "2", "3")
    edges = [f"{nodes[a]} \N{RIGHTWARDS ARROW} {nodes[b]}" for a, b, _ in DARTS.edges("reduce")]
    expected = heat_map(np.array(line["alphas"]["reduce"]), edges, DARTS.candidates, title)
    assert found["heat_maps/reduce"][0][2] == expected
