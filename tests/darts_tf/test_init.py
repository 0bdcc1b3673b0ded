"""The package's table of contents: every name resolves, and the ground floor stays light."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import darts_tf

GROUND_FLOOR = (
    "DARTS",
    "Genotype",
    "NetworkSpec",
    "SearchConfig",
    "SearchSpace",
    "StagedGenotype",
    "TrainingConfig",
    "UserError",
    "derive",
    "read_genotype",
    "stopping",
    "zoo",
)
HEAVY = ("keras", "matplotlib", "sklearn", "tensorflow", "tensorflow_datasets")


def python(*lines):
    """Runs lines in a new Python and returns the heavy packages that they load."""
    loaded = f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    code = "\n".join(("import sys", *lines, loaded))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_alone_loads_nothing_heavy():
    assert python("import darts_tf", "dir(darts_tf), darts_tf.__version__") == "[]"


def test_the_ground_floor_loads_nothing_heavy():
    assert set(GROUND_FLOOR) <= set(darts_tf.__all__)
    uses = (
        "darts_tf.SearchConfig(dataset='digits')",
        "darts_tf.Genotype.from_json(darts_tf.zoo.get('DARTS_V2').to_json())",
        "darts_tf.stopping.StableRanking(epochs=10)([])",
        "import darts_tf.errors, darts_tf.data.facts",
        "import darts_tf.runs.history, darts_tf.runs.directory",
    )
    names = f"[getattr(darts_tf, name) for name in {GROUND_FLOOR}]"
    assert python("import darts_tf", names, *uses) == "[]"


@pytest.mark.parametrize("name", darts_tf.__all__)
def test_every_public_name_resolves_and_is_documented(name):
    value = getattr(darts_tf, name)
    assert getattr(darts_tf, name) is value
    assert value.__doc__
    if not isinstance(value, darts_tf.SearchSpace | ModuleType):
        assert value.__name__ == name
        assert value.__module__.startswith("darts_tf.")


def test_star_and_dir_give_the_public_names():
    names = {}
    exec("from darts_tf import *", names)
    assert set(darts_tf.__all__) == set(names) - {"__builtins__"}
    assert dir(darts_tf) == sorted(darts_tf.__all__)


@pytest.mark.parametrize("module", ["searching.search", "training.train", "exporting.saved_model"])
def test_functions_stay_functions_after_the_import_of_any_module(module):
    importlib.import_module(f"darts_tf.{module}")
    for name in ("search", "train", "export_saved_model", "derive"):
        assert not isinstance(getattr(darts_tf, name), ModuleType)
        assert callable(getattr(darts_tf, name))


def test_no_public_name_but_a_modules_is_a_modules():
    modules = {module.name for module in pkgutil.iter_modules(darts_tf.__path__)}
    public = {name for name in darts_tf.__all__ if name in modules}
    assert {name for name in public if not isinstance(getattr(darts_tf, name), ModuleType)} == set()


@pytest.mark.parametrize("name", ["serach", "_missing", "__wrapped__"])
def test_another_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"module 'darts_tf' has no attribute '{name}'"):
        getattr(darts_tf, name)


def test_the_version_is_that_of_the_package():
    assert darts_tf.__version__.count(".") == 2


def test_no_module_of_the_library_reaches_over_its_floor_by_the_public_names():
    """The contracts on imports see no look-up of a name in the package when the program runs."""
    [folder] = darts_tf.__path__
    looked_up = {
        f"{path.relative_to(folder)}: {ast.unparse(node)}"
        for path in Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "darts_tf")
        or (isinstance(node, ast.Call) and "getattr(darts_tf," in ast.unparse(node))
    }
    assert {text.partition(": ")[2] for text in looked_up} == {"darts_tf.__version__"}
