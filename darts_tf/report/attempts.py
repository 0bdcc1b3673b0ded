"""A page of attempts of which the best is kept: trials of a tuning run, random genotypes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from darts_tf.report.content import cells, chart, heading
from darts_tf.report.page import Page
from darts_tf.report.parts import definitions, last_sections, slots, table
from darts_tf.report.runs import Run
from darts_tf.runs.quality import Quality
from darts_tf.spaces.genotype import Genotype


@dataclass(frozen=True)
class Attempt:
    """A trial of a tuning run, or a genotype of a random search.

    Args:
        name: Its number or seed, as text.
        score: Its score in validation, such as an accuracy from 0 to 1; None without one.
        epochs: The epochs it was given. Attempts with fewer are not compared with longer ones.
        state: `finished`, or what else it is.
        details: What distinguishes it, by name, as text.
    """

    name: str
    score: float | None
    epochs: int
    state: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """The words of a page for its attempts.

    Args:
        one: One attempt, such as `trial`.
        number: The word for its name, such as `seed`.
        about: The sentence below the heading.
        best: The sentence above the best one's cells, which its name ends.
        quality: By what they are compared.
        details: The heading of the best one's details; "" for no such section.
    """

    one: str
    number: str
    about: str
    best: str
    quality: Quality
    details: str = ""


def best(attempts: Sequence[Attempt], quality: Quality) -> Attempt | None:
    """Returns the best of the longest attempts, the first of equals; None without one.

    Args:
        attempts: The attempts.
        quality: By what they are compared.
    """
    scored = [attempt for attempt in attempts if attempt.score is not None]
    return max(scored, key=lambda attempt: _rank(attempt, quality), default=None)


def page(
    run: Run,
    words: Words,
    facts: Sequence[tuple[str, str]],
    attempts: Sequence[Attempt],
    genotype: Genotype | None,
) -> Page:
    """Returns the page of attempts, finished or not.

    Args:
        run: The run that made them.
        words: The words for them.
        facts: Names and values below the heading, before those of the best attempt.
        attempts: In the order in which they began.
        genotype: The cells of the best one, where they are known.
    """
    quality, first = words.quality, best(attempts, words.quality)
    one = words.one.capitalize()
    sections: list[tuple[str, str]] = []
    if first is None or first.score is None:
        sections.append(("Nothing yet", f"<p>The first {words.one} is under way.</p>"))
    else:
        facts = [
            *facts,
            (f"Best validation {quality.name}", quality.text(first.score, digits=1)),
            (f"Best {words.one}", first.name),
        ]
        sections.append((f"Validation {quality.names}", slots("scores")))
    if attempts:
        sections.append((f"{one}s", _table(words, attempts, first)))
    if first is not None and genotype is not None:
        about = f"{words.best} {first.name}."
        sections.append((f"Cells of the best {words.one}", slots("cells", about)))
    if first is not None and words.details:
        sections.append((words.details, definitions(first.details)))
    sections += last_sections(run, genotype)
    return Page(
        title=heading(run),
        kind=run.program,
        about=words.about,
        facts=facts,
        sections=sections,
        data=content(run, words, attempts, genotype),
        finished=run.outcome is not None,
    )


def content(
    run: Run, words: Words, attempts: Sequence[Attempt], genotype: Genotype | None
) -> dict[str, Any]:
    """Returns the data that the script of the page draws.

    Args:
        run: The run that made them.
        words: The words for them.
        attempts: In the order in which they began.
        genotype: The cells of the best one, where they are known.
    """
    quality = words.quality
    scored = [attempt for attempt in attempts if attempt.score is not None]
    leaders = [best(scored[: number + 1], quality) for number in range(len(scored))]
    scores = chart(
        f"Validation {quality.name} by {words.number}{quality.unit}",
        {
            words.one: [_scaled(attempt, quality) for attempt in scored],
            "best so far": [_scaled(leader, quality) for leader in leaders],
        },
        labels=[attempt.name for attempt in scored],
        unit=words.number,
        points=[words.one],
    )
    return {
        "kind": run.program,
        "epochs": [],
        **cells([genotype]),
        "stop": None,
        "charts": {"scores": [scores]},
    }


def _rank(attempt: Attempt, quality: Quality) -> tuple[int, float]:
    score = quality.worst if attempt.score is None else attempt.score
    return attempt.epochs, quality.rank(score)


def _scaled(attempt: Attempt | None, quality: Quality) -> float | None:
    if attempt is None or attempt.score is None:
        return None
    return quality.scaled(attempt.score)


def _table(words: Words, attempts: Sequence[Attempt], first: Attempt | None) -> str:
    """Returns the attempts as a table, the best first, those without a score last."""
    quality = words.quality
    ranked = sorted(
        attempts,
        key=lambda attempt: (attempt.score is not None, *_rank(attempt, quality)),
        reverse=True,
    )
    names = dict.fromkeys(name for attempt in attempts for name in attempt.details)
    rows = [
        [
            attempt.name,
            "" if attempt.score is None else quality.text(attempt.score),
            attempt.state,
            str(attempt.epochs),
            *(attempt.details.get(name, "") for name in names),
        ]
        for attempt in ranked
    ]
    head = [words.number.capitalize(), f"Validation {quality.name}", "State", "Epochs", *names]
    return table(head, rows, f"{words.one}s", marked=ranked.index(first) if first else None)
