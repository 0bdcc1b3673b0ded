"""The documentation: its pages, links and entries; and the site, where its builder is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import darts_tf
from darts_tf import spaces
from tests.browser import chromium, look, settled
from tests.contracts import repeatable
from tests.small_space import SMALL

pytest.importorskip("benchmarks")  # the tree, not the wheel

from docs.site import names

TREE = Path(__file__).resolve().parents[1]
DOCS = TREE / "docs"
PAGES = sorted([*TREE.glob("*.md"), *DOCS.rglob("*.md"), *(TREE / "darts_tf").rglob("*.md")])
# Pages of the site that are files of the tree.
FROM_THE_TREE = {"changelog.md", "contributing.md", "tutorials/first_search.md"}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without what its tags would call."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def prose(page: Path) -> str:
    """A page without its code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by the rule of forges."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[`*\\]|\[|\]\([^)]*\)", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def links() -> list[tuple[str, str]]:
    """Each page with each of its relative links."""
    return [
        (str(page.relative_to(TREE)), link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]+`", "", prose(page)))
        if ":" not in link
    ]


@pytest.mark.parametrize(("page", "link"), links())
def test_a_link_leads_to_a_file_of_the_tree_and_to_a_heading(page: str, link: str) -> None:
    file, _, anchor = link.partition("#")
    target = (TREE / page).parent / file if file else TREE / page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


def test_every_page_is_in_the_navigation_once() -> None:
    settings = yaml.load((TREE / "mkdocs.yml").read_text(encoding="utf-8"), Loader)
    listed = re.findall(r"[\w/]+\.(?:md|ipynb)", json.dumps(settings["nav"]))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(pages | FROM_THE_TREE)


def test_every_public_name_has_an_entry() -> None:
    rooms = {name: getattr(darts_tf, name) for name in darts_tf.__all__}
    rooms = {name: room for name, room in rooms.items() if isinstance(room, ModuleType)}
    members = {
        f"darts_tf.{room}.{name}" for room in rooms for name in getattr(rooms[room], "__all__", ())
    }
    assert {f"darts_tf.{name}" for name in darts_tf.__all__} | members <= set(names.public())
    assert not names.undocumented(DOCS / "api")


def test_a_public_name_without_an_entry_is_found(tmp_path: Path) -> None:
    (tmp_path / "all.md").write_text("\n".join(f"::: {name}" for name in names.public()))
    assert not names.undocumented(tmp_path)
    (tmp_path / "all.md").write_text(
        "\n".join(f"::: {name}" for name in names.public() if name != "darts_tf.methods.get")
    )
    assert names.undocumented(tmp_path) == {"darts_tf.methods.get"}


def test_the_index_of_the_reference_has_every_public_name() -> None:
    index = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    assert set(darts_tf.__all__) <= set(re.findall(r"`(\w+)`", index))


def test_the_tutorial_explains_every_flag_of_the_preset() -> None:
    preset = resources.files("trainers.presets") / "search" / "digits.flags"
    flags = re.findall(r"^--\S+$", preset.read_text(encoding="utf-8"), re.MULTILINE)
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    explained = " ".join(re.findall(r"^\| `(.*?)` \|", tutorial, re.MULTILINE))
    assert flags
    assert set(flags) <= set(explained.split())


def test_the_search_of_the_first_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spaces.register(SMALL)
    monkeypatch.chdir(tmp_path)
    blocks = FENCED.findall((DOCS / "index.md").read_text(encoding="utf-8"))
    [code] = (block for kind, block in blocks if kind == "python")
    code = code.replace("epochs=30", f"epochs=1, space={SMALL.name!r}, data_dir='data'")
    with repeatable():
        exec(code.replace("init_channels=8", "init_channels=2"), {})
    assert SMALL.name in capsys.readouterr().out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    pytest.importorskip("mkdocs")
    to = tmp_path_factory.mktemp("site")
    done = build(TREE, to)
    assert done.returncode == 0, done.stderr
    return to


def build(tree: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """Builds the site of a tree as `make docs` does; with `--quiet` warnings would not count."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(to)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_a_broken_link_and_a_public_name_without_an_entry_fail_the_build(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    tree = tmp_path / "tree"
    for folder in ("darts_tf", "docs"):
        shutil.copytree(TREE / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in [*TREE.glob("*.md"), TREE / "mkdocs.yml", TREE / "CITATION.cff"]:
        shutil.copy(file, tree)
    page, reference = tree / "docs" / "faq.md", tree / "docs" / "api" / "runs.md"
    page.write_text(page.read_text() + "\n[a](nowhere.md) [b](data.md#nothing)\n")
    reference.write_text(reference.read_text().replace("::: darts_tf.UserError\n", ""))
    done = build(tree, tmp_path / "site")
    assert done.returncode != 0
    for words in ("'nowhere.md'", "#nothing", "no entry for the public name darts_tf.UserError"):
        assert words in done.stderr


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "page", ["index", "methods", "paper", "zoo", "faq", "api/search", "changelog"]
)
def test_a_page_fits_the_screen_and_asks_nobody_else(
    site: Path, browser: Any, page: str, width: int
) -> None:
    look(browser, site / f"{page}.html", width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {
        one["params"]["request"]["url"]
        for one in sent
        if one["method"] == "Network.requestWillBeSent"
    }
    assert asked
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def test_the_search_box_finds_a_class_when_the_site_is_read_from_a_disk(
    site: Path, browser: Any
) -> None:
    look(browser, site / "index.html", 1280)
    box = browser.find_element("css selector", "input.md-search__input")
    box.click()
    box.send_keys("MixedOperation")
    for _ in range(100):
        settled(browser)
        browser.execute_async_script("setTimeout(arguments[0], 100)")
        found = browser.find_elements("css selector", ".md-search-result__link")
        if found:
            break
    targets = [link.get_attribute("href") for link in found]
    assert any("api/supernet.html" in target for target in targets), targets


def test_formulas_need_no_script(site: Path) -> None:
    page = (site / "methods.html").read_text(encoding="utf-8")
    assert page.count("<math") == len(re.findall(r"</math>", page)) > 20
    assert r"\(" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)


def test_a_link_out_of_the_folder_leads_to_a_copy(site: Path) -> None:
    page = (site / "collapse.html").read_text(encoding="utf-8")
    [copy] = re.findall(r'href="(tree/trainers[^"]*)"', page)
    assert (site / copy).read_text() == (TREE / copy.removeprefix("tree/")).read_text()
