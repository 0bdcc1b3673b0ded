"""The page of a random search: its genotypes, their networks' scores, and the best one's cells."""

from collections.abc import Mapping

from darts_tf.errors import counted
from darts_tf.report import attempts
from darts_tf.report.attempts import Attempt, Words
from darts_tf.report.content import device_days
from darts_tf.report.page import Page
from darts_tf.report.runs import Run, read_run, trainings
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import Quality, quality_of


def page(directory: RunDirectory) -> Page:
    """Returns the page of a random search, finished or not."""
    run = read_run(directory)
    networks = trainings(directory)
    samples, quality = read_samples(run, networks)
    words = Words(
        one="sample",
        number="seed",
        about=_about(run, samples),
        best="The genotype of seed",
        quality=quality,
    )
    facts = [("Samples", f"{_ended(samples)} of {run.settings.get('samples', '?')}")]
    if run.outcome is not None:
        facts.append(("Cost", device_days(run.outcome)))
    best = attempts.best(samples, quality)
    genotype = None if best is None else networks[int(best.name)].genotype
    return attempts.page(run, words, facts, samples, genotype)


def read_samples(run: Run, networks: Mapping[int, Run]) -> tuple[list[Attempt], Quality]:
    """Returns the genotypes that have been drawn, by seed, and by what they are compared.

    Args:
        run: The random search.
        networks: The training runs of their networks, by seed.
    """
    last = max(networks, default=0)
    quality = quality_of(name for one in networks.values() for name in one.outcome or ())
    samples = []
    for seed, network in sorted(networks.items()):
        done, most = len(network.history), int(network.settings["epochs"])
        # Samples are trained one after the other: one before the last that has no result diverged.
        under_way = seed == last and run.outcome is None
        state = f"under way: {done} of {counted(most, 'epoch')}" if under_way else "diverged"
        score, details = None, {}
        if network.outcome is not None:
            state = "finished"
            score = quality.score(float(network.outcome[quality.held_out]))
            if "parameters" in network.outcome:
                details["Parameters"] = f"{int(network.outcome['parameters']):,}"
        samples.append(Attempt(str(seed), score, most, state, details))
    return samples, quality


def _ended(samples: list[Attempt]) -> int:
    return sum(sample.state in ("finished", "diverged") for sample in samples)


def _about(run: Run, samples: list[Attempt]) -> str:
    dataset = run.settings.get("dataset", "a data set")
    most = run.settings.get("samples", "?")
    if run.outcome is None:
        done = f"{_ended(samples)} of {counted(most, 'sample')}"
        return f"A random search on {dataset}, under way: {done}."
    best = f"the best of {counted(most, 'random genotype')}"
    return f"A random search on {dataset}, finished: {best}."
