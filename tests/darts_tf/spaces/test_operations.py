"""The table of operations."""

from __future__ import annotations

import subprocess
import sys

import pytest

import darts_tf
from darts_tf.errors import UserError
from darts_tf.spaces import operations
from darts_tf.spaces.operations import Operation
from tests.oracles.operations import CANDIDATES


def test_the_table_has_darts_candidates_and_those_of_other_spaces_and_published_cells() -> None:
    published = ("sep_conv_7x7", "conv_7x1_1x7", "noise", "nor_conv_1x1", "nor_conv_3x3")
    of_networks = ("conv_1x3_3x1", "max_pool_3x3_norm", "wire")
    deeplab = ("atrous_conv_3x3", "atrous_conv_5x5", *operations.LEVELS)
    blocks = tuple(f"mbconv_{size}x{size}_e{wider}" for size in (3, 5, 7) for wider in (3, 6))
    recurrent = ("tanh", "relu", "sigmoid", "identity")
    others = (*published, *of_networks, *deeplab, *blocks, *recurrent)
    assert operations.names() == (*CANDIDATES, *others)
    for name in operations.names():
        operation = operations.get(name)
        assert operation.name == name
        assert operation.learnable == ("conv" in name or name.endswith(("norm", "wire")))
        assert operation.free == (not operation.learnable)
        assert (operation.block is None) == (name in ("none", *operations.LEVELS, *recurrent))
        assert bool(operation.activation) == (name in recurrent)
    assert darts_tf.operations is operations


def test_a_family_has_a_color_of_its_own_and_the_operations_of_a_family_share_it() -> None:
    colors = {}
    for operation in map(operations.get, operations.names()):
        assert colors.setdefault(operation.family, operation.color) == operation.color
    assert len(set(colors.values())) == len(colors)


def test_an_operation_of_ones_own_is_gray_until_it_says_otherwise() -> None:
    assert Operation("blur", "blur", learnable=False).color == operations.COLORS["none"]
    assert Operation("blur", "pool", learnable=False).color == operations.COLORS["pool"]
    assert Operation("blur", "blur", False, color="#123456").color == "#123456"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table, as it was when the test is over."""
    registry = operations._OPERATIONS
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.mark.usefixtures("table")
def test_an_operation_that_is_registered_stands_in_genotypes() -> None:
    cells = {"normal": [["blur", 0], ["blur", 1]], "normal_concat": [2]}
    cells |= {"reduce": [["blur", 0], ["blur", 1]], "reduce_concat": [2]}
    with pytest.raises(UserError, match="unknown operation 'blur'"):
        darts_tf.Genotype(**cells)
    blur = operations.register(Operation("blur", "blur", learnable=False))
    assert operations.register(Operation("blur", "blur", learnable=False)) == blur
    assert operations.names()[-1] == "blur"
    assert operations.get("blur") == blur
    assert operations.get(blur) is blur
    assert darts_tf.read_genotype(darts_tf.Genotype(**cells).to_json()).normal[0] == ("blur", 0)
    with pytest.raises(ValueError, match="another operation named 'blur'"):
        operations.register(Operation("blur", "blur", learnable=True))


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown operation 'sep_conv_3x4'.*Did you mean 'sep_c"):
        operations.get("sep_conv_3x4")


@pytest.mark.parametrize("change", [{"name": "3x3 blur"}, {"name": ""}, {"color": "red"}])
def test_an_operation_that_cannot_be_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(change))}: expected"):
        Operation(**{"name": "blur", "family": "blur", "learnable": False, **change})  # type: ignore[arg-type]


def test_the_table_needs_no_tensorflow() -> None:
    code = "import sys, darts_tf; darts_tf.operations.get('none'); darts_tf.spaces.get('darts')"
    heavy = "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {heavy}"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
