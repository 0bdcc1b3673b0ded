"""The names in the outcome of a training run, those of earlier releases included."""

from collections.abc import Mapping
from typing import Any

# The errors of a network, and what they are called. Releases before 0.2 wrote no unit.
ERRORS = {
    "top1_error_percent": "Test error",
    "top5_error_percent": "Test error, top 5",
    "valid_top1_error_percent": "Validation error",
    "valid_top5_error_percent": "Validation error, top 5",
}
# Those of a language model, and what they are called.
PERPLEXITIES = {
    "test_perplexity": "Test perplexity",
    "valid_perplexity": "Validation perplexity",
}
SCORES = {**ERRORS, **PERPLEXITIES}
_EARLIER = {name.removesuffix("_percent"): name for name in ERRORS}


def with_units(result: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the contents of a `result.json` or `repeats.json` under today's names.

    Example:
        >>> with_units({"top1_error": 2.5, "parameters": 7})
        {'top1_error_percent': 2.5, 'parameters': 7}

    Args:
        result: The contents, as this release or an earlier one wrote them.
    """
    return {_EARLIER.get(name, name): value for name, value in result.items()}
