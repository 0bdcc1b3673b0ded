"""The space of NAS-Bench-201: its strings, its counts, and what the benchmark knows."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import darts_tf
from darts_tf import read_genotype, spaces
from darts_tf.errors import UserError
from darts_tf.spaces.foreign import bench_string
from darts_tf.spaces.nas_bench_201_accuracies import published
from tests.bench_files import RESNET, write_bench

SPACE = spaces.get("nas_bench_201")
CANDIDATES = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
CELLS = json.loads(
    Path(darts_tf.spaces.__file__).with_name("nas_bench_201.json").read_text(encoding="utf-8")
)["cells"]
# Weights, and multiply-adds with the bias of the classifier, as published in millions.
PUBLISHED = {
    1835: (73306, 7.78305),
    6111: (1073466, 153.27297),
    9930: (1288506, 184.73025),
    11472: (559386, 78.56193),
    0: (129306, 15.64737),
    11: (802426, 113.95137),
    284: (101306, 11.71521),
}


def string(choices) -> str:
    names = iter(choices)
    return "+".join(
        f"|{'|'.join(f'{next(names)}~{source}' for source in range(target))}|"
        for target in range(1, 4)
    )


@given(st.lists(st.sampled_from(CANDIDATES), min_size=6, max_size=6))
def test_its_strings_come_and_go(choices):
    text = string(choices)
    genotype = read_genotype(text)
    assert genotype.space == "nas_bench_201"
    assert [name for name, _, _ in genotype.edges("cell")] == choices
    assert bench_string(genotype) == text
    assert read_genotype(genotype.to_json()) == genotype


def test_other_cells_have_no_string():
    with pytest.raises(UserError, match="got one of the space 'darts'"):
        bench_string(darts_tf.zoo.get("DARTS_V2"))


def test_there_are_15625_cells_and_none_is_as_good_as_the_others(seed):
    assert math.prod(len(edge.candidates) for edge in SPACE.edges("cell")) == 15625
    table = np.random.default_rng(seed).permuted(np.tile(np.arange(1, 6) / 5, (6, 1)), axis=1)
    kept = SPACE.derive({"cell": table}).edges("cell")
    assert [name for name, _, _ in kept] == [CANDIDATES[row.argmax()] for row in table]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell["index"])
def test_weights_and_multiply_adds_are_the_benchmarks(cell):
    from darts_tf.networks.complexity import multiply_adds, parameters

    network = darts_tf.build_network(
        read_genotype(cell["cell"]), (32, 32, 3), classes=10, layers=15, init_channels=16
    )
    weights, millions = PUBLISHED[cell["index"]]
    assert parameters(network) == weights
    assert multiply_adds(network) + 10 == round(millions * 1e6)


class Traced:
    """Blocks of which each gives the set of operations that its image was made of."""

    def relu(self, x, name):
        return x

    def operation(self, kind, x, relu, channels, stride, name):
        return x | {(kind, name)}

    def add(self, edges, name):
        return frozenset().union(*edges)

    def zeros(self, x, stride, name):
        return x


def test_each_convolution_of_all_15625_cells_is_part_of_the_network():
    from darts_tf.networks.cell import add_cell

    place = SPACE.macro(15)[0]
    for choices in itertools.product(CANDIDATES, repeat=6):
        genotype = read_genotype(string(choices))
        [output] = add_cell(Traced(), [frozenset()], genotype, place, 16, "cell")
        kinds = [kind for kind, _ in output]
        for kind in ("nor_conv_1x1", "nor_conv_3x3"):
            assert kinds.count(kind) == choices.count(kind), genotype


# Cells with nodes that nothing reads: one, one that reads another, and all.
UNREAD = (
    "nor_conv_3x3 nor_conv_1x1 nor_conv_3x3 skip_connect nor_conv_1x1 none",
    "nor_conv_1x1 none nor_conv_3x3 nor_conv_1x1 none none",
    "nor_conv_3x3 nor_conv_3x3 none none none none",
)


@pytest.mark.parametrize("cell", [*UNREAD, "any"], ids=["one", "two", "all", "any"])
def test_weights_and_multiply_adds_of_any_cell_follow_from_its_convolutions(cell, seed):
    from darts_tf.networks.complexity import multiply_adds, parameters

    rng = np.random.default_rng(seed)
    genotype = SPACE.sample(rng) if cell == "any" else read_genotype(string(cell.split()))
    names = [name for name, _, _ in genotype.edges("cell")]
    small, large = names.count("nor_conv_1x1"), names.count("nor_conv_3x3")
    classes = int(rng.choice([10, 100, 120]))
    network = darts_tf.build_network(
        genotype, (32, 32, 3), classes=classes, layers=15, init_channels=16
    )
    more = 65 * (classes - 10)
    assert parameters(network) == 73306 + 28000 * small + 243040 * large + more
    adds = 7783040 + 3932160 * small + 35389440 * large + 64 * (classes - 10)
    assert multiply_adds(network) == adds


def test_published_accuracies_are_percents_and_the_collapse_is_among_them():
    assert len(published()) == len(CELLS) == 7
    for accuracies in published().values():
        assert all(0 < value < 100 for value in accuracies.values())
    known = SPACE.benchmark()
    collapsed = known.accuracies(read_genotype(string(["skip_connect"] * 6)))
    assert (collapsed["cifar10_valid"], collapsed["cifar10_test"]) == (39.77, 54.3)
    assert known.accuracies(read_genotype(string(["none"] * 6))) == {}


def test_the_benchmarks_own_files_are_read(tmp_path):
    write_bench(tmp_path, {RESNET: [93.0, 94.0, 95.5]})
    found = SPACE.benchmark(str(tmp_path)).accuracies(read_genotype(RESNET))
    assert found["cifar10_test"] == pytest.approx(94.1666667)
    assert found["cifar100_valid"] == pytest.approx(94.1666667 - 20)
    assert set(found) == {
        f"{images}_{part}"
        for images in ("cifar10", "cifar100", "imagenet16_120")
        for part in ("valid", "test")
    }
    with pytest.raises(UserError, match="benchmark_dir: expected the cell"):
        SPACE.benchmark(str(tmp_path)).accuracies(read_genotype(string(["none"] * 6)))


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"benchmark_dir: .*meta.pickle.pbz2"):
        SPACE.benchmark(str(tmp_path))
    with pytest.raises(UserError, match="benchmark_dir: expected none for the space 'darts'"):
        spaces.get("darts").benchmark(str(tmp_path))
    write_bench(tmp_path, {RESNET: [93.0]}, epochs="12")
    with pytest.raises(UserError, match="expected the results of 200 epochs"):
        SPACE.benchmark(str(tmp_path)).accuracies(read_genotype(RESNET))
