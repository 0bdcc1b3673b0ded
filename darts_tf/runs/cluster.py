"""The workers of a run on several machines, read from TensorFlow's TF_CONFIG."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darts_tf.errors import UserError

_JOBS = ("chief", "worker")
_EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": '
    '"worker", "index": 0}}, with another index on each machine'
)


class WorkerLost(Exception):  # noqa: N818 - it is nobody's mistake
    """A worker has died; the others end too, and all can be resumed later."""


@dataclass(frozen=True)
class Cluster:
    """The workers of a run, of which this process is one.

    Attributes:
        tasks: TensorFlow's names of the workers, such as `("worker", 1)`; the chief is the first.
        addresses: `host:port` of each.
        index: The place of this process among them.
    """

    tasks: tuple[tuple[str, int], ...]
    addresses: tuple[str, ...]
    index: int

    @property
    def chief(self) -> bool:
        """Whether this is the worker that writes the run's files."""
        return self.index == 0

    def name(self, index: int) -> str:
        """Returns the name of a worker in messages.

        Args:
            index: The place of the worker in `tasks`.
        """
        return f"{f'worker {index}' if index else 'the chief'} ({self.addresses[index]})"

    def endpoint(self, index: int) -> tuple[str, int]:
        """Returns the host and the port of a worker.

        Args:
            index: The place of the worker in `tasks`.
        """
        host, _, port = self.addresses[index].rpartition(":")
        return host.strip("[]"), int(port)


def cluster_of(strategy: str, environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """Returns the cluster that a strategy asks for.

    Args:
        strategy: The setting `strategy`; only `multi_worker` asks for a cluster.
        environment: The environment variables, among them `TF_CONFIG`.

    Returns:
        The cluster, None with any other strategy.

    Raises:
        UserError: If `TF_CONFIG` is absent or invalid.
    """
    if strategy != "multi_worker":
        return None
    text = environment.get("TF_CONFIG", "")
    if not text:
        raise _invalid("none")
    try:
        config = json.loads(text)
        jobs, task = config["cluster"], (config["task"]["type"], config["task"]["index"])
        places = {(job, i): where for job in _JOBS for i, where in enumerate(jobs.get(job, ()))}
        others = sorted(set(jobs) - set(_JOBS))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"text that cannot be read ({type(error).__name__}: {error})") from error
    if others:
        raise _invalid(f"a job '{others[0]}' besides chief and worker")
    for address in places.values():
        if not _is_address(address) or list(places.values()).count(address) > 1:
            raise _invalid(f"the address {address!r}, which is no host:port or stands twice")
    tasks = tuple(places)
    if task not in tasks or isinstance(task[1], bool):
        raise _invalid(f"the task {task[0]} {task[1]}, which is not in its cluster")
    return Cluster(tasks, tuple(places.values()), tasks.index(task))


def _is_address(value: Any) -> bool:
    host, _, port = str(value).rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536
    return isinstance(value, str) and bool(host) and is_port


def _invalid(problem: str) -> UserError:
    return UserError(
        f"--strategy=multi_worker: expected TF_CONFIG such as {_EXAMPLE}; got {problem}"
    )
