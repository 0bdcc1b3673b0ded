"""The values of variables, out of every replica and back, to the bit."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Keras numbers models and seed generators through a process, whatever else was built in it.
_COUNTER = re.compile(r"_[0-9]+(?=/|$)")


class VariablesState:
    """Reads and writes the values of variables, those that differ between replicas one by one.

    Args:
        strategy: The strategy that the variables were made under.
        variables: Keras variables; their order and shapes are part of what is stored.
    """

    def __init__(self, strategy: tf.distribute.Strategy, variables: Sequence[Any]) -> None:
        self._strategy = strategy
        several = strategy.num_replicas_in_sync > 1
        names = [f"{n} {_COUNTER.sub('', v.path)}" for n, v in enumerate(variables)]
        self._own = {
            name: variable
            for name, variable in zip(names, variables, strict=True)
            if several and variable.synchronization == "on_read"
        }
        self._shared = {
            name: variable
            for name, variable in zip(names, variables, strict=True)
            if name not in self._own
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the values by name, a leading axis for replicas where these differ."""
        found = {name: variable.numpy() for name, variable in self._shared.items()}
        if self._own:
            parts = self._read()
            local = [
                np.stack([v.numpy() for v in self._strategy.experimental_local_results(part)])
                for part in parts
            ]
            found |= zip(self._own, self._gathered(local), strict=True)
        return found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Gives the variables their values.

        Args:
            arrays: What `arrays` returned.

        Raises:
            ValueError: If names, shapes or dtypes are not those of the variables.
        """
        wrong = sorted({*self._shared, *self._own} ^ set(arrays))
        if wrong:
            raise ValueError(f"the state of other variables: {', '.join(wrong[:3])} ...")
        for name, variable in self._shared.items():
            _check(name, arrays[name], tuple(variable.shape), variable.dtype)
            variable.assign(arrays[name])
        if not self._own:
            return
        replicas = self._strategy.num_replicas_in_sync
        for name, variable in self._own.items():
            _check(name, arrays[name], (replicas, *variable.shape), variable.dtype)

        def own(context: Any) -> list[tf.Tensor]:
            number = context.replica_id_in_sync_group
            return [tf.constant(arrays[name][number]) for name in self._own]

        self._write(self._strategy.experimental_distribute_values_from_function(own))

    def _gathered(self, local: list[np.ndarray]) -> list[np.ndarray]:
        """Returns arrays [replicas, ...] of all workers, from this one's [local replicas, ...]."""
        own, replicas = len(local[0]), self._strategy.num_replicas_in_sync
        if own == replicas:
            return local
        # As one vector a replica: each collective costs a round through all machines.
        rows = [b"".join(part[i].tobytes() for part in local) for i in range(own)]
        words = tf.constant([np.frombuffer(row, np.int32) for row in rows])
        rows_of_all = self._strategy.gather(
            self._strategy.experimental_distribute_values_from_function(
                lambda context: words[context.replica_id_in_sync_group % own, tf.newaxis]
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
        return self._strategy.run(lambda: [tf.identity(v.value) for v in self._own.values()])

    @tf.function(autograph=False)
    def _write(self, values: Any) -> None:
        def assign(values: list[tf.Tensor]) -> None:
            for variable, value in zip(self._own.values(), values, strict=True):
                variable.assign(value)

        self._strategy.run(assign, args=(values,))


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: str) -> None:
    if array.shape != shape or array.dtype.name != dtype:
        raise ValueError(
            f"{name}: {dtype} {shape} is right, found {array.dtype.name} {array.shape}"
        )
