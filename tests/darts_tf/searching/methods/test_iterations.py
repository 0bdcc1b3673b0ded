"""Whole iterations of search methods equal those of plain NumPy in float64."""

import math
from dataclasses import replace
from typing import Any
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.engine import precision
from darts_tf.engine.scoring import Batch
from darts_tf.searching.bilevel import ARCHITECTURE_PASS, WEIGHT_PASS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.relaxations.dirichlet import concentration, draw
from darts_tf.supernet.relaxations.gumbel import gumbel
from tests import weights
from tests.oracles import agreement, attack, mixes, trees
from tests.oracles import optimizers as rules
from tests.oracles import supernet as twin
from tests.oracles.criteria import softmax_table
from tests.oracles.images import Averages

ITERATIONS, BATCH, SHAPE, CLASSES = 3, 3, (4, 4, 2), 3
EPOCH, EPOCHS = 1, 3
RADIUS = 0.03 + 0.27 * EPOCH / EPOCHS  # of SDARTS
SPACE = SearchSpace(("max_pool_3x3", "skip_connect", "dil_conv_3x3"), nodes=1)
TWO = ("skip_connect", "dil_conv_3x3")
ONE_NODE, TWO_NODES = (SearchSpace(TWO, nodes=nodes) for nodes in (1, 2))


def always(mix: Any) -> Any:
    """Makes edge weights in the same way in each pass."""
    return lambda iteration, number: mix


