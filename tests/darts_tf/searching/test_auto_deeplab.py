"""Auto-DeepLab's space from a search to a served network, on the digits."""

import json
import re

import numpy as np
import pytest

import darts_tf
from darts_tf import spaces
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.auto_deeplab import path_levels
from darts_tf.spaces.genotype import read_genotype
from tests import contracts
from tests.some_spaces import SmallTrellis

SPACE = SmallTrellis()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("auto_deeplab")


@pytest.fixture(scope="module")
def found(folder):
    config = SearchConfig(
        dataset="digits",
        data_dir=str(folder / "data"),
        epochs=3,
        arch_start_epoch=1,
        batch_size=300,
        layers=3,
        init_channels=2,
        arch_learning_rate=3e-3,
        stop_criterion="stable_ranking",
    )
    with contracts.known(spaces, SPACE), contracts.repeatable():
        return darts_tf.search(config, folder / "search", space=SPACE, verbose=0)


def test_the_cell_and_the_path_learn_after_the_weights_alone(found):
    SPACE.check(found.genotype)
    moved = [record.moved for record in found.records]
    assert moved[0] == {"cell": 0.0, "path": 0.0}
    assert all(min(each.values()) > 0 for each in moved[1:])
    for record in found.records:
        assert [len(record.stable_epochs[cell]) for cell in SPACE.cells] == [2, 6]
        betas = np.array(record.strengths["path"])
        np.testing.assert_allclose(betas.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_array_equal(betas[~SPACE.mask("path")], 0)
        assert SPACE.derive(record.strengths) == record.genotype


def test_the_page_shows_the_cell_and_the_path(found, folder):
    page = (folder / "search" / "report.html").read_text(encoding="utf-8")
    content = json.loads(
        re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1]
    )
    last = content["genotypes"][-1]
    assert [edge for node in last["cell"]["nodes"] for edge in node] == [
        [operation, source] for operation, source, _ in found.genotype.edges("cell")
    ]
    assert [int(node[0][0][-1]) for node in last["path"]["nodes"]] == [*path_levels(found.genotype)]
    names = content["tables"]["path"]["names"]
    assert len(set(names)) == len(names) == 6


def test_its_network_is_trained_exported_and_as_deep_as_the_path(found, folder):
    config = TrainingConfig(
        dataset="digits",
        data_dir=str(folder / "data"),
        epochs=1,
        batch_size=100,
        layers=3,
        init_channels=4,
        auxiliary_weight=0.0,
        warmup_epochs=0,
    )
    with contracts.known(spaces, SPACE), contracts.repeatable():
        genotype = read_genotype(RunDirectory(folder / "search", "search").read_outcome())
        assert genotype == found.genotype
        trained = darts_tf.train(config, genotype, folder / "network", verbose=0)
    assert 0 <= trained.result["top1_error_percent"] <= 100
    assert trained.model.get_layer("cell_2").output.shape[-1] == 4 * 2 ** path_levels(genotype)[-1]
    served = export_saved_model(trained.model, folder / "served", result=trained.result)
    assert (served / "saved_model.pb").exists()
