"""docs/data.md: its tables are the facts, its commands are read, its folders are the real ones."""

import re
import shlex
from pathlib import Path

import pytest

from darts_tf.config import SearchConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.sources.origins import MANUAL, ORIGINS
from trainers.command_line import parse

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("python -m trainers.search")]


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table whose heading holds these words, by data set."""
    rows, name = {}, ""
    [text] = re.findall(rf"^(\|[^\n]*{heading}[^\n]*\n(?:\|.*\n)+)", PAGE, re.MULTILINE)
    for line in text.splitlines()[2:]:
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        name = first.strip("`") or name
        rows[name] = [*rows.get(name, []), *cells]
    return rows


def test_the_table_of_facts_is_the_facts():
    assert table("training images") == {
        name: [
            *map(str, (facts.image_size, facts.channels)),
            *(f"{number:,}" for number in (len(facts.classes), facts.train_images)),
            *(f"{facts.test_images:,}", str(facts.pad), "yes" if facts.flip else "no"),
            *(str(facts.cutout), facts.crop, facts.stem, facts.policy),
        ]
        for name, facts in DATASETS.items()
    }
    assert table("deviation") == {
        name: [" ".join(map(str, values)) for values in (facts.mean, facts.deviation)]
        for name, facts in DATASETS.items()
    }


def test_the_table_of_archives_names_them_all_and_where_they_are():
    rows = table("where it is")
    assert rows.keys() == ORIGINS.keys() == DATASETS.keys()
    for name, origin in ORIGINS.items():
        for archive in origin.archives:
            assert f"`{archive}`" in rows[name]
        assert any(f"<{origin.url}>" in cell for cell in rows[name]) == bool(origin.url)
        assert any("--download" in cell for cell in rows[name]) == origin.fetched
    assert f"`DATA_DIR/{MANUAL}`" in PAGE


def test_the_bytes_are_those_of_the_published_checksums():
    import tensorflow_datasets as tfds

    rows = table("where it is")
    for name in ("cifar10", "cifar100"):
        infos = tfds.builder_cls(ORIGINS[name].builder).url_infos.values()
        sizes = {info.filename: info.size for info in infos}
        archive = ORIGINS[name].archives[0]
        assert rows[name][rows[name].index(f"`{archive}`") + 1] == f"{sizes[archive]:,}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_read(command, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(5):
            (tmp_path / name / f"{number}.png").touch()
    words = shlex.split(command.replace("PATH", str(tmp_path)))[3:]
    assert parse(words, SearchConfig, "", program="search")[0].dataset in command.replace(
        "PATH", str(tmp_path)
    )


def test_every_data_set_that_must_be_put_into_place_has_a_command():
    named = {match[1] for command in COMMANDS if (match := re.search(r"--dataset=(\w+)", command))}
    assert named == {"cifar100", "tiny_imagenet", "imagenet", "image_folder"}
