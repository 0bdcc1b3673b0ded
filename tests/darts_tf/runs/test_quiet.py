"""What is kept from standard error, and what is shown."""

import os
import signal
import subprocess
import sys

import pytest

from darts_tf.runs.quiet import LEVEL, quietly
from tests.trainers.programs import python

NOISE = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1795826499.579873   23740 port.cc:153] oneDNN custom operations are on.\n",
    b"E0000 00:00:1795826515.840218   23740 cuda_platform.cc:52] failed call to cuInit\n",
    b"2025-01-02 03:04:05.678901: W tensorflow/core/util/port.cc:153] oneDNN\n",
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.\n",
)


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.delenv(LEVEL, raising=False)


def test_tensorflows_lines_are_left_out_and_others_shown_in_their_order(quiet, capfd):
    with quietly():
        os.write(2, b"first\n" + b"".join(NOISE))
        os.write(2, b"second\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'third')"], check=True)
    os.write(2, NOISE[0])
    assert capfd.readouterr().err == f"first\nsecond\nthird{NOISE[0].decode()}"


def test_everything_is_shown_where_the_block_fails(quiet, capfd):
    def work():
        with quietly():
            os.write(2, b"".join(NOISE))
            raise ImportError

    with pytest.raises(ImportError):
        work()
    assert capfd.readouterr().err == b"".join(NOISE).decode()


@pytest.mark.parametrize("level", ["0", "1"])
def test_everything_is_shown_where_the_user_asks_for_it(monkeypatch, capfd, level):
    monkeypatch.setenv(LEVEL, level)
    with quietly():
        os.write(2, NOISE[1])
    assert capfd.readouterr().err == NOISE[1].decode()


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGILL, signal.SIGSEGV])
def test_everything_is_shown_where_the_process_dies(quiet, tmp_path, number):
    lines = "from darts_tf.runs.quiet import quietly\nimport os\nwith quietly():\n"
    lines += f"    os.write(2, {NOISE[2]!r})\n    os.kill(os.getpid(), {int(number)})"
    ended = python("-c", lines, cwd=tmp_path)
    assert ended.returncode == -number
    assert ended.stderr == NOISE[2].decode()


def test_a_process_without_standard_error_works(tmp_path):
    lines = "import os; os.close(2)\nfrom darts_tf.runs.quiet import quietly\nwith quietly(): pass"
    assert python("-c", lines, cwd=tmp_path).returncode == 0
