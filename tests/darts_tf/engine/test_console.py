"""What a person hears of a run: each line once, and a bar where it can be seen.

Logging belongs to a whole process, so each case has one of its own.
"""

import logging
import re

import pytest

from darts_tf.engine.console import in_notebook, show_progress
from darts_tf.errors import UserError
from tests.processes import finish, start

# A loop's bar and log line, without its steps, in each case of logging and verbosity.
_RUNS = """
import logging, sys
from types import SimpleNamespace
notebook, cases = given
if notebook:
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    sys.modules["IPython"] = SimpleNamespace(get_ipython=lambda: shell)
    import warnings
    warnings.simplefilter("ignore")  # tqdm misses its widgets, and does without
from darts_tf.engine.console import show_progress
from darts_tf.engine.loop import run_epoch
from darts_tf.engine.scoring import Score
class Elements:
    element_spec = None
    def __next__(self):
        return None
logger, root = logging.getLogger("darts_tf"), logging.getLogger()
below = logging.getLogger("darts_tf.engine.epochs")
for name, setup, verbose in cases:
    print("CASE", name)
    sys.stderr = sys.stdout
    exec(setup)
    with show_progress(verbose) as bar:
        run_epoch(lambda *batch: Score(0.0, 0.0), Elements(), 12, 4, "epoch 7, training", bar=bar)
        below.info("epoch 7: told")
    below.info("epoch 8: after the run")
    assert logger.level == logging.NOTSET and not logger.handlers
    if setup.startswith("logging"):
        root.handlers.clear()
    root.setLevel(logging.WARNING)
"""
TO_FILE = "logging.basicConfig(level=logging.INFO, filename='/dev/null')"
TO_SCREEN = "logging.basicConfig(level=logging.INFO, stream=sys.stdout)"
WARNINGS = "logging.basicConfig(stream=sys.stdout)"
# As absl does when TensorFlow Datasets logs something and nobody has configured logging.
_BY_ANOTHER = """
class Elements(Elements):
    def __next__(self):
        logging.basicConfig(stream=sys.stdout)
"""
CASES = {
    "plain": ("", "auto"),
    "another configures it": (_BY_ANOTHER, "auto"),
    "the run after that": ("", "auto"),
    "silent": ("", 0),
    "always": ("", 1),
    "to a file": (TO_FILE, "auto"),
    "to a file, always": (TO_FILE, 1),
    "to the screen": (TO_SCREEN, "auto"),
    "to the screen, always": (TO_SCREEN, 1),
    "warnings": (WARNINGS, "auto"),
    "warnings, always": (WARNINGS, 1),
}
IN_NOTEBOOK = {
    "notebook": ("", "auto"),
    "silent notebook": ("", 0),
    "configured notebook": (TO_SCREEN, "auto"),
}


@pytest.fixture(scope="module")
def shown():
    """What each case has written, by its name."""
    jobs = [
        start(_RUNS, notebook, [(name, *case) for name, case in cases.items()])
        for notebook, cases in ((False, CASES), (True, IN_NOTEBOOK))
    ]
    parts = [part for written in finish(*jobs) for part in written.split("CASE ")[1:]]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize(
    ("case", "lines", "bar"),
    [
        ("plain", 1, False),
        ("another configures it", 1, False),
        ("the run after that", 1, False),
        ("silent", 0, False),
        ("always", 1, True),
        ("notebook", 1, True),
        ("silent notebook", 0, False),
        ("configured notebook", 1, True),
        ("to a file", 0, False),
        ("to a file, always", 1, True),
        ("to the screen", 1, False),
        ("to the screen, always", 1, True),
        ("warnings", 0, False),
        ("warnings, always", 1, True),
    ],
)
def test_a_line_is_shown_once_and_a_bar_where_it_is_asked_for(shown, case, lines, bar):
    assert shown[case].count("epoch 7: told") == lines
    assert bool(re.search(r"epoch 7, training: +\d+%", shown[case])) == bar
    configured = case.startswith(("to the screen", "configured"))
    assert ("after the run" in shown[case]) == configured


def test_another_verbosity_is_refused():
    with (
        pytest.raises(UserError, match=r'^verbose: expected "auto", 0 or 1, got 2$'),
        show_progress(2),
    ):
        pass


def test_a_terminal_is_no_notebook():
    assert not in_notebook()


def test_logging_that_is_configured_keeps_its_handlers_and_level(caplog):
    logger = logging.getLogger("darts_tf")
    before = logger.level, list(logger.handlers)
    with show_progress(1):
        assert logger.isEnabledFor(logging.INFO)
    assert (logger.level, logger.handlers) == before
