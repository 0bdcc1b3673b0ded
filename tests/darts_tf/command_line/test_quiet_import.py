"""The import of TensorFlow within a program, with a stand-in for TensorFlow."""

import pytest

from tests.trainers.programs import python

LINE = "I0000 00:00:1795826499.579873 23740 port.cc:153] oneDNN custom operations are on"
MAIN = """
import sys
sys.path.insert(0, "stand_ins")
from darts_tf.command_line.quiet_import import quiet_import
before = list(sys.meta_path)
with quiet_import():
    import importlib.util, json
    assert importlib.util.find_spec("tensorflow")  # as packages look whether there is one
    import tensorflow
    import tensorflow as again
assert sys.meta_path == before
assert tensorflow is again and tensorflow.listed
assert type(tensorflow.__loader__).__name__ == "SourceFileLoader"
assert tensorflow.__spec__.loader is tensorflow.__loader__
"""
CONFIG = """
class config:
    def list_physical_devices():
        global listed
        listed = True
        os.write(2, LINE)
"""


@pytest.fixture
def tensorflow(tmp_path):
    (tmp_path / "stand_ins").mkdir()
    file = tmp_path / "stand_ins" / "tensorflow.py"

    def write(then):
        file.write_text(f"import os\nLINE = b{LINE + chr(10)!r}\nos.write(2, LINE)\n{then}\n")
        return python("-c", MAIN, cwd=tmp_path)

    return write


def test_what_the_import_and_the_devices_say_is_kept(tensorflow):
    ended = tensorflow(CONFIG)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "then", ["raise ImportError('no AVX')", CONFIG.replace("global listed", "raise OSError")]
)
def test_what_was_said_is_shown_where_it_fails(tensorflow, then):
    ended = tensorflow(then)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{LINE}\n")


def test_what_was_said_is_shown_where_the_process_ends(tensorflow):
    ended = tensorflow("os.abort()")
    assert ended.returncode < 0
    assert ended.stderr == f"{LINE}\n"
