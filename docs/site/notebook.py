"""Makes a notebook of a script, and a page of the site.

    python -m docs.site.notebook

writes the notebook of every script in docs/tutorials beside it. In a script, a string that stands
by itself between statements of the module is text, and what is between two of them is code.

A notebook holds what its code has shown. That is kept as long as no code changes; then the script
is run, which takes some minutes.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from docs.site.running import Output, outputs_of

TUTORIALS = Path(__file__).resolve().parents[1] / "tutorials"


class Part(NamedTuple):
    """A part of a script.

    Attributes:
        kind: `markdown` or `code`.
        text: Its text.
    """

    kind: str
    text: str


def parts(script: str) -> list[Part]:
    """Returns the parts of a script in turn."""
    lines, found, done = script.splitlines(), list[Part](), 0
    for node in ast.parse(script).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.append(Part("code", "\n".join(lines[done : node.lineno - 1])))
            found.append(Part("markdown", str(node.value.value)))
            done = node.end_lineno or done
    found.append(Part("code", "\n".join(lines[done:])))
    stripped = (Part(kind, text.strip("\n")) for kind, text in found)
    return [part for part in stripped if part.text.strip()]


def codes(script: str) -> list[str]:
    """Returns the parts of a script that are code, in turn."""
    return [part.text for part in parts(script) if part.kind == "code"]


def notebook(script: str, outputs: Sequence[Sequence[Output]]) -> str:
    """Returns a script as a notebook (nbformat 4.5).

    Args:
        script: The script.
        outputs: What each part that is code has shown.
    """
    cells = []
    shown = iter(enumerate(outputs, start=1))
    for number, (kind, text) in enumerate(parts(script)):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"part-{number}", "metadata": {}}
        if kind == "code":
            count, its_own = next(shown)
            cell["execution_count"] = count
            cell["outputs"] = [
                output | ({"execution_count": count} if "data" in output else {})
                for output in its_own
            ]
        cells.append(cell | {"source": text.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def kept(made: str, script: str) -> list[list[Output]] | None:
    """Returns the outputs of a notebook, None where its code is not that of the script.

    Args:
        made: The notebook.
        script: The script.
    """
    cells = [cell for cell in json.loads(made)["cells"] if cell["cell_type"] == "code"]
    if ["".join(cell["source"]) for cell in cells] != codes(script):
        return None
    return [cell["outputs"] for cell in cells]


def page(script: str, name: str) -> str:
    """Returns a script as Markdown, with links to the notebook and to itself.

    Args:
        script: The script.
        name: Its name, without the suffix.
    """
    title, *rest = parts(script)
    heading, _, text = title.text.partition("\n")
    links = " or ".join(
        f'<a href="{name}.{suffix}" download>{what}</a>'
        for what, suffix in (("a notebook", "ipynb"), ("a script", "py"))
    )
    blocks = [heading, f"This page is also {links}.", text.strip()]
    blocks += [
        f"```python\n{part.text}\n```" if part.kind == "code" else part.text for part in rest
    ]
    return "\n\n".join(blocks) + "\n"


def main() -> None:
    """Writes the notebooks."""
    for path in sorted(TUTORIALS.glob("*.py")):
        script, made = path.read_text(encoding="utf-8"), path.with_suffix(".ipynb")
        outputs = kept(made.read_text(encoding="utf-8"), script) if made.exists() else None
        if outputs is None:
            outputs = outputs_of(codes(script))
        made.write_text(notebook(script, outputs), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
