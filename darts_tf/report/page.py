"""One self-contained HTML file: text, style, script and data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import Any

_SCRIPTS = ("charts.js", "cells.js", "tables.js", "terms.js", "page.js")
# The page may load nothing from elsewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Page:
    """The content of a page.

    Args:
        title: Its heading.
        kind: `search`, `training`, `comparison`, or the name of another program.
        about: The sentence below the heading.
        facts: Names and values, the most important first.
        sections: Headings, and the HTML below each.
        data: The data that the script draws, as JSON has it.
        finished: Whether the run has ended; the page of a run under way loads itself again.
    """

    title: str
    kind: str
    about: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[tuple[str, str]]
    data: Mapping[str, Any]
    finished: bool = True

    def html(self) -> str:
        """Returns the file's text."""
        shown = {**self.data, "finished": self.finished}
        data = json.dumps(shown, separators=(",", ":"), allow_nan=False)
        facts = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
            for name, value in self.facts
        )
        sections = "".join(
            f'<section aria-labelledby="part-{number}"><h2 id="part-{number}">{escape(heading)}'
            f"</h2>{body}</section>"
            for number, (heading, body) in enumerate(self.sections)
        )
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(self.title)}</title>\n<style>\n{_file('page.css')}</style>\n</head>\n"
            f'<body class="{escape(self.kind)}">\n<header><h1>{escape(self.title)}</h1>'
            f'<p>{escape(self.about)}</p><p class="again" hidden></p><dl class="facts">{facts}</dl>'
            "<noscript><p>The drawings of this page need JavaScript.</p></noscript></header>\n"
            f"<main>{sections}</main>\n"
            f'<script type="application/json" id="data">{_for_script(data)}</script>\n'
            f"<script>\n{''.join(map(_file, _SCRIPTS))}</script>\n</body>\n</html>\n"
        )


def _for_script(text: str) -> str:
    """Returns JSON in which no text can end the script, or begin a comment."""
    return text.replace("<", "\\u003c")


@cache
def _file(name: str) -> str:
    return resources.files("darts_tf.report").joinpath(name).read_text(encoding="utf-8")
