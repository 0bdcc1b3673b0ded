"""The notebooks: made of their scripts, which run from top to bottom."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("benchmarks")  # the tree, not the wheel

from darts_tf import spaces
from docs.site import notebook
from docs.site.running import outputs_of
from tests.contracts import repeatable
from tests.small_space import SMALL

SCRIPTS = sorted(notebook.TUTORIALS.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_is_what_the_script_makes(script: Path) -> None:
    made = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    text = script.read_text(encoding="utf-8")
    outputs = notebook.kept(made, text)
    assert outputs is not None, "the code has changed: python -m docs.site.notebook runs it"
    assert made == notebook.notebook(text, outputs)
    assert notebook.kept(made, text + "\nx = 1\n") is None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_shows_what_it_found_and_stays_small(script: Path) -> None:
    made = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    outputs = [output for cell in json.loads(made)["cells"] for output in cell.get("outputs", ())]
    printed = "".join("".join(output.get("text", ())) for output in outputs)
    assert "test error" in printed
    pictures = [
        output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert pictures
    assert len(made.encode()) < 500_000


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


def test_the_parts_share_their_variables_and_show_what_they_print_and_end_with() -> None:
    picture = "class P:\n    def _repr_png_(self):\n        return b'dots'\nP()"
    found = outputs_of(["x = 1\nprint(x)\nprint(2)", "x + 2", "x = 3", "None", picture])
    assert found[0] == [{"name": "stdout", "output_type": "stream", "text": ["1\n", "2\n"]}]
    [three] = found[1]
    assert (three["output_type"], three["data"]) == ("execute_result", {"text/plain": ["3"]})
    assert found[2] == found[3] == []
    assert base64.b64decode(found[4][0]["data"]["image/png"]) == b"dots"


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
