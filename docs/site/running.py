"""Runs the code of a notebook, one part after the other, and takes down what each shows."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import tempfile
from collections.abc import Sequence
from typing import Any

Output = dict[str, Any]


def outputs_of(codes: Sequence[str]) -> list[list[Output]]:
    """Runs code in an empty folder, which is removed.

    Args:
        codes: The parts, which share their variables.

    Returns:
        For each part its outputs, as a notebook has them: what it prints, and the value of an
        expression at its end, as a text or a picture.
    """
    variables: dict[str, Any] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return [_outputs(code, variables) for code in codes]


def _outputs(code: str, variables: dict[str, Any]) -> list[Output]:
    tree, value = ast.parse(code), None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<part>", "exec"), variables)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<part>", "eval"), variables)
    outputs: list[Output] = []
    if text := printed.getvalue():
        lines = text.splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines})
    if value is not None:
        outputs.append({"data": _shown(value), "metadata": {}, "output_type": "execute_result"})
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    """Returns a value as a notebook holds it; as no page, which code hosts do not show."""
    if hasattr(value, "_repr_png_"):
        picture = base64.b64encode(value._repr_png_()).decode("ascii")
        return {"image/png": f"{picture}\n", "text/plain": ["a picture"]}
    return {"text/plain": repr(value).splitlines(keepends=True)}
