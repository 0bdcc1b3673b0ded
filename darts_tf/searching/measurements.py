"""What a criterion may ask a search to measure after an epoch, by name."""

from collections.abc import Mapping

# From `(strategy, supernet, config)` to a function from the epoch's last validation batch, as a
# data set of one, to a number.
MEASUREMENTS: Mapping[str, str] = {
    "curvature": "darts_tf.searching.curvature:make_curvature",
}