class Iterations:
    """Iterations of a method, of the library and in NumPy, from the same weights and batches.

    Args:
        method: The method, by name or by config.
        channels: Channels of a node in the first cell.
        seed: Random seed.
        space: The search space.
        stage: Number of the stage.
        traced: Whether an iteration is traced as a whole. With many passes that takes longer than
            to run three of them.
        **settings: Other settings of the search.
    """

    def __init__(
        self,
        method: Any,
        channels: int,
        seed: int,
        space: Any = SPACE,
        stage: int = 0,
        traced: bool = True,
        **settings: Any,
    ) -> None:
        keras.utils.set_random_seed(seed)
        rng = np.random.default_rng(seed)
        settings = {"layers": 3, "stem": "cifar", "grad_clip": 0.5, **settings}
        self.config = SearchConfig(init_channels=channels, seed=seed, **settings)
        self.method = methods.get(method)
        self.traced = traced
        self.stage = self.method.stage(stage, self.config, space, ())
        with mock.patch.object(precision, "dtype_policy", return_value="float64"):
            self.net = self.method.supernet(self.stage, self.config, CLASSES)
            self.net.build((None, *SHAPE))
            self.step = self.method.step(self.stage, self.net, self.config, None)
        for variable in self.net.architecture_variables:
            variable.assign(rng.normal(size=variable.shape, scale=0.3))
        self.method.on_epoch_begin(EPOCH, EPOCHS, self.net)
        images = rng.normal(size=(ITERATIONS, 2, BATCH, *SHAPE))
        labels = rng.integers(0, CLASSES, (ITERATIONS, 2, BATCH))
        self.batches = [[*zip(*pair, strict=True)] for pair in zip(images, labels, strict=True)]

    def architecture(self) -> dict[str, np.ndarray]:
        """The architecture parameters: alphas by cell, and betas."""
        relaxation = self.net.relaxation
        betas = {f"betas_{cell}": v for cell, v in getattr(relaxation, "betas", {}).items()}
        return trees.map_leaves(lambda v: v.numpy(), {**relaxation.alphas, **betas})

    def weights(self) -> Any:
        """The weights, as the references take them."""
        return trees.map_leaves(lambda v: v.numpy(), weights.of_supernet(self.net))

    def ours(self) -> list[float]:
        """Runs the iterations; returns their losses."""
        share = tf.fill((BATCH,), tf.constant(1 / BATCH, tf.float64))

        def iterate(step: tf.Tensor, *arrays: tf.Tensor) -> Any:
            pairs = arrays[:2], arrays[2:]
            return self.step(*(Batch(*pair, share) for pair in pairs), (EPOCH, step))

        run = tf.function(iterate, autograph=False) if self.traced else iterate
        return [
            float(run(tf.constant(number), *map(tf.constant, (*train, *valid))).loss)
            for number, (train, valid) in enumerate(self.batches)
        ]

    def seed(self, iteration: int, number: int) -> tf.Tensor:
        """The seed of a pass."""
        seed = tf.constant([self.config.seed, 0], tf.int32)
        for part in (EPOCH, iteration, number):
            seed = fold_in(seed, part)
        return seed

    def noise(self, iteration: int, number: int, draw: Any = gumbel) -> dict[str, np.ndarray]:
        """The noise of a pass, by kind of cell: that of Gumbel, or of another draw."""
        seed = self.seed(iteration, number)
        return {
            cell: draw(table.shape, fold_in(seed, place), tf.float64).numpy()
            for place, (cell, table) in enumerate(self.net.relaxation.alphas.items())
        }

    def moves(self, iteration: int, radius: float) -> dict[str, np.ndarray]:
        """The moves of a weight pass of SDARTS, by kind of cell."""
        uniform = self.noise(
            iteration,
            WEIGHT_PASS,
            lambda shape, own, dtype: tf.random.stateless_uniform(shape, own, 0, 1, dtype),
        )
        return {cell: radius * (2 * u - 1) for cell, u in uniform.items()}

    def draws(
        self, alphas: dict[str, np.ndarray], iteration: int, number: int
    ) -> dict[str, np.ndarray]:
        """The Dirichlet draws of a pass, by kind of cell."""
        seed = self.seed(iteration, number)
        return {
            cell: draw(
                concentration(tf.constant(table)),
                tf.ones(table.shape, tf.float64),
                fold_in(seed, place),
            ).numpy()
            for place, (cell, table) in enumerate(alphas.items())
        }

    def plain(
        self,
        mix: Any,
        partial: int = 1,
        weights_first: bool = False,
        nesterov: bool = False,
        beta_1: float = 0.5,
        penalty: Any = None,
        evaluate: Any = None,
        resting: Any = None,
        alphas_learn: bool = True,
        averages: Averages | None = None,
        clips_alphas: bool = False,
        rate: float | None = None,
    ) -> tuple[Any, Any, list[float]]:
        """The iterations in NumPy.

        Args:
            mix: From the numbers of iteration and pass to what makes edge weights.
            partial: K of PC-DARTS.
            weights_first: Whether the weights learn before the architecture.
            nesterov: Whether the weights' steps look ahead.
            beta_1: Decay of Adam's average of gradients.
            penalty: From the alphas to the gradients of what is added to their loss.
            evaluate: From the number of the iteration, a batch, the alphas and the weights to what
                the weights learn from.
            resting: From the number of the iteration and the path of a weight to whether it stays
                as it is.
            alphas_learn: Whether there are architecture steps.
            averages: The running averages, which each pass moves.
            clips_alphas: Whether the alphas' gradients are clipped as those of the weights are.
            rate: Learning rate of the weights; None for that of the settings.
        """
        config, alphas, params = self.config, self.architecture(), self.weights()
        velocities = [np.zeros_like(array) for array in weights.flat(params)]
        state = rules.AdamState.start(weights.flat(alphas))
        losses = []
        for number, (train, valid) in enumerate(self.batches):
            for learns_weights in (weights_first, not weights_first):
                if not learns_weights and not alphas_learn:
                    continue
                kind = WEIGHT_PASS if learns_weights else ARCHITECTURE_PASS
                batch = train if learns_weights else valid
                if learns_weights and evaluate is not None:
                    right = evaluate(number, batch, alphas, params)
                else:
                    own = mix(number, kind)
                    right = twin.evaluate(*batch, alphas, params, own, partial, averages)
                if learns_weights:
                    paths = (path for path, _ in trees.leaves(params))
                    losses.append(right.loss)
                    new, velocities = rules.sgd_step(
                        weights.flat(params),
                        weights.flat(right.gradients),
                        velocities,
                        np.float32(config.learning_rate if rate is None else rate),
                        config.momentum,
                        config.weight_decay,
                        config.grad_clip,
                        nesterov,
                        resting and [resting(number, path) for path in paths],
                    )
                    params = trees.refill(params, new)
                else:
                    slopes = weights.flat(right.alpha_gradients)
                    if penalty is not None:
                        more = penalty(weights.flat(alphas))
                        slopes = [a + b for a, b in zip(slopes, more, strict=True)]
                    if clips_alphas:
                        slopes = rules.clip_to_global_norm(slopes, config.grad_clip)
                    new, state = rules.adam_step(
                        weights.flat(alphas),
                        slopes,
                        state,
                        np.float32(config.arch_learning_rate),
                        (beta_1, 0.999),
                        config.arch_weight_decay,
                    )
                    alphas = trees.refill(alphas, new)
        return alphas, params, losses

    def check(self, alphas: Any, params: Any, losses: list[float]) -> None:
        """Runs the library's iterations and compares all with these."""
        np.testing.assert_allclose(self.ours(), losses, rtol=1e-9)
        ours = [*weights.flat(self.architecture()), *weights.flat(self.weights())]
        right = [*weights.flat(alphas), *weights.flat(params)]
        assert len(ours) == len(right)
        for array, expected in zip(ours, right, strict=True):
            assert weights.relative_error(array, expected) < 1e-9


