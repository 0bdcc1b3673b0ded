"""Synthetic run directories of every program, for tests of reports."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from darts_tf.config import SearchConfig, TrainingConfig, flag_lines, training_flag_lines
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.searching.criteria import stable_epochs
from darts_tf.searching.plugs import choose, described
from darts_tf.spaces import zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, Genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.space import Space
from darts_tf.study.cells import RANDOM, Cell, Training
from darts_tf.study.config import StudyConfig
from darts_tf.study.results import epoch_lines, write_results
from darts_tf.tuning.config import RandomSearchConfig, TuningConfig
from darts_tf.tuning.space import TUNABLE

TRIED = {name: TUNABLE[name] for name in ("learning_rate", "weight_decay", "arch_learning_rate")}


def searched(
    path: Path, seed: int, epochs: int = 12, finished: bool = True, **settings: Any
) -> RunDirectory:
    """A search with drifting alphas, in which skip-connects grow; `settings` as in SearchConfig."""
    random = np.random.default_rng(seed)
    config = SearchConfig(dataset="digits", epochs=max(epochs, 1), seed=seed % 1000, **settings)
    run = RunDirectory(path, "search")
    config, plugs = choose(config)
    run.claim(flag_lines(config))
    run.describe(described(config, plugs))
    cells = STAGED_CELLS if config.share_alphas == "stage" else CELLS
    alphas = {cell: 1e-3 * random.standard_normal((14, 8)) for cell in cells}
    drift = {cell: 0.02 * random.standard_normal((14, 8)) for cell in cells}
    for table in drift.values():
        table[:, 3] += 0.015
    record = None
    for epoch in range(epochs):
        for cell in cells:
            alphas[cell] = alphas[cell] + drift[cell] + 0.02 * random.standard_normal((14, 8))
        counts = stable_epochs(record, alphas, DARTS)
        genotype = derive(softmax(alphas), DARTS)
        better = 1 - np.exp(-(epoch + 1) / 15)
        record = EpochRecord(
            epoch=epoch,
            alphas={cell: tuple(map(tuple, table.tolist())) for cell, table in alphas.items()},
            skip_connects=genotype.skip_connects(),
            stable_epochs=counts,
            genotype=genotype,
            train_loss=float(2.3 * (1 - 0.9 * better) + 0.02 * random.random()),
            train_accuracy=float(0.1 + 0.88 * better),
            valid_loss=float(2.3 * (1 - 0.8 * better) + 0.1 * random.random()),
            valid_accuracy=float(0.1 + 0.8 * better + 0.02 * random.random()),
            learning_rate=0.025 * (1 + np.cos(np.pi * epoch / epochs)) / 2,
            timing={"seconds": 60.0 + random.random()},
        )
        run.append_history(record.to_dict())
    if finished and record is not None:
        outcome = {
            "genotype": record.genotype.to_dict(),
            "epoch": record.epoch,
            "reason": f"Criterion 1: {record.skip_connects[cells[0]]} skip-connects in the "
            f"{cells[0]} cell",
            "cost": {"device_days": 0.06, "device": "GPU"},
        }
        run.write_json(run.genotype, outcome)
    return run


def trained(
    path: Path,
    seed: int,
    epochs: int = 12,
    finished: bool = True,
    genotype: Genotype | None = None,
    **settings: Any,
) -> RunDirectory:
    """A training run with random images of confused classes, one of which has an awkward name."""
    random = np.random.default_rng(seed)
    genotype = genotype or zoo.get("DARTS_PLUS_CIFAR10")
    config = TrainingConfig(dataset="digits", epochs=epochs, seed=seed % 1000, **settings)
    run = RunDirectory(path, "train")
    run.claim(training_flag_lines(config, genotype))
    for epoch in range(epochs):
        better = 1 - np.exp(-(epoch + 1) / 10)
        line = {
            "epoch": epoch,
            "train_loss": float(2.3 * (1 - 0.9 * better) + 0.05 * random.random()),
            "train_accuracy": float(0.1 + 0.85 * better),
            "learning_rate": 0.025 * (1 + float(np.cos(np.pi * epoch / epochs))) / 2,
            "drop_path": 0.2 * epoch / epochs,
            "timing": {"seconds": 9.5},
        }
        run.append_history(line)
    if finished:
        _end(run, random, genotype.to_dict(), epochs)
    return run


def searched_in(space: Space, path: Path, seed: int, epochs: int = 5) -> RunDirectory:
    """A search in any space, by a method with strengths, a temperature and two stages."""
    random = np.random.default_rng(seed)
    run = RunDirectory(path, "search")
    config = SearchConfig(dataset="digits", epochs=epochs)
    lines = [line for line in flag_lines(config) if not line.startswith("--space=")]
    run.claim([*lines, f"--space={space.name}"])
    run.describe(Description.of([(config, "")], space, "warm weights"))
    for epoch in range(epochs):
        alphas = {
            cell: random.standard_normal((len(space.edges(cell)), space.width(cell)))
            for cell in space.cells
        }
        strengths = {
            cell: np.where(space.mask(cell), 1 / (1 + np.exp(-table)), 0.0)
            for cell, table in alphas.items()
        }
        genotype = space.derive(strengths)
        record = EpochRecord(
            epoch=epoch,
            alphas={cell: tuple(map(tuple, table.tolist())) for cell, table in alphas.items()},
            skip_connects=genotype.skip_connects(),
            stable_epochs={cell: (0,) * len(table) for cell, table in alphas.items()},
            genotype=genotype,
            train_accuracy=random.random(),
            timing={"seconds": 60.0},
            strengths={cell: tuple(map(tuple, each.tolist())) for cell, each in strengths.items()},
            stage=int(epoch >= epochs // 2),
            measures={"temperature": 5.0 - epoch},
        )
        run.append_history(record.to_dict())
    return run


def repeated(path: Path, seed: int, ended: int = 3, begun: int = 3) -> RunDirectory:
    """Training runs with three seeds, of which some have started and some are finished."""
    random = np.random.default_rng(seed)
    first = seed % 1000
    config = TrainingConfig(dataset="digits", epochs=4, seed=first, repeats=3)
    genotype = zoo.get("DARTS_PLUS_CIFAR10")
    run = RunDirectory(path, "repeats")
    run.claim(training_flag_lines(config, genotype))
    for number in range(begun):
        one = trained(run.repeat(first + number), first + number, 4, number < ended)
        if number < ended:
            result = one.read_json(one.result)
            one.write_json(
                one.result, result | {"top1_error_percent": round(2 + random.random(), 2)}
            )
    if ended == 3:
        cost = {"device_days": 4.5, "device": "GPU"}
        run.write_json(run.outcome, {"seeds": list(range(first, first + 3)), "cost": cost})
    return run


def tuned(path: Path, seed: int, ended: int = 6, finished: bool = True) -> RunDirectory:
    """A tuning run with a number of finished trials, a diverged one, and one in progress."""
    random = np.random.default_rng(seed)
    config = TuningConfig(dataset="digits", epochs=12, trials=6, seed=seed % 1000)
    run = RunDirectory(path, "tune")
    run.claim(flag_lines(config))
    run.describe(described(*choose(config)))
    trials = []
    for number in range(ended + (not finished)):
        values = {name: random.uniform(among.low, among.high) for name, among in TRIED.items()}
        is_ended = number < ended
        trials.append(
            {
                "trial_id": str(number),
                "hyperparameters": {"space": [], "values": values},
                "status": "COMPLETED" if is_ended else "RUNNING",
                "score": (number > 0) * float(random.uniform(0.8, 0.99)) if is_ended else None,
            }
        )
        trial = path / "trials" / str(number)
        trial.mkdir(parents=True)
        searched(trial / "search", seed + number, 3, is_ended)
    run.write_json(run.trials, {"trials": trials})
    if finished:
        run.write_json(run.outcome, {"tuner": "random", "trials": []})
    return run


def random_searched(
    path: Path, seed: int, ended: int = 5, finished: bool = True, space: Space = DARTS
) -> RunDirectory:
    """A random search whose first network diverged, with a number of finished others."""
    random = np.random.default_rng(seed)
    first = seed % 1000
    layers = space.fewest_layers if space.most_layers else RandomSearchConfig().layers
    settings = {"space": space.name, "layers": layers, "samples": 6, "epochs": 4, "seed": first}
    config = RandomSearchConfig(dataset="digits", **settings)
    run = RunDirectory(path, "random_search")
    run.claim(flag_lines(config))
    run.describe(Description.of([(config, "")], space))
    tried = []
    for number in range(1 + ended + (not finished)):
        is_ended = 0 < number <= ended
        genotype = random_genotype(space, random)
        one = trained(
            run.repeat(first + number), number, 4, is_ended, genotype=genotype, layers=layers
        )
        if is_ended:
            result = one.read_json(one.result)
            error = round(float(random.uniform(2, 30)), 2)
            one.write_json(one.result, result | {"valid_top1_error_percent": error})
            tried.append((error, genotype.to_dict()))
    if finished:
        error, genotype = min(tried, key=lambda one: one[0])
        cost = {"device_days": 0.25, "device": "GPU"}
        run.write_json(run.outcome, {"genotype": genotype, "reason": "best", "cost": cost})
    return run


def studied(path: Path, seed: int, searches: int = 3, finished: bool = True) -> RunDirectory:
    """A study of two methods, whose searches are drawn and whose networks have random errors."""
    random = np.random.default_rng(seed)
    first = seed % 1000
    config = StudyConfig(
        dataset="digits",
        epochs=12,
        searches=searches,
        seed=first,
        beside="darts:one_level",
        stops="end,epoch:2,epoch:6,skip_connects",
    )
    run = RunDirectory(path, "study")
    run.claim(flag_lines(config))
    run.describe(Description.of([(config, "")], DARTS))
    cells, lines = [], []
    for one in range(first, first + searches - (not finished)):
        for number, method in enumerate(config.searched()):
            search = searched(run.search_of(method.name, one), seed + one + number, config.epochs)
            records = read_history(search.path)
            lines += epoch_lines(method.name, one, records, DARTS)
            for rule in config.rules():
                record, stopped = rule.choose(records, config, DARTS)
                genotype = record.genotype or zoo.get("DARTS_V2")
                cell = Cell(method.name, rule.name, one, genotype, stopped, record.epoch)
                cells.append(replace(cell, trainings=_trainings(random)))
        genotype = random_genotype(DARTS, random)
        cells.append(Cell(RANDOM, "", one, genotype, trainings=_trainings(random)))
    if cells:
        write_results(run, config, cells, lines, finished)
    return run


def _trainings(random: np.random.Generator) -> tuple[Training, ...]:
    return tuple(
        Training(
            seed,
            f"networks/some/seed_{seed}",
            {
                "top1_error_percent": float(random.uniform(5, 9)),
                "parameters": 20_000,
                "multiply_adds": 2_000_000,
            },
        )
        for seed in range(2)
    )


def png(random: np.random.Generator) -> str:
    """A random picture in base64."""
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (8, 8), np.uint8)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _end(run: RunDirectory, random: np.random.Generator, genotype: Any, epochs: int) -> None:
    pairs = [
        {
            "truth": truth,
            "answer": truth + 1,
            "count": 5 - truth,
            "of": 36,
            "pictures": [
                {"index": n, "probability": 0.9 - 0.1 * n, "png": png(random)}
                for n in range(min(4, 5 - truth))
            ],
        }
        for truth in range(4)
    ]
    by_class = [{"of": 36, "wrong": wrong} for wrong in (5, 4, 3, 2, 0, 0, 0, 0, 0)]
    by_class.append({"of": 0, "wrong": 0})
    run.write_json(run.confusions, {"pairs": pairs, "by_class": by_class})
    result = {
        "top1_error_percent": 5.28,
        "top5_error_percent": 0.28,
        "parameters": 3_349_342,
        "multiply_adds": 539_000_000,
        "epochs": epochs,
        "dataset": "digits",
        "image_size": 8,
        "classes": ["</script><b>", *map(str, range(1, 10))],
        "genotype": genotype,
        "cost": {"device_days": 1.5, "device": "GPU"},
    }
    run.write_json(run.result, result)
