"""Search spaces, the table of operations, genotypes, and the published cells."""

from collections.abc import Mapping
from typing import Any, TypeVar

from darts_tf.registry import Registry
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.space import Space

Plug = TypeVar("Plug", bound=Space | type[Space])

_SPACES: Registry[Space] = Registry(
    "space",
    Space,
    {
        "darts": "darts_tf.spaces.darts:DARTS",
        "robust_darts_s1": "darts_tf.spaces.robust_darts:S1",
        "robust_darts_s2": "darts_tf.spaces.robust_darts:S2",
        "robust_darts_s3": "darts_tf.spaces.robust_darts:S3",
        "robust_darts_s4": "darts_tf.spaces.robust_darts:S4",
        "nas_bench_201": "darts_tf.spaces.nas_bench_201:NASBench201",
        "mobile": "darts_tf.spaces.mobile:MOBILE",
        "mobile_small": "darts_tf.spaces.mobile:MOBILE_SMALL",
        "proxyless_cpu": "darts_tf.spaces.mobile:PROXYLESS_CPU",
        "proxyless_gpu": "darts_tf.spaces.mobile:PROXYLESS_GPU",
        "proxyless_mobile": "darts_tf.spaces.mobile:PROXYLESS_MOBILE",
        "single_path": "darts_tf.spaces.mobile:SINGLE_PATH",
        "rand_wire_small": "darts_tf.spaces.rand_wire:RAND_WIRE_SMALL",
        "rand_wire_small_er": "darts_tf.spaces.rand_wire:RAND_WIRE_SMALL_ER",
        "rand_wire_small_ba": "darts_tf.spaces.rand_wire:RAND_WIRE_SMALL_BA",
        "rand_wire_regular": "darts_tf.spaces.rand_wire:RAND_WIRE_REGULAR",
        "auto_deeplab": "darts_tf.spaces.auto_deeplab:AUTO_DEEPLAB",
        "ptb": "darts_tf.spaces.ptb:PTB",
    },
)


def names() -> tuple[str, ...]:
    """Returns the names of all search spaces."""
    return _SPACES.names()


def get(identifier: str | Space | type[Space] | Mapping[str, Any]) -> Space:
    """Returns a search space.

    Args:
        identifier: One of `names()`; a space, which is returned as it is; a subclass of `Space`;
            or a config, as `Space.get_config` gives it.

    Raises:
        UserError: If there is no such space.

    Example:

        >>> get("darts").width("normal")
        8
        >>> get({"name": "darts", "nodes": 3}).node_count("normal")
        3
    """
    return _SPACES.get(identifier)


def register(space: Plug) -> Plug:
    """Makes a search space known by its name, to `--space` and to the readers of genotypes.

    Args:
        space: An instance or a subclass of `Space`; it may decorate a class.

    Returns:
        The space.

    Raises:
        TypeError: If it is no space.
        ValueError: If it has no valid name, or another space has the name.
    """
    return _SPACES.register(space)


def space_of(genotype: Genotype) -> Space:
    """Returns the search space of a genotype, as `Space.of_genotype` fits it to the genotype.

    Args:
        genotype: The genotype.

    Raises:
        UserError: If the space is not registered.

    Example:

        >>> import darts_tf
        >>> space = space_of(darts_tf.zoo.get("DARTS_V2"))
        >>> [place.cell for place in space.macro(layers=3)]
        ['normal', 'reduce', 'reduce']
    """
    return get(genotype.space).of_genotype(genotype)
