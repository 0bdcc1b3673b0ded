"""A connection between two workers: messages of one line, and bytes."""

import json
import socket
from collections.abc import Mapping
from typing import Any

PATIENCE = 10.0  # seconds to wait for a message of a connected worker
_LONGEST = 2**20  # bytes of a message


class Wire:
    """Messages, which are JSON objects in a line each, and bytes over a connection.

    Errors are an OSError, a ValueError or a TypeError.

    Args:
        connection: A connected socket, which this object closes.
        patience: The seconds to wait for the other side.
    """

    def __init__(self, connection: socket.socket, patience: float = PATIENCE) -> None:
        connection.settimeout(patience)
        self._connection = connection
        self._stream = connection.makefile("rb")

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, content: bytes) -> None:
        """Sends bytes, whose number the other side has to know."""
        self._connection.sendall(content)

    def receive(self) -> dict[str, Any]:
        """Waits for a message, and returns it.

        Raises:
            OSError, ValueError or TypeError: If none comes in time, or something else.
        """
        line = self._stream.readline(_LONGEST)
        if not line.endswith(b"\n"):
            raise ValueError(f"expected a whole line, got {line!r}")
        return dict(json.loads(line))

    def receive_bytes(self, size: int) -> bytes:
        """Waits for a number of bytes, and returns them.

        Raises:
            OSError or ValueError: If fewer come in time.
        """
        content = self._stream.read(size)
        if len(content) < size:
            raise ValueError(f"expected {size} bytes, got {len(content)}")
        return content

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()
        self._connection.close()
