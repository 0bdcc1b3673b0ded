"""Makes a notebook of a script, and a page of the site.

    python -m docs.site.notebook

writes the notebook of every script in docs/tutorials beside it. In a script, a string that stands
by itself between statements of the module is text, and what is between two of them is code.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import NamedTuple

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


def notebook(script: str) -> str:
    """Returns a script as a notebook without outputs (nbformat 4.5)."""
    cells = []
    for number, (kind, text) in enumerate(parts(script)):
        source = text.splitlines(keepends=True)
        cell = {"cell_type": kind, "id": f"part-{number}", "metadata": {}, "source": source}
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


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
    for script in sorted(TUTORIALS.glob("*.py")):
        text = notebook(script.read_text(encoding="utf-8"))
        script.with_suffix(".ipynb").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
