"""The supernet of chains: its size, its plain twin, and what it refuses."""

import math
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.supernet.mobile import MobileSupernet
from darts_tf.supernet.relaxations.auxiliary_skip import AuxiliarySkip
from tests import weights
from tests.chains import SPACE, leaves, mapped, of_supernet, rows_of
from tests.oracles import mobile as twin
from tests.oracles import tape
from tests.oracles.tape import Var


def test_the_supernet_of_proxyless_nas_has_its_published_size():
    supernet = MobileSupernet(stem="imagenet")
    supernet.build((None, 224, 224, 3))
    assert sum(math.prod(v.shape) for v in supernet.weight_variables) == 16_034_168
    tables = [supernet.search_space.mask(cell) for cell in supernet.search_space.cells]
    assert (len(tables), sum(int(table.sum()) for table in tables)) == (21, 141)
    assert {table.shape for table in tables} == {(1, 6), (1, 7)}


@pytest.mark.parametrize(("limit", "stem"), [(6.0, "imagenet"), (0.0, "cifar")])
def test_the_supernet_equals_its_twin_forwards_and_backwards(limit, stem, seed):
    space = replace(SPACE, relu_limit=limit)
    supernet = MobileSupernet(space, space.most_layers, 6, 3, stem=stem, dtype="float64")
    rng = np.random.default_rng(seed)
    image = 2 * rng.normal(size=(3, 9, 8, 2))
    supernet.build((None, 9, 8, 2))
    variables = of_supernet(supernet)
    for variable in leaves(variables):
        variable.assign(rng.normal(0.5, 1.0, variable.shape) / np.sqrt(variable.shape[0]))
    tables = [tf.constant(rng.uniform(-1, 1, space.mask(cell).shape)) for cell in space.cells]
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch(tables)
        logits = supernet(tf.constant(image), training=True, edge_weights=tables)
        adjoint = rng.normal(size=logits.shape)
        scalar = tf.reduce_sum(logits * adjoint)
    sources = [*tables, *(variable.value for variable in leaves(variables))]
    found = [logits, *gradient_tape.gradient(scalar, sources)]

    params = mapped(lambda variable: Var(variable.numpy()), variables)
    rows = rows_of([table.numpy() for table in tables], space)
    plan = space.plan(6)
    right = twin.chain(
        Var(image),
        params,
        [block.stride for block in plan],
        rows,
        2 if stem == "imagenet" else 1,
        space.relu_limit or np.inf,
    )
    tape.backward(right, adjoint)
    gradients = [row.grad[np.newaxis] for row in rows] + [leaf.grad for leaf in leaves(params)]
    assert len(found) == 1 + len(gradients)
    assert weights.relative_error(logits, right.value) < 1e-9
    # The gradient of an offset before another normalization is zero, but for rounding.
    assert weights.norm_error(found[1:], gradients) < 1e-9
    for ours, theirs in zip(found[1:], gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)


def test_what_a_chain_does_not_have_is_refused():
    with pytest.raises(UserError, match=r"^layers: expected 21, the blocks of .* got 8$"):
        MobileSupernet("mobile", layers=8)
    with pytest.raises(UserError, match=r"^method: expected one without partial channels"):
        MobileSupernet("mobile_small", 6, 4, 3, partial=2)
    with pytest.raises(UserError, match=r"^method: expected one without .* skip-connects"):
        MobileSupernet("mobile_small", 6, 4, 3, relaxation=AuxiliarySkip("mobile_small"))
