import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Space
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.shared_trace import SharedTraces
from tests import weights
from tests.oracles import cells, tape, trees
from tests.oracles.cells import edges_of, wiring
from tests.oracles.operations import CANDIDATES
from tests.oracles.parameters import random_cell
from tests.oracles.tape import Var

CHANNELS, INPUTS = 4, (6, 5)
KINDS = [(False, False), (False, True), (True, False), (True, True)]


# Cells of two nodes, the second of which has an edge from the first.
EDGES = wiring(edges_of(2))
SAME = (tuple(CANDIDATES),) * len(EDGES)
ONE_NODE = SAME[: edges_of(1)]
# What an edge of RobustDARTS's first space may choose from differs from edge to edge.
DIFFERENT = tuple(
    tuple(CANDIDATES)[number % 4 : number % 4 + 2 + number % 3] for number in range(len(EDGES))
)


WEIGHTS = {"chosen", "skip_dropout"}


class Mixed(Space):
    """Cells wired as DARTS's, whose edges have candidates of their own."""

    name = "mixed"
    cells = ("normal",)

    def __init__(self, candidates):
        self.candidates = candidates

    def edges(self, cell):
        wires = wiring(len(self.candidates))
        return tuple(Edge(*edge, names) for edge, names in zip(wires, self.candidates, strict=True))


class Triangle(Space):
    """NAS-Bench-201's cell with a node less."""

    name = "triangle"
    cells = ("cell",)
    inputs = 1

    def edges(self, cell):
        pairs = ((0, 1), (0, 2), (1, 2))
        return tuple(Edge(*pair, ("none", "skip_connect")) for pair in pairs)

    def output(self, cell):
        return (2,)


