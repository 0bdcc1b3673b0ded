"""Tunes the hyperparameters of a search.

    python -m trainers.tune --flagfile=digits.flags [--run_dir=DIR] [any flag to override]

A trial is a search with its own settings and a short training run of the network that it derives.
Its score is the accuracy on held-out training images, for a text the perplexity of the part to
validate on. The run directory receives config.flags, trials/, trials.json, report.html, tune.log,
tuning.json and best.flags, which trainers.search takes as its --flagfile. Several machines share
the trials by KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT.
"""

import sys
from collections.abc import Sequence

import darts_tf
from darts_tf.command_line.parsing import parse_with_plugs, resolved
from darts_tf.command_line.program import carry_out, logging_to, run
from darts_tf.data.datasets import run_name
from darts_tf.errors import counted
from darts_tf.extras import require
from darts_tf.report.columns import aligned
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import quality_of
from darts_tf.searching.plugs import choose, run_flags
from darts_tf.settings import earlier_lines
from darts_tf.study.page import complete_page
from darts_tf.tuning.config import TuningConfig
from darts_tf.tuning.role import role
from trainers import presets
from trainers.next_step import next_command


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then tunes.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument or an environment variable is invalid; raised before TensorFlow
            is imported.
    """
    config, paths, plugs, _ = parse_with_plugs(
        arguments,
        TuningConfig,
        __doc__,
        {
            "method": darts_tf.methods,
            "space": darts_tf.spaces,
            "stop_criterion": darts_tf.criteria,
        },
        extra={"run_dir": "Directory of the run; runs/<dataset>-tuned when empty."},
        presets=presets.folder("tune"),
    )
    chosen = {"method": plugs["method"], "criterion": plugs["stop_criterion"]}
    named, plugs_of_trials = choose(config, **chosen)
    require("tune")
    is_tuner = role() == "tuner"
    config, dataset = resolved(config, plugs_of_trials.space)
    flags = run_flags(named.resolved(dataset.facts), plugs_of_trials)
    path = paths["run_dir"] or f"runs/{run_name(config.dataset)}-tuned"
    directory = RunDirectory(path, "tune")
    if is_tuner and directory.claim(flags, earlier_lines(TuningConfig)) != "finished":
        with logging_to(None):
            darts_tf.tune(config, directory, data=dataset, **chosen)
        print("no trial is left; the chief writes the outcome")
        return
    carry_out(
        directory, flags, config, lambda: darts_tf.tune(config, directory, data=dataset, **chosen)
    )
    command = next_command(directory, config)
    complete_page(directory, command)
    _report(directory, config, command)


def _report(directory: RunDirectory, config: TuningConfig, command: str) -> None:
    outcome = directory.read_json(directory.outcome)
    trials = outcome["trials"]
    if "reason" in outcome:
        print(f"stopped after {counted(len(trials), 'trial')}: {outcome['reason']}")
    quality = quality_of(name for trial in trials for name in trial)
    ranked = sorted(trials, key=lambda trial: (-trial["epochs"], -quality.rank(trial[quality.key])))
    rows = [["trial", f"valid {quality.name}", "epochs", *config.tuned()]]
    for trial in ranked:
        score = quality.told(trial[quality.key])
        rows.append([trial["trial"], score, trial["epochs"], *trial["settings"].values()])
    print("\n".join(aligned([[str(value) for value in row] for row in rows])))
    print(f"next: {command}")


if __name__ == "__main__":
    sys.exit(run("tune", main))