def test_three_iterations_of_pc_darts(seed):
    both = Iterations("pc_darts", 8, seed, replace(SPACE, nodes=2))
    assert len(both.architecture()) == 4
    both.check(*both.plain(lambda iteration, number: mixes.edge_normalized, partial=4))


def test_three_iterations_of_gdas(seed):
    both = Iterations("gdas", 2, seed)
    temperature, drawn = 10 - (10 - 0.1) * EPOCH / (EPOCHS - 1), set()

    def mix(iteration, number):
        def noted(alphas):
            weights = mixes.drawn(both.noise(iteration, number), temperature)(alphas)
            for cell, table in weights.items():
                drawn.update((cell, edge, column) for edge, column in enumerate(table["chosen"]))
            return weights

        return noted

    def resting(iteration, path):
        """Whether no pass so far, also of the alphas, has drawn the candidate."""
        if "edges" not in path:
            return False
        _, cell, _, edge, name, _ = path
        place = ("reduce" if cell else "normal", edge, SPACE.candidates.index(name))
        return place not in drawn

    both.check(*both.plain(mix, weights_first=True, nesterov=True, resting=resting))


def test_three_iterations_of_fair_darts(seed):
    both = Iterations("fair_darts", 2, seed)

    def zero_one(tables):
        count = sum(table.size for table in tables)
        u = [1 / (1 + np.exp(-table)) for table in tables]
        return [-20 * (each - 0.5) * each * (1 - each) / count for each in u]

    both.check(*both.plain(always(mixes.sigmoids), beta_1=0.9, penalty=zero_one))


def test_three_iterations_of_beta_darts(seed):
    both = Iterations("beta_darts", 2, seed)

    def decay(tables):
        rows = sum(len(table) for table in tables)
        powers = [np.exp(table) for table in tables]
        return [0.5 * EPOCH * each / each.sum(axis=1, keepdims=True) / rows for each in powers]

    both.check(*both.plain(always(twin.softmax), penalty=decay))


def test_three_iterations_of_sdarts_rs(seed):
    both = Iterations("sdarts_rs", 2, seed)

    def mix(iteration, number):
        if number == ARCHITECTURE_PASS:
            return twin.softmax
        return mixes.perturbed(both.moves(iteration, RADIUS))

    both.check(*both.plain(mix))


def test_three_iterations_of_sdarts_adv_with_their_attacks(seed):
    space = SearchSpace(("max_pool_3x3", "dil_conv_3x3"), nodes=1)
    method = {"name": "sdarts_adv", "steps": 2}
    both, averages = Iterations(method, 2, seed, space, traced=False), Averages()

    def evaluate(iteration, batch, alphas, params):
        moves = both.moves(iteration, RADIUS)
        tables = attack.attacked(*batch, alphas, params, averages, moves, RADIUS, steps=2)
        return twin.evaluate(*batch, tables, params, mixes.as_given, averages=averages)

    both.check(*both.plain(always(twin.softmax), evaluate=evaluate, averages=averages))


def test_three_iterations_of_lambda_darts(seed):
    both = Iterations("lambda_darts", 2, seed, ONE_NODE, traced=False, layers=4)
    strength = 0.25 * EPOCH / (EPOCHS - 1)

    def evaluate(iteration, batch, alphas, params):
        tables = {kind: np.array(softmax_table(table)) for kind, table in alphas.items()}
        cells = [tables[kind] for kind in ("normal", "reduce", "reduce", "normal")]
        return agreement.evaluate(*batch, cells, params, strength, epsilon=1e-3)

    both.check(*both.plain(always(twin.softmax), evaluate=evaluate))


