"""The notebooks: made of their scripts, which run from top to bottom."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("benchmarks")  # the tree, not the wheel

from darts_tf import spaces
from docs.site import notebook
from tests.contracts import repeatable
from tests.small_space import SMALL

SCRIPTS = sorted(notebook.TUTORIALS.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_is_what_the_script_makes(script: Path) -> None:
    text = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert text == notebook.notebook(script.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_has_what_its_format_asks_for(script: Path) -> None:
    content = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in content["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    first, second, *_ = content["cells"]
    assert (first["cell_type"], second["cell_type"]) == ("markdown", "code")
    assert "pip" in "".join(second["source"])
    for cell in content["cells"]:
        assert "".join(cell["source"]).strip()
        assert set(cell) >= {"cell_type", "id", "metadata", "source"}
        assert (cell["cell_type"] == "code") == ({"execution_count", "outputs"} <= set(cell))


def test_text_and_code_of_a_script_keep_their_order() -> None:
    script = '"""\n# Title\n"""\n\nx = 1\n\n"""\nmore\n"""\n\n\ndef f():\n    """No text."""\n'
    assert notebook.parts(script) == [
        ("markdown", "# Title"),
        ("code", "x = 1"),
        ("markdown", "more"),
        ("code", 'def f():\n    """No text."""'),
    ]


def test_a_first_search_runs_to_the_answers_of_its_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spaces.register(SMALL)
    monkeypatch.chdir(tmp_path)
    text = (notebook.TUTORIALS / "first_search.py").read_text(encoding="utf-8")
    text = re.sub(r"_EPOCHS = \d+", "_EPOCHS = 2", text)
    text = re.sub(r"(layers|init_channels)=\d+", lambda found: f"{found[1]}=3", text)
    found: dict[str, object] = {}
    with repeatable():
        exec(text.replace("SearchConfig(", f"SearchConfig(space={SMALL.name!r}, "), found)
    shown = capsys.readouterr().out
    assert "skip_connects: epoch" in shown
    assert "stable_ranking: epoch" in shown
    answers, labels = re.findall(r"^(?:answers|labels): +(.*)$", shown, re.MULTILINE)
    assert len(answers.split()) == len(labels.split()) == 10
    page = found["Page"]("runs/first_search/report.html")._repr_html_()  # type: ignore[operator]
    assert page.startswith("<iframe srcdoc=")
