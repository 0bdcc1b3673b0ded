"""Hooks of MkDocs: links out of docs/, formulas without scripts, and no public name forgotten.

Links in docs/ are those of the tree, so that they work on a forge, too: one to a file outside of
docs/ leads to the file's page in the site, or to a copy of it.
"""

from __future__ import annotations

import html
import logging
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from latex2mathml import converter
from mkdocs.structure.files import File, Files, InclusionLevel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from docs.site import names, notebook

# Files of the tree that are pages of the site.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "docs/tutorials/first_search.ipynb": "tutorials/first_search.md",
}
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
_CODE = re.compile(r"(^```.*?^```$|^(?: {4}[^\n]*\n)+|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
_INLINE = re.compile(r"(?<!<pre>)<code>[^<]*</code>")
_FLAG = re.compile(r"(?<![\w-])--[\w=.]{1,36}(?![\w=.])")
_LOG = logging.getLogger("mkdocs.hooks")


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Adds the pages and files of the tree that pages link to."""
    for name in sorted(names.undocumented(Path(config.docs_dir) / "api")):
        _LOG.warning("the API reference has no entry for the public name %s", name)
    for source, page in PAGES.items():
        if source != "README.md":
            _add(files, config, source, page)
    waiting = [file for file in files if file.src_uri.endswith(".md")]
    while waiting:
        file = waiting.pop()
        for target in _targets(file.content_string, _home(file.src_uri)):
            place = _place(target)
            if place.startswith("tree/") and place not in files.src_uris:
                waiting += _add(files, config, target, place)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Makes links of the tree links of the site."""
    here = page.file.src_uri
    home = _home(here)

    def link(found: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(home), found[0]))
        if not (names.TREE / target).exists():
            return found[0]
        return os.path.relpath(_place(target), os.path.dirname(here) or ".")

    parts = _CODE.split(markdown)
    return "".join(part if i % 2 else _LINK.sub(link, part) for i, part in enumerate(parts))


def on_page_content(content: str, **_: Any) -> str:
    """Writes formulas as MathML, which browsers show by themselves, and keeps flags in one line."""

    def formula(found: re.Match[str]) -> str:
        display = "block" if found[2] == "[" else "inline"
        return str(converter.convert(html.unescape(found[3]), display=display))

    def code(found: re.Match[str]) -> str:
        return _FLAG.sub(r'<span class="flag">\g<0></span>', found[0])

    return _INLINE.sub(code, _FORMULA.sub(formula, content))


def _home(page: str) -> str:
    """The place in the tree of a page of the site."""
    pages = {site: tree for tree, site in PAGES.items() if tree != "README.md"}
    if page.startswith("tree/"):
        return page.removeprefix("tree/")
    return pages.get(page, f"docs/{page}")


def _place(target: str) -> str:
    """The place in the site of a file of the tree."""
    if target in PAGES:
        return PAGES[target]
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return f"tree/{target}" + ("/index.md" if (names.TREE / target).is_dir() else "")


def _targets(markdown: str, home: str) -> list[str]:
    """The files of the tree that a page at `home` links to."""
    links = _LINK.findall("".join(_CODE.split(markdown)[::2]))
    paths = (os.path.normpath(os.path.join(os.path.dirname(home), link)) for link in links)
    return [path for path in paths if (names.TREE / path).exists()]


def _add(files: Files, config: Any, target: str, place: str) -> list[File]:
    """Adds a file of the tree, or a page that lists a folder; returns it if it is a page."""
    path = names.TREE / target
    generated = partial(File.generated, config, place, inclusion=InclusionLevel.INCLUDED)
    if place.startswith("tree/"):
        generated = partial(generated, inclusion=InclusionLevel.NOT_IN_NAV)
    if path.is_dir():
        inside = sorted(one.name for one in path.iterdir() if one.is_file())
        lines = [f"# {target}", "", *(f"- [{name}]({name})" for name in inside)]
        file = generated(content="\n".join(lines))
    elif path.suffix == ".ipynb":
        script = path.with_suffix(".py").read_text(encoding="utf-8")
        file = generated(content=notebook.page(script, path.stem))
    elif path.suffix == ".md":
        file = generated(content=path.read_text(encoding="utf-8"))
    else:
        file = generated(abs_src_path=str(path))
    files.append(file)
    return [file] if place.endswith(".md") else []