class Twins:
    """Our cell and the twin's on the same random numbers.

    Args:
        seed: Of all that is random.
        kind: Whether the cell reduces, and whether the previous one does.
        size: Rows and columns of the previous cell's image.
        dtype: Of our cell.
        candidates: Those of each edge.
        partial: K.
    """

    def __init__(self, seed, kind, size=(6, 8), dtype="float64", candidates=SAME, partial=1):
        self.rng = rng = np.random.default_rng(seed)
        self.kind, self.dtype, self.partial = kind, dtype, partial
        larger = tuple(2 * side - side % 2 for side in size) if kind[1] else size
        edges = len(candidates)
        shapes = ((2, *larger, INPUTS[0]), (2, *size, INPUTS[1]), (edges, 8), (edges,))
        self.arrays = [rng.normal(size=shape) for shape in shapes]
        self.params = random_cell(rng, INPUTS, CHANNELS, *kind, candidates, partial)
        self.cell = SearchCell(CHANNELS, *kind, Mixed(candidates), partial=partial, dtype=dtype)

    def ours(self, with_edges=False, recompute=False, **options):
        """Result and gradients, those of the variables last."""
        inputs = [tf.constant(array, self.dtype) for array in self.arrays[: 3 + with_edges]]
        weights_given = {name: options.pop(name) for name in WEIGHTS & options.keys()}
        cell = self.cell
        cell.traces = SharedTraces(recompute)

        def call():
            edge_weights = EdgeWeights(*inputs[2:], **weights_given)
            return cell(*inputs[:2], edge_weights, training=True, **options)

        if not cell.built:
            cell.build(*(array.shape for array in self.arrays[:2]))
        variables = weights.assign(weights.of_cell(cell), self.params)
        rows, columns = (-(-size // (1 + self.kind[0])) for size in self.arrays[1].shape[1:3])
        outputs = len(cell.search_space.output("normal")) * CHANNELS
        self.adjoint = self.rng.normal(size=(2, rows, columns, outputs))

        @tf.function(autograph=False)
        def differentiate():
            with tf.GradientTape() as gradient_tape:
                gradient_tape.watch(inputs)
                result = call()
                scalar = tf.reduce_sum(result * tf.constant(self.adjoint, self.dtype))
            return result, gradient_tape.gradient(scalar, [*inputs, *variables])

        result, gradients = differentiate()
        return [result, *gradients]

    def right(self, with_edges=False, **options):
        """The same of the twin."""
        inputs = [Var(array) for array in self.arrays[: 3 + with_edges]]
        params = trees.map_leaves(Var, self.params)
        result = cells.search_cell(
            *inputs[:3], params, *self.kind, *inputs[3:], partial=self.partial, **options
        )
        tape.backward(result, self.adjoint)
        variables = [*inputs, *weights.flat(params)]
        return [result.value, *(variable.grad for variable in variables)]


def agree(ours, right):
    for mine, other in zip(ours, right, strict=True):
        if np.any(other):
            assert weights.relative_error(mine, other) < 1e-9
        else:
            assert not np.any(mine)


@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_equals_its_twin_forwards_and_backwards(kind, size, seed):
    twins = Twins(seed, kind, size)
    agree(twins.ours(), twins.right())


@pytest.mark.parametrize("kind", [(False, False), (True, False)])
def test_edges_of_different_candidates_and_weights_equal_their_twin(kind, seed):
    twins = Twins(seed, kind, candidates=DIFFERENT)
    agree(twins.ours(with_edges=True), twins.right(with_edges=True))


@pytest.mark.parametrize(
    ("kind", "size", "with_edges"),
    [((False, False), (6, 8), True), ((True, True), (5, 7), True), ((True, False), (6, 8), False)],
)
def test_part_of_the_channels_equals_its_twin(kind, size, with_edges, seed):
    twins = Twins(seed, kind, size, partial=2)
    agree(twins.ours(with_edges), twins.right(with_edges))


@pytest.mark.parametrize(
    ("kind", "size", "recompute", "first"),
    [
        ((False, False), (6, 8), False, 0),
        ((True, True), (6, 8), True, 2),
        ((True, False), (5, 7), False, 4),
        ((False, True), (6, 8), True, 6),
    ],
)
def test_chosen_candidates_alone_equal_their_twin(kind, size, recompute, first, seed):
    twins = Twins(seed, kind, size, candidates=ONE_NODE)
    # Every candidate is chosen on an edge of one of the cells.
    chosen = twins.rng.permutation([first, first + 1])
    ours = twins.ours(chosen=tf.constant(chosen, tf.int32), recompute=recompute)
    agree(ours, twins.right(chosen=chosen))
    unchosen = np.arange(8) != chosen[:, None]
    assert not np.any(ours[3].numpy()[unchosen])


def test_only_the_chosen_move_their_running_averages(seed):
    twins = Twins(seed, (True, False), candidates=ONE_NODE)
    chosen = twins.rng.integers(0, 8, len(ONE_NODE))
    twins.ours(chosen=tf.constant(chosen, tf.int32))
    cell, names, edges = twins.cell, tuple(CANDIDATES), wiring(len(chosen))
    for edge, choice in zip(cell.edges, chosen, strict=True):
        for name, operation in edge.operations.items():
            moved = [
                np.any(v.numpy() != (v.name == "moving_variance"))
                for v in operation.non_trainable_variables
            ]
            assert all(moved) if name == names[choice] else not any(moved)
    for number, source in enumerate(cell.sources):
        read = {names[c] for c, (start, _) in zip(chosen, edges, strict=True) if start == number}
        for name, norm in source.norms.items():
            assert np.any(norm.moving_mean.numpy()) == (name in read)


def test_with_the_channels_in_part_only_the_chosen_count(seed):
    twins = Twins(seed, (False, True), partial=2)
    chosen = twins.rng.integers(0, 8, len(EDGES))
    ours = twins.ours(with_edges=True, chosen=tf.constant(chosen, tf.int32))
    agree(ours, twins.right(with_edges=True, chosen=chosen))


@pytest.mark.parametrize("kind", [(False, False), (True, False)])
def test_dropout_of_identity_skips_equals_its_twin(kind, seed):
    twins = Twins(seed, kind)
    draw, rate, skip = tf.constant([seed, 5]), 0.3, tuple(CANDIDATES).index("skip_connect")
    kept = []
    for number in range(len(EDGES)):
        own = fold_in(fold_in(draw, number), skip)
        uniform = tf.random.stateless_uniform((2, 6, 8, CHANNELS), own, dtype=tf.float64)
        kept.append((uniform.numpy() < 1 - rate) / (1 - rate))
    ours = twins.ours(seed=draw, skip_dropout=tf.constant(rate, tf.float64))
    if kind[0]:  # nodes are half as large, and edges from the inputs have no identity
        kept = [mask[:, :3, :4] for mask in kept]
        for number in range(len(EDGES)):
            own = fold_in(fold_in(draw, number), skip)
            uniform = tf.random.stateless_uniform((2, 3, 4, CHANNELS), own, dtype=tf.float64)
            kept[number] = (uniform.numpy() < 1 - rate) / (1 - rate)
    agree(ours, twins.right(kept=kept))


def test_without_a_rate_or_a_seed_nothing_is_dropped(seed):
    twins = Twins(seed, (False, False), candidates=(("skip_connect", "dil_conv_3x3"),) * 2)
    plain = twins.ours()
    for options in ({"seed": tf.constant([1, 2])}, {"skip_dropout": tf.constant(0.5, tf.float64)}):
        np.testing.assert_array_equal(twins.ours(**options)[0], plain[0])


def test_a_cell_of_one_input_ends_in_the_node_that_the_space_says(seed):
    cell = SearchCell(CHANNELS, search_space=Triangle(), dtype="float64")
    image = tf.constant(np.random.default_rng(seed).normal(size=(2, 6, 8, 5)))
    mixing = tf.constant([[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]], tf.float64)
    result = cell(image, image, mixing)
    np.testing.assert_allclose(result, cell.preprocess_1(tf.nn.relu(image)), rtol=1e-12)
    assert not any("preprocess_0" in variable.path for variable in cell.variables)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_equals_its_twin_in_float32(kind, seed):
    twins = Twins(seed, kind, (8, 8), "float32")
    assert weights.relative_error(twins.ours()[0], twins.right()[0]) < 1e-5


@pytest.mark.parametrize("partial", [0, 3])
def test_a_part_that_does_not_divide_the_channels_is_refused(partial):
    with pytest.raises(ValueError, match=f"expected a divisor of 4 channels, got {partial}"):
        SearchCell(CHANNELS, partial=partial)


def test_a_space_of_choices_that_form_no_cell_makes_none():
    with pytest.raises(ValueError, match="expected a search space with edges, got"):
        SearchCell(CHANNELS, search_space=SearchSpace(("skip_connect", "sep_conv_3x3")))
