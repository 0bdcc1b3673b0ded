"""Parts of a page that need no script: settings, the genotype, tables, confused classes."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from darts_tf.errors import counted
from darts_tf.report.content import explained
from darts_tf.report.runs import Run
from darts_tf.runs.programs import Program
from darts_tf.spaces.genotype import Genotype

_CHANGED = {True: "changed", False: ""}
_NEXT: Mapping[Program, str] = {
    "search": "This command trains the network of the genotype.",
    "random_search": "This command trains the network of the best genotype.",
    "tune": "This command searches with the settings of the best trial.",
    "train": "This command exports the network.",
    "repeats": "This command exports the best of the networks.",
}


def slots(name: str, about: str = "") -> str:
    """Returns the place where the script draws, with a line of text above it."""
    text = f"<p>{escape(about)}</p>" if about else ""
    return f'{text}<div class="slot" data-draw="{escape(name)}"></div>'


def genotype_box(genotype: Genotype, name: str = "genotype") -> str:
    """Returns a genotype as JSON with a button that copies it.

    Args:
        genotype: The cells.
        name: The id of the text, unique on the page.
    """
    lines = [f"{json.dumps(key)}: {json.dumps(part)}" for key, part in genotype.to_dict().items()]
    text = "{\n  " + ",\n  ".join(lines) + "\n}"
    return _copied(text, name, "Copy the genotype", "The genotype as JSON")


def next_section(command: str, program: Program) -> tuple[str, str]:
    """Returns the end of a finished run's page: the command to run next.

    Args:
        command: The command.
        program: The program of the run.
    """
    about = f"<p>{escape(_NEXT[program])}</p>"
    return "What to run next", about + _copied(command, "next", "Copy the command", "The command")


def _copied(text: str, name: str, button: str, label: str) -> str:
    return (
        f'<div class="copied"><button type="button" data-copies="{name}">{button}</button>'
        f'<span role="status"></span></div><pre id="{name}" tabindex="0" '
        f'aria-label="{label}">{escape(text)}</pre>'
    )


def last_sections(run: Run, genotype: Genotype | None) -> list[tuple[str, str]]:
    """Returns the end of every run's page: images, genotype, where it has them, and settings."""
    sections = [] if run.images is None else [("Images", images_part(run.images))]
    sections += [] if genotype is None else [("Genotype", genotype_box(genotype))]
    return [*sections, ("Settings", settings_table(explained(run)))]


def images_part(images: Mapping[str, Any]) -> str:
    """Returns what was found in a folder of images.

    Args:
        images: As `images.json` holds it.
    """
    lines = [f"{images['found']}.", f"{images['kinds']}."]
    if images["damaged"]:
        lines.append(f"Damaged and left out: {', '.join(images['damaged'])}")
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    counts = [
        [name, f"{each['train']:,}", f"{each['test']:,}"]
        for name, each in images["classes"].items()
    ]
    classes = table(["Class", "Training images", "Test images"], counts, "Images by class")
    return f"{text}<details><summary>By class</summary>{classes}</details>"


def definitions(rows: Mapping[str, str]) -> str:
    """Returns names and their values as a list."""
    values = "".join(
        f"<div><dt>{_breakable(name)}</dt><dd>{_breakable(value)}</dd></div>"
        for name, value in rows.items()
    )
    return f'<dl class="settings">{values}</dl>'


def settings_table(rows: Sequence[tuple[str, str, str, bool]]) -> str:
    """Returns the settings as a list: names, values, and their texts.

    Args:
        rows: As `content.explained` gives them.
    """
    values = "".join(
        f'<div class="{_CHANGED[changed]}" title="{escape(text)}">'
        f"<dt>{_breakable(name)}</dt><dd>{_breakable(value) or '<i>empty</i>'}</dd></div>"
        for name, value, text, changed in rows
    )
    meanings = "".join(
        f"<div><dt>{_breakable(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, _, text, _ in rows
    )
    return (
        f'<p>In bold: other than the default.</p><dl class="settings">{values}</dl>'
        f"<details><summary>What they mean</summary><dl class=meanings>{meanings}</dl></details>"
    )


def confusion_list(pairs: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> str:
    """Returns the most confused classes, with their pictures.

    Args:
        pairs: As `confusions.json` holds them.
        classes: Their names; without one a class goes by its number.
    """
    if not pairs:
        return "<p>Every test image was classified correctly.</p>"
    about = (
        "Pictures of wrong answers. The percentage below a picture is the probability that the "
        "network gives its wrong answer; the most certain ones come first."
    )
    items = "".join(_pair(pair, classes) for pair in pairs)
    return f'<p>{about}</p><ul class="confusions">{items}</ul>'


def class_name(number: int, classes: Sequence[str]) -> str:
    """Returns the name of a class, its number where it has none."""
    return classes[number] if number < len(classes) else str(number)


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], label: str, marked: int | None = None
) -> str:
    """Returns a table of texts; the first one of a row is its heading.

    Args:
        head: Headings of the columns.
        rows: The rows.
        label: The name of the table for those who cannot see it.
        marked: The row that stands out; None for none.
    """
    columns = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = "".join(
        f'<tr{" class=best" if number == marked else ""}><th scope="row">{_breakable(first)}</th>'
        + "".join(f"<td>{_breakable(text)}</td>" for text in rest)
        + "</tr>"
        for number, (first, *rest) in enumerate(rows)
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">'
        f'<table aria-label="{escape(label)}">'
        f"<thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _pair(pair: Mapping[str, Any], classes: Sequence[str]) -> str:
    truth, answer = (escape(class_name(pair[key], classes)) for key in ("truth", "answer"))
    pictures = "".join(
        f'<figure><img src="data:image/png;base64,{escape(str(picture["png"]))}" '
        f'alt="Test image {int(picture["index"])}, {truth} taken for {answer}">'
        f"<figcaption>{100 * float(picture['probability']):.0f} %</figcaption></figure>"
        for picture in pair["pictures"]
    )
    share = f"{int(pair['count'])} of {counted(int(pair['of']), 'image')}"
    return (
        f"<li><h3><b>{truth}</b> taken for <b>{answer}</b></h3><p>{share}</p>"
        f'<div class="pictures">{pictures}</div></li>'
    )


def _breakable(text: str) -> str:
    """Returns a text as HTML that may be broken after a slash or an underscore."""
    return re.sub(r"([/_,])", r"\1<wbr>", escape(text))
