"""The picture of a study: what it shows, with and without intervals, and the same bytes twice."""

import copy

import numpy as np
import pytest
from matplotlib.figure import Figure

from darts_tf.report.pictures.study import _draw_errors, curves_picture, study_picture


def span(mean, half=None):
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return {"mean": mean, "low": low, "high": high}


CELLS = ("normal", "reduce")


def found(random, half, methods=("darts", "darts:one_level"), epochs=12, cells=CELLS):
    def curve(scale):
        means = (scale * random.random(epochs)).tolist()
        bounds = [None] * epochs if half is None else None
        return {
            "mean": means,
            "low": bounds or [mean - half for mean in means],
            "high": bounds or [mean + half for mean in means],
        }

    def row(method, rule, epoch):
        error = span(float(random.uniform(5, 9)), half)
        return {"method": method, "rule": rule, "stop_epoch": epoch, "error_percent": error}

    rules = (("end", None), ("epoch:3", None), ("epoch:9", None), ("skip_connects", 4.5))
    return {
        "rows": [row(method, rule, at) for method in methods for rule, at in rules]
        + [row("random", "", None)],
        "curves": {
            method: {
                "epoch": list(range(epochs)),
                **{f"skip_connects_{cell}": curve(8) for cell in cells},
                **{
                    f"weight_{cell}_{name}": curve(1)
                    for cell in cells
                    for name in ("none", "skip_connect", "sep_conv_3x3")
                },
            }
            for method in methods
        },
    }


@pytest.mark.parametrize("half", [None, 0.5])
def test_it_names_methods_rules_and_operations(half, seed):
    study = found(np.random.default_rng(seed), half)
    before = copy.deepcopy(study)
    text = study_picture(study, "svg").decode()
    assert study == before
    for words in (
        "darts, skip_connects",
        "darts:one_level, normal cell",
        "random",
        "sep_conv_3x3",
        "Mean weight of each operation, darts:one_level",
        "(normal cell solid, reduction cell dashed)",
    ):
        assert f">{words}<" in text
    assert study_picture(study, "svg").decode() == text


def test_cells_of_stages_have_a_panel_each_with_the_reduction_cell_after_it(seed):
    cells = ("normal_0", "reduce_0", "normal_1", "reduce_1", "normal_2")
    study = found(np.random.default_rng(seed), 0.5, cells=cells)
    text = study_picture(study, "svg").decode()
    assert text.count(">Mean weight of each operation, darts<") == 3
    assert "darts:one_level, normal cell, stage 3" in text
    for words in (
        "(normal cell, stage 1 solid,",
        "reduction cell after stage 1 dashed)",
        "(normal cell, stage 2 solid,",
        "(normal cell, stage 3)",
    ):
        assert f">{words}<" in text
    assert ">Mean weight of each operation, darts:one_level<" not in text


def test_the_weights_of_three_methods_have_a_panel_each(seed):
    methods = ("darts", "pc_darts", "gdas")
    text = study_picture(found(np.random.default_rng(seed), 0.5, methods), "svg").decode()
    assert all(f">Mean weight of each operation, {method}<" in text for method in methods)


def test_the_same_study_gives_the_same_png(seed):
    study = found(np.random.default_rng(seed), 0.25, methods=("darts",))
    picture = study_picture(study, "png", dpi=50)
    assert picture[1:4] == b"PNG"
    assert study_picture(study, "png", dpi=50) == picture


def test_intervals_are_drawn_where_there_are_some(seed):
    def bands(half):
        text = study_picture(found(np.random.default_rng(seed), half), "svg").decode()
        return text.count("FillBetweenPolyCollection")

    assert bands(None) == 0
    assert bands(0.5) > 0


def test_a_study_of_one_search_without_fixed_epochs_is_drawn(seed):
    study = found(np.random.default_rng(seed), None, methods=("darts",), epochs=1)
    study["rows"] = [row for row in study["rows"] if row["rule"] == "end"]
    assert study_picture(study, "png", dpi=50)


def test_the_line_of_a_method_ends_with_the_cell_of_the_last_epoch(seed):
    study = found(np.random.default_rng(seed), half=0.5)
    axes = Figure().subplots()
    colors = dict.fromkeys(("darts", "darts:one_level", "random"), "black")
    _draw_errors(axes, study["rows"], study["curves"], colors)
    by_label = {line.get_label(): line for line in axes.lines}
    for method in ("darts", "darts:one_level"):
        assert by_label[method].get_xdata().tolist() == [3, 9, 11]
        last = by_label[method].get_ydata()[-1]
        assert last == study["rows"][0 if method == "darts" else 4]["error_percent"]["mean"]
        assert by_label[f"{method}, skip_connects"].get_xdata().tolist() == [4.5]


def test_the_curves_mark_where_each_criterion_stops(seed):
    study = found(np.random.default_rng(seed), half=0.5)
    for row in study["rows"]:
        row["skip_connects"] = {"normal": 2.5, "reduce": 1.0}
    text = curves_picture(study, "svg").decode()
    assert "darts, normal cell" in text
    assert ">skip_connects<" in text
    assert "one_level" not in text
    assert "epoch:3" not in text
    assert curves_picture(study, "svg").decode() == text
