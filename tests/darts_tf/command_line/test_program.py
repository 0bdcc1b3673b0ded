"""The entry point of programs: error messages, interruptions and the log."""

import logging
import os
import subprocess
import sys

import pytest

from darts_tf.command_line.program import logging_to, run
from darts_tf.engine.console import show_progress
from darts_tf.errors import UserError


def test_arguments_reach_the_program_and_success_is_status_0(monkeypatch):
    monkeypatch.setattr("sys.argv", ["search", "--a=1", "--b"])
    seen = []
    assert run("search", seen.extend) == 0
    assert seen == ["--a=1", "--b"]


@pytest.mark.parametrize("text", ["a: wrong", "a:\nwrong", "a:\r\nwrong", "a:\u2028wrong"])
def test_a_users_mistake_is_one_line_and_status_2(capsys, text):
    def main(_):
        raise UserError(text)

    assert run("search", main) == 2
    assert capsys.readouterr() == ("", "search: a: wrong\n")


def test_an_interruption_is_status_130(capsys):
    def main(_):
        raise KeyboardInterrupt

    assert run("train", main) == 130
    assert capsys.readouterr().err == "train: interrupted\n"


def test_a_reader_that_ends_early_is_no_error():
    words = (
        "import sys; from darts_tf.command_line.program import run\n"
        "sys.exit(run('x', lambda _: [print('word ' * 1000) for _ in range(1000)]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_bug_keeps_its_traceback():
    def main(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("search", main)


@pytest.mark.parametrize("verbose", ["auto", 0, 1])
def test_log_goes_once_to_the_terminal_and_with_the_time_to_the_file(tmp_path, capsys, verbose):
    logger = logging.getLogger("darts_tf.search")
    for epoch in (0, 1):
        with logging_to(tmp_path / "search.log"), show_progress(verbose):
            logger.info("epoch %d", epoch)
            logger.debug("not told")
        logger.info("after the run")
    assert capsys.readouterr().out == "epoch 0\nepoch 1\n"
    lines = (tmp_path / "search.log").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["INFO epoch 0", "INFO epoch 1"]
    assert not logging.getLogger("darts_tf").handlers


def test_a_log_that_cannot_be_written_is_a_users_mistake(tmp_path):
    (tmp_path / "search.log").mkdir()
    with (
        pytest.raises(UserError, match=r"search\.log: Is a directory"),
        logging_to(tmp_path / "search.log"),
    ):
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_log_on_a_full_disk_ends_the_program_in_one_line(tmp_path, capsys):
    (tmp_path / "search.log").symlink_to("/dev/full")

    def main(_):
        with logging_to(tmp_path / "search.log"):
            logging.getLogger("darts_tf.search").info("epoch 0")

    assert run("search", main) == 2
    assert capsys.readouterr().err == (
        f"search: {tmp_path}/search.log: No space left on device; make room, then run the "
        "same command again to resume\n"
    )


def test_a_line_that_cannot_be_made_is_a_bug_that_logging_tells_of(tmp_path, capsys):
    with logging_to(tmp_path / "search.log"):
        logging.getLogger("darts_tf.search").info("epoch %d", "none")
    assert "TypeError" in capsys.readouterr().err
