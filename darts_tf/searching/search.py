"""The search: alternating steps, epoch by epoch, until a criterion of DARTS+ stops it."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np

from darts_tf import report
from darts_tf.config import SearchConfig
from darts_tf.data.dataset import AnyDataset
from darts_tf.data.datasets import resolve
from darts_tf.data.fingerprint import fingerprint
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.epochs import BY_HAND, Epoch, EpochLoop, Line, RunStage
from darts_tf.engine.images import read_images
from darts_tf.engine.scoring import perplexities
from darts_tf.engine.session import Session, open_session
from darts_tf.engine.workers import open_run
from darts_tf.report.board import open_board
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.progress import search_line
from darts_tf.searching import criteria, methods
from darts_tf.searching.criteria import movement, never, state
from darts_tf.searching.plugs import Plugs, choose, described, run_flags
from darts_tf.searching.stage_search import StageSearch
from darts_tf.searching.stop_search import StopSearch
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.space import Benchmark, Space

_logger = logging.getLogger(__name__)
_TRUE = "true_"  # of the names of measures that a benchmark knows


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search.

    Attributes:
        genotype: The cells of the last epoch, or of the epoch that the criterion chose.
        epoch: Number of that epoch, from 0.
        reason: Why the search ended.
        records: One record an epoch.
    """

    genotype: Genotype
    epoch: int
    reason: str
    records: tuple[EpochRecord, ...]


