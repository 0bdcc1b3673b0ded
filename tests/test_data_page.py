"""docs/data.md: its tables are the facts, its commands are read, its code runs as it stands."""

import re
import shlex
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from darts_tf import spaces
from darts_tf.command_line.parsing import parse, resolved
from darts_tf.config import SearchConfig
from darts_tf.data import datasets
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.sources.origins import MANUAL, ORIGINS
from darts_tf.data.sources.tfds import STATISTICS
from darts_tf.errors import UserError
from tests.contracts import repeatable
from tests.small_space import SMALL
from trainers import presets

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("python -m trainers.search")]
CODE = "".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table whose heading contains these words, by data set."""
    rows, name = {}, ""
    [text] = re.findall(rf"^(\|[^\n]*{heading}[^\n]*\n(?:\|.*\n)+)", PAGE, re.MULTILINE)
    for line in text.splitlines()[2:]:
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        name = first.strip("`") or name
        rows[name] = [*rows.get(name, []), *cells]
    return rows


def test_the_table_of_facts_is_the_facts():
    assert table("test images") == {
        name: [
            *map(str, (facts.image_size, facts.channels)),
            *(f"{number:,}" for number in (len(facts.classes), facts.train_images)),
            *(f"{facts.test_images:,}", str(facts.pad), "yes" if facts.flip else "no"),
            *(str(facts.cutout), facts.crop, facts.stem, facts.policy),
        ]
        for name, facts in DATASETS.items()
    }
    rows = table(r"mean \| standard deviation")
    assert {name: cells[:2] for name, cells in rows.items()} == {
        name: [" ".join(map(str, values)) for values in (facts.mean, facts.deviation)]
        for name, facts in DATASETS.items()
    }
    assert all(source for *_, source in rows.values())


def test_the_first_table_has_every_form_of_a_name():
    [forms] = re.findall(r"^\| `--dataset` \| images \|\n(?:\|.*\n)+", PAGE, re.MULTILINE)
    first = [line.split("|")[1] for line in forms.splitlines()[2:]]
    named = set(re.findall(r"`([^`]+)`", "".join(first)))
    assert {name.partition(":")[0] for name in named} == {
        form.partition(":")[0] for form in datasets.forms() if form.partition(":")[0] in ORIGINS
    } | {"tfds", "image_folder", "text_file"}


def test_the_table_of_archives_names_them_all_and_their_source():
    rows = table("source")
    assert rows.keys() == ORIGINS.keys() == DATASETS.keys()
    for name, origin in ORIGINS.items():
        for archive in origin.archives:
            assert f"`{archive}`" in rows[name]
        assert any(f"<{origin.url}>" in cell for cell in rows[name]) == bool(origin.url)
        assert any("--download" in cell for cell in rows[name]) == origin.fetched
    assert f"`DATA_DIR/{MANUAL}`" in PAGE
    assert f"`DATA_DIR/{MANUAL}/fashion_mnist`" in PAGE
    assert f"`DATA_DIR/NAME/VERSION/{STATISTICS}`" in PAGE


def test_the_bytes_are_those_of_the_published_checksums():
    rows = table("source")
    for name in (name for name, origin in ORIGINS.items() if origin.fetched):
        infos = tfds.builder(ORIGINS[name].builder).url_infos.values()
        sizes = {info.filename: info.size for info in infos}
        for archive in ORIGINS[name].archives:
            assert rows[name][rows[name].index(f"`{archive}`") + 1] == f"{sizes[archive]:,}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_finds_its_data_set_or_says_where_to_put_it(command, tmp_path):
    for name in "ab":
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "photos" / name / f"{number}.png").touch()
    words = shlex.split(command.replace("PATH", str(tmp_path / "photos")))[3:]
    config = parse(
        [*words, f"--data_dir={tmp_path}"], SearchConfig, "", presets=presets.folder("search")
    )[0]
    name = config.dataset
    assert name.partition(":")[0] in command
    if "--download" in words or name.startswith("image_folder:"):
        found, lazy = resolved(config)
        assert (found.dataset, lazy.facts.name) == (name, name)
    else:
        with pytest.raises(UserError, match=f"^data set '{name}' is not in {tmp_path}: put "):
            resolved(config)


def test_every_data_set_that_must_be_put_into_place_has_a_command():
    text = "\n".join(COMMANDS)
    named = set(re.findall(r"--(?:dataset|flagfile)=(\w+)", text))
    assert named == {*ORIGINS, "image_folder", "images", "tfds"} - {"digits", "cifar10"}


def test_the_code_searches_on_images_in_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    spaces.register(SMALL)
    with repeatable():
        exec(CODE.replace("SearchConfig(", f"SearchConfig(space={SMALL.name!r}, "), {})
    text = capsys.readouterr().out
    assert "Genotype(" in text
    assert text.splitlines()[-1].startswith("('plain', 'square') (")
    [line] = (tmp_path / "runs" / "squares" / "history.jsonl").read_text().splitlines()
    assert line.startswith("{")
    flags = (tmp_path / "runs" / "squares" / "config.flags").read_text()
    assert re.search(r"^--dataset=arrays:[0-9a-f]{12}$", flags, re.MULTILINE)
