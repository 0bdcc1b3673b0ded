"""Values of variables, read from every replica and assigned again, bit for bit."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Keras numbers models and seed generators over a whole process.
_COUNTER = re.compile(r"_[0-9]+(?=/|$)")


class VariablesState:
    """Reads and assigns the values of variables, replica by replica where these differ.

    Args:
        strategy: The strategy that the variables were created under.
        variables: Keras variables. A name in the state is the variable's place in this order and
            its path.
    """

    def __init__(self, strategy: tf.distribute.Strategy, variables: Sequence[Any]) -> None:
        self._strategy = strategy
        several = strategy.num_replicas_in_sync > 1
        names = [f"{n} {_COUNTER.sub('', v.path)}" for n, v in enumerate(variables)]
        self._by_replica = {
            name: variable
            for name, variable in zip(names, variables, strict=True)
            if several and variable.synchronization == "on_read"
        }
        self._shared = {
            name: variable
            for name, variable in zip(names, variables, strict=True)
            if name not in self._by_replica
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the values by name, with a leading axis of replicas where these differ."""
        arrays = {name: variable.numpy() for name, variable in self._shared.items()}
        if self._by_replica:
            parts = self._read()
            local = [
                np.stack([v.numpy() for v in self._strategy.experimental_local_results(part)])
                for part in parts
            ]
            arrays |= zip(self._by_replica, self._gather(local), strict=True)
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Assigns values to the variables.

        Args:
            arrays: The values as `arrays` returned them.

        Raises:
            ValueError: If names, shapes or dtypes are not those of the variables.
        """
        differing = sorted({*self._shared, *self._by_replica} ^ set(arrays))
        if differing:
            raise ValueError(f"not in both state and variables: {', '.join(differing[:3])} ...")
        for name, variable in self._shared.items():
            _check(name, arrays[name], tuple(variable.shape), variable.dtype)
            variable.assign(arrays[name])
        if not self._by_replica:
            return
        replicas = self._strategy.num_replicas_in_sync
        for name, variable in self._by_replica.items():
            _check(name, arrays[name], (replicas, *variable.shape), variable.dtype)

        def of_replica(context: Any) -> list[tf.Tensor]:
            number = context.replica_id_in_sync_group
            return [tf.constant(arrays[name][number]) for name in self._by_replica]

        self._write(self._strategy.experimental_distribute_values_from_function(of_replica))

    def _gather(self, local: list[np.ndarray]) -> list[np.ndarray]:
        """Returns arrays [replicas, ...] of all workers, from [local replicas, ...] of this one."""
        count, replicas = len(local[0]), self._strategy.num_replicas_in_sync
        if count == replicas:
            return local
        # As one vector a replica: each collective costs a round through all machines.
        rows = [b"".join(part[i].tobytes() for part in local) for i in range(count)]
        words = tf.constant([np.frombuffer(row, np.int32) for row in rows])
        rows_of_all = self._strategy.gather(
            self._strategy.experimental_distribute_values_from_function(
                lambda context: words[context.replica_id_in_sync_group % count, tf.newaxis]
            ),
            axis=0,
        ).numpy()
        ends = np.cumsum([part[0].nbytes // 4 for part in local])[:-1]
        return [
            np.ascontiguousarray(columns).view(part.dtype).reshape(replicas, *part.shape[1:])
            for columns, part in zip(np.split(rows_of_all, ends, axis=1), local, strict=True)
        ]

    @tf.function(autograph=False)
    def _read(self) -> Any:
        return self._strategy.run(lambda: [tf.identity(v.value) for v in self._by_replica.values()])

    @tf.function(autograph=False)
    def _write(self, values: Any) -> None:
        def assign(values: list[tf.Tensor]) -> None:
            for variable, value in zip(self._by_replica.values(), values, strict=True):
                variable.assign(value)

        self._strategy.run(assign, args=(values,))


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: str) -> None:
    if array.shape != shape or array.dtype.name != dtype:
        raise ValueError(f"{name}: expected {dtype} {shape}, got {array.dtype.name} {array.shape}")
