"""keras-tuner's environment variables: all three or none, and an address that can be had."""

import socket

import pytest

from darts_tf.errors import UserError
from darts_tf.tuning.role import check_address, role, wait_for_chief

ALL = {
    "KERASTUNER_TUNER_ID": "chief",
    "KERASTUNER_ORACLE_IP": "127.0.0.1",
    "KERASTUNER_ORACLE_PORT": "8000",
}


def test_the_id_says_which_part_a_process_has():
    assert role({}) == "alone"
    assert role(ALL) == "chief"
    assert role(ALL | {"KERASTUNER_TUNER_ID": "tuner1"}) == "tuner"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_variable_is_named(name, empty):
    given = ALL | {name: ""} if empty else {key: ALL[key] for key in ALL if key != name}
    with pytest.raises(UserError, match=f"^{name}: expected "):
        role(given)


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "1.5", "\u00b2"])
def test_a_port_that_is_none_is_told(port):
    with pytest.raises(UserError, match=r"^KERASTUNER_ORACLE_PORT: expected a port"):
        role(ALL | {"KERASTUNER_ORACLE_PORT": port})


def test_a_chief_needs_an_address_of_its_own_and_a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(UserError, match=f"KERASTUNER_ORACLE_PORT={port}: .*can listen"):
            check_address(ALL | {"KERASTUNER_ORACLE_PORT": port})
    check_address(ALL | {"KERASTUNER_ORACLE_PORT": port})
    with pytest.raises(UserError, match=r"KERASTUNER_ORACLE_IP=192\.0\.2\.1"):
        check_address(ALL | {"KERASTUNER_ORACLE_IP": "192.0.2.1"})


def test_a_chief_that_does_not_answer_is_told_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
    given = ALL | {"KERASTUNER_TUNER_ID": "tuner1", "KERASTUNER_ORACLE_PORT": port}
    with pytest.raises(UserError, match=r"expected a chief at 127.0.0.1:\d+, got no answer"):
        wait_for_chief(1, given)
