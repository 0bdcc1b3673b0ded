"""The role of a process in a tuning run, by keras-tuner's environment variables."""

import os
import socket
from collections.abc import Mapping
from contextlib import closing
from typing import Literal

from darts_tf.errors import UserError

_ID = "KERASTUNER_TUNER_ID"
_HOST = "KERASTUNER_ORACLE_IP"
_PORT = "KERASTUNER_ORACLE_PORT"

Role = Literal["alone", "chief", "tuner"]


def role(environment: Mapping[str, str] = os.environ) -> Role:
    """Returns the role of this process.

    Example:
        >>> role({})
        'alone'

    Args:
        environment: The environment variables, with all three of keras-tuner's or none.

    Returns:
        "alone" without them; "chief", which chooses trials and writes the outcome, where the id
        holds that word, as keras-tuner has it; otherwise "tuner", which runs trials.

    Raises:
        UserError: If some are missing, or the port is invalid.
    """
    names = (_ID, _HOST, _PORT)
    missing = [name for name in names if not environment.get(name)]
    if len(missing) == len(names):
        return "alone"
    if missing:
        raise UserError(
            f"{missing[0]}: expected {_ID}=chief or another id with {_HOST} and {_PORT} of the "
            "chief, or none of the three; got only some of them"
        )
    port = environment[_PORT]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise UserError(f"{_PORT}: expected a port from 1 to {2**16 - 1}, got '{port}'")
    return "chief" if "chief" in environment[_ID] else "tuner"


def wait_for_chief(seconds: int, environment: Mapping[str, str] = os.environ) -> None:
    """Waits until the chief answers; keras-tuner by itself would wait for an hour.

    Args:
        seconds: The longest time to wait.
        environment: As for `role`, of a tuner.

    Raises:
        UserError: If it does not answer.
    """
    import grpc

    address = f"{environment[_HOST]}:{environment[_PORT]}"
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=seconds)
        except grpc.FutureTimeoutError as error:
            raise UserError(
                f"{_HOST}, {_PORT}: expected a chief at {address}, got no answer within "
                f"--worker_timeout={seconds} seconds; run the same command with {_ID}=chief on "
                "that machine"
            ) from error


def check_address(environment: Mapping[str, str] = os.environ) -> None:
    """Checks that the chief can listen where the tuners will look for it.

    Args:
        environment: As for `role`, of the chief.

    Raises:
        UserError: If it cannot.
    """
    host, port = environment[_HOST], int(environment[_PORT])
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.create_server((host, port), family=address[0])):
            return
    except OSError as error:
        raise UserError(
            f"{_HOST}={host}, {_PORT}={port}: expected an address of this machine and a free "
            f"port, on which the chief can listen ({error.strerror or error})"
        ) from error
