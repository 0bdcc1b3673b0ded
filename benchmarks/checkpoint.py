"""The cost of a checkpoint: `python -m benchmarks.checkpoint [--runs=5]`.

Seconds of an iteration, of saving a checkpoint and of resuming from it, and the size of the file,
for the search and the training of `benchmarks.timing.works`. The table and the CSV file contain
medians; `steps` is the number of iterations that take as long as saving once.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks import table
from benchmarks.command_line import Parser, positive, prepare_output
from benchmarks.timing.works import WORKS
from darts_tf.command_line.program import run

COLUMNS = ("work", "step_s", "save_s", "resume_s", "mb", "steps")
MEASURED = ("search_32", "training")


def measure(name: str, tiny: bool, runs: int) -> dict[str, str]:
    """Returns a row of `COLUMNS` for a workload.

    Args:
        name: Name of the workload.
        tiny: Whether to use the sizes of the tests.
        runs: Number of measurements.
    """
    from benchmarks.ours import steps
    from darts_tf.engine.devices import make_strategy
    from darts_tf.engine.variables_state import VariablesState
    from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
    from darts_tf.runs.directory import RunDirectory

    work = WORKS[name].tiny() if tiny else WORKS[name]
    sizes = work.sizes.smallest() if tiny else work.sizes
    iterate = steps.build(work.kind, sizes)
    iterate()
    state = VariablesState(make_strategy("one_device"), iterate.variables)
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder) / "run", "search")
        directory.claim([])
        checkpoints = Checkpoints(directory)
        path = checkpoints.save(Checkpoint(0, 0, state.arrays()))
        size = path.stat().st_size

        def resume() -> None:
            checkpoint = checkpoints.latest()
            if checkpoint is None:
                raise RuntimeError("the checkpoint that was just written is damaged")
            state.restore(checkpoint.arrays)

        step = _median(runs, iterate)
        save = _median(runs, lambda: checkpoints.save(Checkpoint(0, 0, state.arrays())))
        resuming = _median(runs, resume)
    return {
        "work": name,
        "step_s": table.seconds(step),
        "save_s": table.seconds(save),
        "resume_s": table.seconds(resuming),
        "mb": f"{size / 1e6:.1f}",
        "steps": f"{save / step:.2f}",
    }


def _median(runs: int, call: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return median(times)


def main(arguments: Sequence[str]) -> None:
    """Measures, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.checkpoint", __doc__)
    parser.add_argument("--runs", type=positive, default=5, help="runs of each")
    parser.add_results("checkpoint")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    prepare_output(options.output)
    from benchmarks.ours import steps

    steps.set_up()
    rows = []
    for name in MEASURED:
        rows.append(measure(name, options.tiny, options.runs))
        table.write(options.output, COLUMNS, rows)
    print(table.markdown(COLUMNS, rows))


if __name__ == "__main__":
    sys.exit(run("checkpoint", main))
