"""DrNAS: its two stages, and what keeps its distributions near the uniform one."""

import math

import keras
import numpy as np
import pytest

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace

SPACE = spaces.get("darts")
PARTS = ("depthwise", "pointwise", "norm")
PAPER = SearchConfig(
    epochs=50,
    arch_start_epoch=10,
    layers=20,
    init_channels=36,
    learning_rate=0.1,
    learning_rate_min=0.0,
)


def record(stage, seed):
    """The last record of a stage, with alphas of chance."""
    rng, space = np.random.default_rng(seed), stage.space
    alphas = {c: rng.normal(size=space.mask(c).shape).astype(np.float32) for c in space.cells}
    names = {c: tuple(edge.candidates for edge in space.edges(c)) for c in space.cells}
    tables = {c: tuple(map(tuple, table.tolist())) for c, table in alphas.items()}
    return EpochRecord(24, tables, {}, {}, kept=names)


def test_the_second_stage_goes_on_with_the_strongest_candidates_and_their_alphas(seed):
    method = methods.get("drnas")
    first = method.stage(0, PAPER, SPACE, ())
    last = record(first, seed)
    second = method.stage(1, PAPER, SPACE, [last] * 25)
    assert [first.partial, second.partial] == [6, 4]
    assert [first.epochs, second.epochs] == [25, 25]
    for epoch in range(25):
        for part, number in ((first, epoch), (second, 25 + epoch)):
            right = 0.1 * (1 + math.cos(math.pi * number / 50)) / 2
            assert method.learning_rate(epoch, part, PAPER) == pytest.approx(right, rel=1e-12)
    for cell in SPACE.cells:
        for edge, before, row, start in zip(
            second.space.edges(cell),
            first.space.edges(cell),
            last.alphas[cell],
            second.start[cell],
            strict=True,
        ):
            assert before.candidates == SPACE.candidates[1:]
            order = sorted(range(7), key=lambda i, row=row: -row[i])[:4]
            assert edge.candidates == tuple(before.candidates[i] for i in sorted(order))
            assert start == tuple(row[i] for i in sorted(order))


@pytest.fixture(scope="module")
def supernets():
    """The supernets of both stages, the second after it has begun."""
    keras.utils.set_random_seed(int(np.random.default_rng().integers(2**31)))
    names = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_3x3")
    space = SearchSpace(names, nodes=1)
    config = SearchConfig(epochs=2, layers=3, init_channels=12, stem="cifar")
    method = methods.get({"name": "drnas", "keep": 3})
    stages = [method.stage(0, config, space, ())]
    alphas = dict.fromkeys(space.cells, ((0.1, 0.4, 0.3, 0.2), (0.4, 0.3, 0.1, 0.2)))
    kept = dict.fromkeys(space.cells, (names[1:],) * 2)
    stages.append(method.stage(1, config, space, [EpochRecord(0, alphas, {}, {}, kept=kept)]))
    nets = [method.supernet(stage, config, 3) for stage in stages]
    for net in nets:
        net.build((None, 8, 8, 3))
    rng = np.random.default_rng(0)
    for variable in nets[0].variables:
        variable.assign(rng.normal(size=variable.shape))
    method.begin_stage(nets[1], nets[0])
    return nets


def copied(new, old, axis):
    """Which old channel each new one equals along an axis, the first ones being themselves."""
    new, old = (np.moveaxis(v.numpy(), axis, 0).reshape(v.shape[axis], -1) for v in (new, old))
    index = [int(np.argmin(np.abs(old - row).sum(1))) for row in new]
    np.testing.assert_array_equal(new, old[index])
    assert index[: len(old)] == list(range(len(old)))
    return index


def test_wider_edges_copy_channels_all_along(supernets):
    before, after = supernets
    for place in ("stem", "classifier"):
        for new, old in zip(
            getattr(after, place).variables, getattr(before, place).variables, strict=True
        ):
            np.testing.assert_array_equal(new.numpy(), old.numpy())
    for new, old in zip(after.cells, before.cells, strict=True):
        assert (new.partial, old.partial) == (4, 6)
        for name, norm in new.sources[1].norms.items():
            copied(norm.moving_mean, old.sources[1].norms[name].moving_mean, 0)
        edge, was = new.edges[0].operations, old.edges[0].operations
        assert set(edge) == {"skip_connect", "sep_conv_3x3", "dil_conv_3x3"}
        ours, theirs = edge["dil_conv_3x3"], was["dil_conv_3x3"]
        inside = copied(ours.depthwise, theirs.depthwise, 2)
        kernel = theirs.pointwise.numpy()[:, :, inside]
        norm = copied(ours.norm.moving_mean, theirs.norm.moving_mean, 0)
        np.testing.assert_array_equal(ours.pointwise.numpy(), kernel[..., norm])
        ours, theirs = edge["sep_conv_3x3"], was["sep_conv_3x3"]
        for number in ("1", "2"):
            parts = [[getattr(op, f"{p}_{number}") for op in (ours, theirs)] for p in PARTS]
            inside = copied(*parts[0], 2)
            norm = copied(parts[2][0].moving_variance, parts[2][1].moving_variance, 0)
            right = parts[1][1].numpy()[:, :, inside][..., norm]
            np.testing.assert_array_equal(parts[1][0].numpy(), right)
        if new.reduction:
            ours, theirs = edge["skip_connect"], was["skip_connect"]
            norm = copied_anywhere(ours.norm.moving_mean, theirs.norm.moving_mean)
            half, now = theirs.conv_1.shape[3], ours.conv_1.shape[3]
            for conv, rows in (("conv_1", norm[:now]), ("conv_2", norm[now:] - half)):
                kernel, was_kernel = getattr(ours, conv).numpy(), getattr(theirs, conv).numpy()
                channels = was_kernel.shape[2]
                right = was_kernel[..., rows]
                np.testing.assert_array_equal(kernel[:, :, :channels], right)


def copied_anywhere(new, old):
    index = np.array([int(np.argmin(np.abs(old.numpy() - value))) for value in new.numpy()])
    np.testing.assert_array_equal(new.numpy(), old.numpy()[index])
    return index


def test_the_divergence_takes_the_place_of_l2():
    l2, kl = (methods.get({"name": "drnas", "regularization": name}) for name in ("l2", "kl"))
    assert [m.architecture_optimizer(PAPER, None).l2 for m in (l2, kl)] == [1e-3, 0.0]
    space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1)
    relaxation = kl.relaxation(space)
    relaxation.build()
    net = type("Net", (), {"relaxation": relaxation})()
    assert l2.penalty(net) is None
    np.testing.assert_allclose(kl.penalty(net), 1e-3 * relaxation.divergence(), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "own", "told"),
    [
        ({"epochs": 1}, {}, "epochs: expected at least 2 .*got 1"),
        ({"epochs": 20, "arch_start_epoch": 10}, {}, "arch_start_epoch: .*less than 10.*got 10"),
        ({"init_channels": 16}, {}, "init_channels: .*drnas_partial_1=6.*got 16"),
        ({}, {"partial_2": 12}, r"drnas_partial_2: .*at most drnas_partial_1 \(6\).*got 12"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, own, told):
    config = SearchConfig(**{"init_channels": 36, **settings})
    with pytest.raises(UserError, match=told):
        choose(config, method={"name": "drnas", **own})
