"""The measurements that a criterion or a method may ask for after an epoch, by name."""

from collections.abc import Mapping

# Each makes, from `(strategy, supernet, optimizer of the alphas)`, a function that returns a number
# for a data set, whose first batch is that of the epoch's last architecture step.
MEASUREMENTS: Mapping[str, str] = {
    "curvature": "darts_tf.searching.curvature:make_curvature",
}
