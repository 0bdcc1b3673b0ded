"""Which part a process has in a tune, by keras-tuner's own environment variables."""

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
    """Returns the part of this process.

    Args:
        environment: Has all three of keras-tuner's variables, or none.

    Returns:
        "alone" without them; "chief", which chooses trials and writes what came out, where the id
        holds that word, as keras-tuner has it; else "tuner", which runs trials.

    Raises:
        UserError: If some are missing, or the port is none.
    """
    names = (_ID, _HOST, _PORT)
    missing = [name for name in names if not environment.get(name)]
    if len(missing) == len(names):
        return "alone"
    if missing:
        raise UserError(
            f"{missing[0]}: is needed beside the others; {_ID}=chief or an id of one's own, "
            f"{_HOST} and {_PORT} of the chief, or none of the three, are right"
        )
    port = environment[_PORT]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise UserError(f"{_PORT}: must be a port, from 1 to {2**16 - 1}, found '{port}'")
    return "chief" if "chief" in environment[_ID] else "tuner"


def wait_for_chief(seconds: int, environment: Mapping[str, str] = os.environ) -> None:
    """Waits until the chief answers; keras-tuner by itself would wait for an hour.

    Args:
        seconds: How long at most.
        environment: As for `role`, of a tuner.

    Raises:
        UserError: If it does not.
    """
    import grpc

    address = f"{environment[_HOST]}:{environment[_PORT]}"
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=seconds)
        except grpc.FutureTimeoutError as error:
            raise UserError(
                f"{_HOST}, {_PORT}: no chief answers at {address} within "
                f"--worker_timeout={seconds} seconds; the same command with {_ID}=chief, on that "
                "machine, is right"
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
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.create_server((host, port), family=found[0])):
            return
    except OSError as error:
        raise UserError(
            f"{_HOST}={host}, {_PORT}={port}: the chief cannot listen there "
            f"({error.strerror or error}); an address of this machine and a free port are right"
        ) from error
