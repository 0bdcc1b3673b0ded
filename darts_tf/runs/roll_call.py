"""A roll-call before TensorFlow starts: all workers are present, with the same run and its state.

TensorFlow waits for absent workers forever, without a message. So the workers meet before it
starts, at the chief's address. The chief listens; every other worker sends its index and its flags,
and receives the files that the run has so far.
"""

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from darts_tf.errors import UserError
from darts_tf.runs.cluster import Cluster
from darts_tf.runs.wire import PATIENCE, Wire

_logger = logging.getLogger(__name__)
_GREETING = "darts_tf roll-call 1"
_PAUSE = 0.2  # seconds between two attempts to reach the chief


def call_roll(
    cluster: Cluster, flags: Sequence[str], files: Mapping[str, bytes], seconds: float
) -> None:
    """Waits, as the chief, for all other workers, and lets them start together.

    Args:
        cluster: The workers.
        flags: The lines of the run's flag file.
        files: The contents of the run's directory, by relative path.
        seconds: The longest time to wait.

    Raises:
        UserError: If a worker does not come, comes with other flags, or the address is taken.
    """
    until = time.monotonic() + seconds
    others = set(range(1, len(cluster.tasks)))
    wires: dict[int, Wire] = {}
    try:
        with _listen(cluster) as server:
            while not others <= set(wires):
                server.settimeout(max(until - time.monotonic(), 0.001))
                try:
                    _admit(Wire(server.accept()[0]), others, flags, wires)
                except TimeoutError:
                    raise _absent(cluster, others - set(wires), seconds) from None
                if others <= set(wires):
                    wires = {index: wire for index, wire in wires.items() if _answers(wire)}
        for wire in wires.values():
            wire.send({"files": {name: len(content) for name, content in files.items()}})
            for content in files.values():
                wire.send_bytes(content)
    except UserError as error:
        for wire in wires.values():
            with suppress(OSError):
                wire.send({"refused": str(error)})
        raise
    except OSError as error:
        raise UserError(
            f"--strategy=multi_worker: expected every worker to stay until the start, but one left "
            f"({error})"
        ) from error
    finally:
        for wire in wires.values():
            wire.close()
    _logger.info("all %d workers are present", len(cluster.tasks))


def answer_roll(cluster: Cluster, flags: Sequence[str], seconds: float) -> dict[str, bytes]:
    """Connects, as any other worker, to the chief, and waits until all are present.

    Args:
        cluster: The workers.
        flags: The lines of the run's flag file.
        seconds: The longest time to wait.

    Returns:
        The contents of the run's directory, by relative path.

    Raises:
        UserError: If the chief does not come, or refuses to start the run.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            reply, files = _visit(cluster, flags, left)
        except (OSError, ValueError, TypeError):
            time.sleep(_PAUSE)  # the chief has not come yet, or has left
            continue
        if "refused" in reply:
            raise UserError(f"--strategy=multi_worker: the chief refuses: {reply['refused']}")
        return files
    raise _absent(cluster, {0}, seconds)


def _visit(
    cluster: Cluster, flags: Sequence[str], seconds: float
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Returns the chief's last message, and the files that came with it."""
    connection = socket.create_connection(cluster.endpoint(0), min(seconds, PATIENCE))
    with closing(Wire(connection, seconds + PATIENCE)) as wire:
        wire.send({"greeting": _GREETING, "index": cluster.index, "flags": [*flags]})
        while not (reply := wire.receive()):
            wire.send({})  # the chief asks whether this worker is still connected
        sizes = reply.get("files", {})
        return reply, {name: wire.receive_bytes(size) for name, size in sizes.items()}


def _answers(wire: Wire) -> bool:
    """Asks a worker for a sign of life."""
    try:
        wire.send({})
        wire.receive()
    except (OSError, ValueError, TypeError):
        wire.close()
        return False
    return True


def _listen(cluster: Cluster) -> socket.socket:
    try:
        both = socket.has_dualstack_ipv6()
        return socket.create_server(
            ("", cluster.endpoint(0)[1]),
            family=socket.AF_INET6 if both else socket.AF_INET,
            backlog=len(cluster.tasks),
            dualstack_ipv6=both,
        )
    except OSError as error:
        raise UserError(
            f"--strategy=multi_worker: expected a free port for the chief, and one run in a "
            f"process; got {cluster.addresses[0]} ({error.strerror})"
        ) from error


def _admit(wire: Wire, others: set[int], flags: Sequence[str], wires: dict[int, Wire]) -> None:
    """Admits a worker; any other connection is closed."""
    try:
        hello = wire.receive()
        is_worker = hello.get("greeting") == _GREETING and hello.get("index") in others
    except (OSError, ValueError, TypeError):  # TypeError: JSON, but no object
        is_worker = False
    if not is_worker:
        wire.close()
        return
    index = hello["index"]
    if index in wires:  # it was started again
        wires[index].close()
    wires[index] = wire
    theirs = hello.get("flags")
    if theirs != [*flags]:
        pairs = zip(flags, theirs if isinstance(theirs, list) else [], strict=False)
        ours, other = next((pair for pair in pairs if pair[0] != pair[1]), (flags[0], "none"))
        raise UserError(
            f"--strategy=multi_worker: expected the same flags on every machine, got {other} on "
            f"worker {index} and {ours} on the chief"
        )


def _absent(cluster: Cluster, missing: set[int], seconds: float) -> UserError:
    names = ", ".join(cluster.name(index) for index in sorted(missing))
    return UserError(
        f"--strategy=multi_worker: expected every worker of TF_CONFIG within {seconds:g} s; still "
        f"absent: {names}. Each has to be started, and to reach the chief"
    )
