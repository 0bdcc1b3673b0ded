"""The page of a search: what it draws is what the records say."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.data import DATASETS
from darts_tf.errors import UserError
from darts_tf.report import search
from darts_tf.report.content import explained
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.runs import read_run
from darts_tf.runs.directory import RunDirectory
from darts_tf.searching.plugs import choose, described, run_flags
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import STAGED_CELLS
from tests.histories import searched, searched_in
from tests.other_space import ladder


def lines_of(run):
    return [json.loads(line) for line in run.history.read_text().splitlines()]


def series_of(charts, title):
    [found] = [chart for chart in charts if chart["title"] == title]
    return {series["name"]: series["values"] for series in found["series"]}


@pytest.fixture
def run(tmp_path, seed):
    return searched(tmp_path / "run", seed, epochs=5)


def test_the_weights_are_the_softmax_of_the_alphas_and_the_alphas_those_of_the_records(run):
    tables = search.content(read_run(run))["tables"]
    assert set(tables) == {"normal", "reduce"}
    for epoch, line in enumerate(lines_of(run)):
        for cell, table in line["alphas"].items():
            for edge, row in enumerate(table):
                total = sum(math.exp(value) for value in row)
                shares = [math.exp(value) / total for value in row]
                assert tables[cell]["weights"][epoch][edge] == pytest.approx(shares, abs=6e-5)
                assert tables[cell]["alphas"][epoch][edge] == pytest.approx(row, abs=6e-5)


def test_the_first_edge_is_the_shallowest_and_the_last_one_the_deepest(run):
    edges = search.content(read_run(run))["tables"]["normal"]["edges"]
    assert edges[0] == [0, 2]
    assert edges[-1] == [4, 5]
    assert edges == sorted(edges, key=lambda edge: (edge[1], edge[0]))
    assert len(edges) == 14


def test_the_cells_of_an_epoch_are_those_of_its_genotype(run):
    genotypes = search.content(read_run(run))["genotypes"]
    for drawn, line in zip(genotypes, lines_of(run), strict=True):
        for cell in ("normal", "reduce"):
            edges = line["genotype"][cell]
            assert drawn[cell] == {
                "inputs": 2,
                "nodes": [edges[i : i + 2] for i in range(0, len(edges), 2)],
                "output": line["genotype"][f"{cell}_concat"],
            }


def test_skip_connects_and_ranking_are_counted_anew_from_the_records(run):
    charts = search.content(read_run(run))["charts"]["stopping"]
    skips = series_of(charts, "Skip-connects in a cell")
    held = series_of(charts, "Epochs without a change of the ranking")
    for cell, name in (("normal", "Normal cell"), ("reduce", "Reduction cell")):
        lines = lines_of(run)
        counted = [
            sum(link[0] == "skip_connect" for link in line["genotype"][cell]) for line in lines
        ]
        assert skips[name] == counted
        orders = [
            [sorted(range(4, 8), key=lambda column, row=row: -row[column]) for row in rows]
            for rows in (line["alphas"][cell] for line in lines)
        ]
        stable = []
        for epoch in range(len(lines)):
            back = 0
            while back < epoch and orders[epoch - back - 1] == orders[epoch]:
                back += 1
            stable.append(back)
        # An edge may have held for longer than all of them together, never for less.
        assert all(found >= least for found, least in zip(held[name], stable, strict=True))
        assert held[name][0] == 0


def test_losses_and_accuracies_are_those_of_the_records(run):
    charts = search.content(read_run(run))["charts"]["learning"]
    lines = lines_of(run)
    for title, key, factor in (("Loss, nats", "loss", 1), ("Accuracy, %", "accuracy", 100)):
        found = series_of(charts, title)
        for name, part in (("training", "train"), ("validation", "valid")):
            wanted = [factor * line[f"{part}_{key}"] for line in lines]
            assert found[name] == pytest.approx(wanted, rel=1e-5)
    rates = series_of(charts, "Learning rate")["weights"]
    assert rates == pytest.approx([line["learning_rate"] for line in lines], rel=1e-5)


def test_the_end_and_its_reason_are_those_of_the_outcome(run, tmp_path, seed):
    outcome = json.loads(run.genotype.read_text())
    stop = search.content(read_run(run))["stop"]
    assert stop == {"epoch": outcome["epoch"], "reason": outcome["reason"]}
    page = search.page(read_run(run))
    assert page.finished
    assert outcome["reason"] in page.html()
    going_on = search.page(read_run(searched(tmp_path / "going on", seed, 3, finished=False)))
    assert not going_on.finished
    assert going_on.data["stop"] is None
    assert "under way: 3 of at most 3 epochs" in going_on.html()


def test_the_criterion_in_force_marks_its_limit(tmp_path, seed):
    for number, (criterion, marked) in enumerate(
        (("skip_connects", [3, None]), ("stable_ranking", [None, 7]), ("none", [None, None]))
    ):
        run = searched(
            tmp_path / str(number),
            seed,
            1,
            stop_criterion=criterion,
            stop_at_skip_connects=3,
            stable_epochs=7,
        )
        charts = search.content(read_run(run))["charts"]["stopping"]
        assert [chart.get("limit") for chart in charts] == marked


def test_stages_have_cells_of_their_own(tmp_path, seed):
    run = searched(tmp_path / "run", seed, 2, share_alphas="stage")
    content = search.content(read_run(run))
    assert set(content["tables"]) == set(STAGED_CELLS)
    assert list(content["captions"].values()) == [caption(cell) for cell in content["tables"]]
    assert len(content["charts"]["stopping"][0]["series"]) == 5


def test_a_search_in_another_space_shows_its_edges_strengths_and_measures(tmp_path, seed):
    space = ladder()
    run = searched_in(space, tmp_path / "run", seed)
    content = search.content(read_run(run))
    table = content["tables"]["rung"]
    assert table["columns"] == ["none", "skip_connect", "sep_conv_3x3", "gaussian_blur_5x5"]
    assert table["edges"] == [[edge.source, edge.target] for edge in space.edges("rung")]
    assert table["names"][:3] == ["c(k\N{MINUS SIGN}1) \N{RIGHTWARDS ARROW} 0"] + [
        f"{source} \N{RIGHTWARDS ARROW} 1" for source in ("c(k\N{MINUS SIGN}1)", "0")
    ]
    for epoch, line in enumerate(lines_of(run)):
        for edge, (source, _, _) in enumerate(space.edges("rung")):
            wanted = [round(value, 4) for value in line["strengths"]["rung"][edge]]
            if source:
                wanted[3] = None
            assert table["weights"][epoch][edge] == wanted
    assert content["looks"]["gaussian_blur_5x5"] == {"family": "blur", "color": "#8250df"}
    assert content["looks"]["sep_conv_3x3"] == {"family": "separable"}
    measures = content["charts"]["measures"]
    assert series_of(measures, "Temperature")["temperature"] == [5, 4, 3, 2, 1]
    assert series_of(measures, "Stage")["stage"] == [0, 0, 1, 1, 1]
    page = search.page(read_run(run))
    assert "Measures of the method and the criterion" in dict(page.sections)
    assert page.about.endswith(" Genotypes are read from warm weights.")


def test_a_measure_that_some_epochs_lack_is_drawn_as_points(run):
    lines = lines_of(run)
    for epoch, line in enumerate(lines):
        line["measures"] = {"temperature": epoch} | ({} if epoch % 2 else {"curvature": 0.5})
    run.history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = search.content(read_run(run))["charts"]["measures"]
    charts = {chart["title"]: chart for chart in found}
    assert charts["Curvature"]["points"] == ["curvature"]
    assert charts["Curvature"]["series"][0]["values"][:3] == [0.5, None, 0.5]
    assert "points" not in charts["Temperature"]


def test_a_stage_with_fewer_candidates_shows_those_alone(run):
    lines = lines_of(run)
    rows = [["skip_connect", "sep_conv_5x5"], ["dil_conv_3x3"], *[["none", "sep_conv_3x3"]] * 12]
    tables = {cell: [[0.5, 1.5], [2.5, 0.0], *[[0.0, 0.0]] * 12] for cell in ("normal", "reduce")}
    lines[-1] |= {"alphas": tables, "kept": {"normal": rows, "reduce": rows}, "stage": 1}
    run.history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = search.content(read_run(run))["tables"]["normal"]
    alphas = [dict(zip(table["columns"], row, strict=True)) for row in table["alphas"][-1]]
    left = [{name: value for name, value in row.items() if value is not None} for row in alphas]
    assert left[:2] == [{"skip_connect": 0.5, "sep_conv_5x5": 1.5}, {"dil_conv_3x3": 2.5}]
    weights = dict(zip(table["columns"], table["weights"][-1][0], strict=True))
    assert weights["sep_conv_5x5"] == pytest.approx(1 / (1 + math.exp(-1)), abs=6e-5)
    assert None not in table["alphas"][0][0]


def test_a_space_that_is_not_registered_is_shown_as_the_run_wrote_it_down(run):
    known = search.content(read_run(run))["tables"]
    run.config.write_text(run.config.read_text() + "--space=of_my_own\n")
    assert search.content(read_run(run))["tables"] == known


def test_a_changed_config_of_a_registered_space_has_its_edges_and_operations(tmp_path, seed):
    space = spaces.get({"name": "darts", "nodes": 1})
    content = search.content(read_run(searched_in(space, tmp_path / "run", seed)))
    table = content["tables"]["normal"]
    assert table["edges"] == [[0, 2], [1, 2]]
    assert table["columns"] == list(DARTS.candidates)
    weights = np.array(table["weights"][-1])
    record = read_run(RunDirectory(tmp_path / "run", "search")).records[-1]
    np.testing.assert_allclose(weights, record.strengths["normal"], atol=1e-4)


def test_another_space_of_the_same_name_is_refused_in_the_directory(tmp_path, seed):
    run = searched(tmp_path / "run", seed)
    config, plugs = choose(SearchConfig(dataset="digits"), space={"name": "darts", "nodes": 1})
    with pytest.raises(UserError, match="expected the search space of the run there"):
        run.describe(described(config, plugs))


def test_a_space_of_a_run_that_wrote_none_down_is_shown_by_numbers_unless_registered(run):
    known = search.content(read_run(run))["tables"]
    run.description.unlink()
    assert search.content(read_run(run))["tables"] == known
    run.config.write_text(run.config.read_text() + "--space=of_my_own\n")
    table = search.content(read_run(run))["tables"]["normal"]
    assert table["names"][:2] == ["edge 0", "edge 1"]
    assert table["columns"][7] == "candidate 7"
    assert search.page(read_run(run)).html()


def test_a_search_without_an_epoch_has_a_page(tmp_path, seed):
    text = search.page(read_run(searched(tmp_path / "run", seed, epochs=0))).html()
    assert "The first epoch is under way" in text


def test_every_setting_is_shown_and_others_than_the_default_stand_out(run):
    text = search.page(read_run(run)).html()
    for line in run.config.read_text().splitlines()[1:]:
        name, _, value = line.removeprefix("--").partition("=")
        name = name.replace("_", "_<wbr>")
        value = value.replace("_", "_<wbr>") or "<i>empty</i>"
        assert f"><dt>{name}</dt><dd>{value}</dd></div>" in text
        if name in ("dataset", "epochs"):
            stands_out = f'<div class="changed" title="[^"]*"><dt>{name}</dt><dd>{value}</dd></div>'
            assert re.search(stands_out, text)


def test_settings_that_the_data_set_decides_do_not_stand_out(tmp_path):
    config, plugs = choose(SearchConfig(dataset="digits", seed=5))
    facts = DATASETS["digits"]
    config = config.resolved(facts)
    assert (config.stem, config.portions_by) != (SearchConfig().stem, SearchConfig().portions_by)
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(run_flags(config, plugs))
    run.describe(described(config, plugs, facts))
    changed = [name for name, _, _, changed in explained(read_run(run)) if changed]
    assert changed == ["dataset", "seed"]


def test_sixty_epochs_of_five_cells_fit_in_a_megabyte_and_a_half(tmp_path, seed):
    run = searched(tmp_path / "run", seed, 60, share_alphas="stage")
    assert len(search.page(read_run(run)).html().encode()) < 1.5e6
