"""The examples in the docstrings of darts_tf, run one docstring at a time.

An example may use what its module has, as everywhere with doctest.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import darts_tf
from tests.processes import SHORT_RUN, finish, start

PACKAGE = Path(darts_tf.__file__).parent
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented(node: ast.AST, name: str) -> Iterator[tuple[str, Any]]:
    """Yields each definition below a node that has a docstring, with its dotted name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{name}.{child.name}"
            yield inner, child
            yield from documented(child, inner)


def examples(path: Path) -> Iterator[Any]:
    """Yields the examples of each docstring of a file, without importing it."""
    text = path.read_text(encoding="utf-8")
    if ">>> " not in text:
        return
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    module = module.removesuffix(".__init__")
    tree = ast.parse(text)
    for name, node in [(module, tree), *documented(tree, module)]:
        docstring = ast.get_docstring(node, clean=False)
        if docstring and ">>> " in docstring:
            line = node.body[0].lineno - 1
            test = doctest.DocTestParser().get_doctest(docstring, {}, name, str(path), line)
            yield pytest.param(module, test, id=name)


ALL = [example for path in sorted(PACKAGE.rglob("*.py")) for example in examples(path)]
# Whole runs set the seed and the threads of their process, so they have one of their own.
RUNS = ("darts_tf.searching.search", "darts_tf.training.train")
EXAMPLES = [example for example in ALL if example.values[0] not in RUNS]
_ALONE = """
import doctest, importlib
modules, options = given
for module in modules:
    failed, tried = doctest.testmod(importlib.import_module(module), optionflags=options)
    assert tried and not failed
"""


def test_the_examples_of_whole_runs_show_what_happens() -> None:
    finish(start(SHORT_RUN + _ALONE, RUNS, OPTIONS))


@pytest.mark.parametrize(("module", "example"), EXAMPLES)
def test_a_docstrings_example_shows_what_happens(
    module: str, example: doctest.DocTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    example.globs = dict(vars(importlib.import_module(module)))
    report = io.StringIO()
    failed, tried = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=report.write)
    assert tried > 0
    assert failed == 0, report.getvalue()