def test_three_iterations_of_p_darts_with_dropout(seed):
    method = {"name": "p_darts", "dropout_1": 0.4}
    both = Iterations(method, 2, seed, TWO_NODES, grad_clip=0.05)
    left = 1 - 0.4 * math.exp(-0.2 * EPOCH)

    def mix(iteration, number):
        draws = fold_in(both.seed(iteration, number), 2**31 - 1)
        kept = []
        for cell, shape in enumerate(((4, 4, 2), (2, 2, 4), (1, 1, 8))):
            own = [fold_in(fold_in(fold_in(draws, cell), edge), 0) for edge in range(5)]
            uniform = [
                tf.random.stateless_uniform((BATCH, *shape), one, dtype=tf.float64).numpy()
                for one in own
            ]
            kept.append([(each < left) / left for each in uniform])
        return mixes.with_dropout(kept)

    both.check(*both.plain(mix, clips_alphas=True))


def test_three_iterations_of_random_nas_leave_alone_what_is_not_drawn(seed):
    both = Iterations("random_nas", 2, seed, TWO_NODES)

    def drawn(iteration):
        noise = both.seed(iteration, WEIGHT_PASS)
        return {
            cell: both.net.relaxation.draw(cell, fold_in(noise, place)).numpy()
            for place, cell in enumerate(("normal", "reduce"))
        }

    columns = [drawn(iteration) for iteration in range(ITERATIONS)]

    def mix(iteration, number):
        return mixes.decided({cell: dict(enumerate(c)) for cell, c in columns[iteration].items()})

    def resting(iteration, path):
        if "edges" not in path:
            return False
        _, cell, _, edge, name, _ = path
        column = columns[iteration]["reduce" if cell else "normal"][edge]
        return TWO.index(name) != column

    both.check(*both.plain(mix, resting=resting, alphas_learn=False))


def test_three_iterations_of_darts_pt_while_it_decides(seed):
    both = Iterations("darts_pt", 2, seed, ONE_NODE, stage=1)
    both.net.relaxation.decided["normal"].assign([1, 0])
    both.net.relaxation.decided["reduce"].assign([0, -1])
    both.net.relaxation.dropped["normal"].assign([0, 1])
    rate = both.method.learning_rate(EPOCH, both.stage, both.config)
    both.step.weight_optimizer.learning_rate.assign(rate)
    columns = {"normal": {0: 1, 1: -1}, "reduce": {0: 0}}
    both.check(*both.plain(always(mixes.decided(columns)), rate=0.0025))


def test_three_iterations_of_darts_minus(seed):
    both = Iterations("darts_minus", 2, seed)
    beta = (EPOCHS - EPOCH) / EPOCHS
    both.check(*both.plain(always(mixes.with_skips(beta))))


def test_three_iterations_of_sgas_with_decided_edges(seed):
    space = SearchSpace(("none", "skip_connect", "dil_conv_3x3"), nodes=2)
    both = Iterations("sgas", 2, seed, space)
    decided = {"normal": {1: 2, 4: -2}, "reduce": {0: 1}}
    for cell, edges in decided.items():
        for edge, column in edges.items():
            both.net.relaxation.decide(cell, edge, column)
    both.check(*both.plain(always(mixes.decided(decided))))


def test_three_iterations_of_drnas(seed):
    both = Iterations("drnas", 12, seed)

    def mix(iteration, number):
        def weights(alphas):
            tables = {cell: table.value for cell, table in alphas.items()}
            return mixes.dirichlet(both.draws(tables, iteration, number))(alphas)

        return weights

    both.check(*both.plain(mix, partial=6))


def test_the_plain_iterations_of_gdas_tell_another_draw(seed):
    both = Iterations("gdas", 2, seed)
    other = [
        both.plain(lambda i, n, shift=shift: mixes.drawn(both.noise(i + shift, n), 5.0))[2]
        for shift in (0, 1)
    ]
    assert not np.allclose(*other)


@pytest.mark.parametrize("number", [ARCHITECTURE_PASS, WEIGHT_PASS])
def test_noise_draws_candidates_by_their_softmax(number, seed):
    """A chi-squared test over many seeds; 1e-6 of all runs would fail it."""
    logits = np.random.default_rng(seed).normal(size=4)
    seeds = [fold_in(fold_in(tf.constant([seed, 0]), step), number) for step in range(600)]
    draws = [int(np.argmax(logits + gumbel((4,), one).numpy())) for one in seeds]
    expected = 600 * np.exp(logits) / np.exp(logits).sum()
    distance = np.sum((np.bincount(draws, minlength=4) - expected) ** 2 / expected)
    assert distance < 31  # of chi-squared with 3 degrees of freedom
