"""The end of a training: its model and its result."""

from collections.abc import Mapping
from typing import Any

import keras

from darts_tf import report
from darts_tf.engine.epochs import BY_HAND, EpochLoop
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.model_file import save_model
from darts_tf.report.board import Watching
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import Genotype


def end_run(
    run: RunDirectory,
    loop: EpochLoop,
    board: Watching,
    model: keras.Model,
    genotype: Genotype,
    measured: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Writes the model and, last, the result, with which a run is finished.

    Args:
        run: The directory of the run, which has all its other files.
        loop: The loop that has run the epochs.
        board: What tells TensorBoard of the run.
        model: The model for inference.
        genotype: The cells.
        measured: The errors or perplexities of the model, by name.
        data: What the result says of the data set.

    Returns:
        The contents of `result.json`.
    """
    result = {
        **measured,
        "parameters": parameters(model),
        "multiply_adds": multiply_adds(model),
        "epochs": len(loop.history),
        **data,
        "genotype": genotype.to_dict(),
        "cost": loop.cost(),
        **({"reason": BY_HAND, "ended_by_hand": True} if loop.ended_by_hand else {}),
    }
    with run.writing(run.model) as temporary:
        save_model(model, temporary)
    board.finish(result)
    run.write_json(run.result, result)
    run.stop_is_done()
    report.refresh(run)
    return result