def search(
    config: SearchConfig,
    run_directory: str | os.PathLike[str] | RunDirectory,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    method: Any = None,
    space: Any = None,
    criterion: Any = None,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> SearchResult:
    """Searches for a cell and stops early (DARTS+, section 4.2).

    A file named `stop` in the run's directory ends the search after the epoch under way, with the
    genotype of that epoch. The same settings give the same history and genotype, to the bit.

    Example:

        >>> import tempfile
        >>> import numpy as np
        >>> import darts_tf
        >>> images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), np.uint8)
        >>> labels = np.arange(32) % 2
        >>> config = darts_tf.SearchConfig(epochs=1, layers=3, init_channels=2, batch_size=16)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = darts_tf.search(config, folder, data=(images, labels), verbose=0)
        >>> result.epoch, sorted(result.genotype.cells)
        (0, ['normal', 'reduce'])

    Args:
        config: The settings of the search.
        run_directory: Where the run's files go. A finished run there is read, not repeated; an
            unfinished one resumes from its last checkpoint. Of several workers, only the chief
            has it. A `RunDirectory` has been claimed by the caller.
        callbacks: Keras callbacks, called as `fit` calls them, with the supernet as their model;
            `model.stop_training = True` ends the search after the epoch.
        method: A search method, or the name, class or config of one; None for `config.method`.
        space: A search space, likewise; None for `config.space`. It has to be registered for files
            that name it to be read.
        criterion: A criterion, likewise, or a function from the records so far to the reason to
            stop or None; None for `config.stop_criterion`.
        data: The data set, in any form that `darts_tf.data.resolve` takes, for instance NumPy
            arrays; None for the one that `config` names.
        verbose: "auto" shows a line an epoch where nobody has configured logging, and a progress
            bar in a terminal or a notebook; 1 shows both in any case, 0 neither.

    Returns:
        The genotype, its epoch, the reason why the search ended, and the records.

    Raises:
        UserError: If there is no such data set or plug, these do not go together, the directory
            holds another run, or a loss is infinite or NaN.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the run is saved.
        WorkerLost: If another worker has died.
    """
    config, plugs = choose(config, method, space, criterion)
    config, dataset = resolve(config, data, plugs.space)
    with (
        show_progress(verbose) as bar,
        open_run(run_directory, "search", config, run_flags(config, plugs)) as run,
    ):
        run.describe(described(config, plugs, dataset.facts))
        if run.finished():
            return _read_result(run)
        with open_session(run, config, bar) as session:
            return _run_search(config, plugs, dataset, session, callbacks)


def _run_search(
    config: SearchConfig,
    plugs: Plugs,
    dataset: AnyDataset,
    session: Session,
    callbacks: Sequence[keras.callbacks.Callback],
) -> SearchResult:
    """Runs the epochs of a search that are left, and writes its genotype."""
    run = session.run
    images = read_images(dataset, run)

    method, lengths = plugs.method, plugs.method.stage_epochs(config)
    benchmark = plugs.space.benchmark(config.benchmark_dir)
    stop = StopSearch(
        plugs.criterion, ranks=config.stable_ranks, derivation=method.derive, counted=method.counted
    )

    current: list[StageSearch] = []  # the stage under way, the only entry

    def make_stage(number: int, lines: Sequence[Line], previous: RunStage | None) -> RunStage:
        """Makes a stage, and has the callback that stops the search begin with it."""
        records = [EpochRecord.from_dict(line) for line in lines]
        plan = method.stage(number, config, plugs.space, records)
        # Before the last stage a criterion ends its stage, not the search.
        last = plan.may_be_last or number == len(lengths) - 1
        criterion = plugs.criterion if last else never
        measured = partial(_measurement_names, plugs)
        searching = StageSearch(config, method, plan, session.strategy, images, measured)
        if previous is not None:
            method.begin_stage(searching.supernet, previous.model)
            searching.go_on(current[-1])
            searching.go_back(run)
        current[:] = [searching]
        counting = method.counting(number, records)
        alphas: Any = searching.supernet.architecture_parameters()
        if counting:
            alphas = counting[0].alphas
        start = {cell: np.asarray(table) for cell, table in alphas.items()}
        stop.begin_stage(criterion, plan.space, _learns_from(plan, counting), start, counting)

        def over(lines: Sequence[Line]) -> bool:
            if last:
                return method.stage_over(plan, stop.records)
            learned = len(lines) > plan.arch_start_epoch
            return learned and plugs.criterion(stop.records) is not None

        def leads_on(lines: Sequence[Line]) -> bool:
            return not plan.may_be_last or over(lines)

        return searching.stage(over, leads_on)

    loop = EpochLoop(session, lengths, make_stage, images.facts, fingerprint(images))
    records = [EpochRecord.from_dict(line) for line in loop.history]
    stop.resume(method.counting(loop.stage_number, records))
    board = open_board(run, config, loop.history)

    def line(epoch: Epoch, logs: Mapping[str, float], timing: Mapping[str, float]) -> Line:
        record = stop.records[-1]
        measures = {**record.measures, **method.measures(loop.stage.model)}
        if images.facts.kind == "text":
            measures |= perplexities(logs)
        stop.records[-1] = replace(
            record,
            stage=epoch.stage,
            measures={
                **measures,
                **current[-1].cost_measures(),
                **_known(benchmark, record.genotype),
            },
            kept=_stage_candidates(stop.search_space, plugs.space),
            timing=timing,
        )
        return stop.records[-1].to_dict()

    loop.run(
        line,
        lambda line, left: _line(stop, plugs, left),
        listeners=[board.add],
        afterwards=[
            lambda line: report.refresh(run),
            lambda line: current[-1].keep_state(run, stop.records, loop.history),
        ],
        callbacks=[stop, *callbacks],
    )
    board.finish()
    genotype, epoch = stop.genotype, stop.records[-1].epoch
    if genotype is None or stop.epoch is None:
        raise RuntimeError("the supernet's tables gave no genotype")
    last = f"the last of {epoch + 1} epochs" if epoch else "the only epoch"
    other = BY_HAND if loop.ended_by_hand else "a callback stopped the search"
    reason = stop.reason or (last if loop.finished else other)
    chosen = {} if stop.epoch == epoch else {"genotype_epoch": stop.epoch}
    run.write_json(
        run.genotype,
        {
            "genotype": genotype.to_dict(),
            "epoch": epoch,
            **chosen,
            "reason": reason,
            "moved": movement(stop.records[-1]),
            **({"ended_by_hand": True} if loop.ended_by_hand else {}),
            "cost": loop.cost(),
        },
    )
    run.stop_is_done()
    report.refresh(run)
    _warn_of_empty_cells(genotype)
    return _read_result(run)


def _warn_of_empty_cells(genotype: Genotype) -> None:
    """Warns of cells in which nothing is left, which is easily taken for a poor search."""
    if empty := [cell for cell in genotype.cells if not genotype.edges(cell)]:
        _logger.warning(
            f"the genotype has no edges in {', '.join(empty)}, so a network of it learns nothing "
            "there: nothing in the supernet was strong enough to be kept"
        )


def _known(benchmark: Benchmark | None, genotype: Genotype | None) -> dict[str, float]:
    """Returns what a benchmark knows of an epoch's cell, by names of measures."""
    if benchmark is None or genotype is None:
        return {}
    return {f"{_TRUE}{name}": value for name, value in benchmark.accuracies(genotype).items()}


def _measurement_names(plugs: Plugs, epoch: int) -> tuple[str, ...]:
    """Returns the measurements that criterion and method need after an epoch of a stage."""
    both = (*criteria.measured(plugs.criterion, epoch), *plugs.method.measured(epoch))
    return tuple(dict.fromkeys(both))


def _learns_from(plan: methods.Stage, counting: Sequence[EpochRecord]) -> int:
    """Returns the first epoch of the search in which the alphas of a stage learn."""
    if plan.arch_start_epoch < len(counting):
        return counting[plan.arch_start_epoch].epoch
    return plan.first_epoch + plan.arch_start_epoch - len(counting)


def _stage_candidates(now: Space, whole: Space) -> dict[str, tuple[tuple[str, ...], ...]] | None:
    """Returns by cell the candidates of each edge of a stage's space.

    None where these are all candidates of the search's space.
    """
    tables = [
        {cell: tuple(edge.candidates for edge in space.edges(cell)) for cell in space.cells}
        for space in (now, whole)
    ]
    return None if tables[0] == tables[1] else tables[0]


def _line(stop: StopSearch, plugs: Plugs, left: float) -> str:
    """Returns the last epoch's line of the log."""
    record, criterion = stop.records[-1], plugs.criterion
    words = state(criterion, stop.records)
    if words and (read := plugs.method.read_by(criterion)):
        words += f" by {read}"
    parts = ["weights only" if record.epoch < stop.first_epoch else words]
    if accuracy := record.measures.get(f"{_TRUE}cifar10_test"):
        parts.append(f"true {accuracy:.2f}% on CIFAR-10")
    return search_line(record, ", ".join(filter(None, parts)), left)


def _read_result(run: RunDirectory) -> SearchResult:
    """Returns the result of a finished search, from the files of its run."""
    outcome = run.read_json(run.genotype)
    epoch = outcome.get("genotype_epoch", outcome["epoch"])
    records = tuple(EpochRecord.from_dict(line) for line in run.read_history())
    return SearchResult(read_genotype(outcome), int(epoch), str(outcome["reason"]), records)
