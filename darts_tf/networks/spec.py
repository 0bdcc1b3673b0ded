"""The specification of a network: everything that decides which layers it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

from darts_tf.errors import UserError, nearest, short
from darts_tf.spaces import foreign, operations, space_of
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Place
from darts_tf.spaces.stems import STEMS


@dataclass(frozen=True)
class NetworkSpec:
    """One network: its cells, its sizes and its stem.

    The network to train and its twin for inference are built from the same specification, so that
    the weights of one fit the other. The defaults are those of DARTS+ on CIFAR-10 (section 4.3).

    Example:
        >>> import darts_tf
        >>> genotype = darts_tf.zoo.get("DARTS_PLUS_CIFAR10")
        >>> spec = darts_tf.NetworkSpec(genotype, (32, 32, 3), classes=10, layers=8)
        >>> spec.stem, spec.init_channels
        ('cifar', 36)

    Args:
        genotype: The cells: a Genotype, or what `read_genotype` reads.
        input_shape: Height, width and channels of an image; height and width may be None, for any.
        classes: Number of classes, at least 2.
        layers: Number of cells; at least as many as the genotype's space needs, which are 3 for
            DARTS's and 5 for cells of their own in each stage. In RandWire's spaces it is the
            number of graphs, 3 or 4, and in a chain that of its blocks; a genotype with a path has
            its own number.
        init_channels: Channels of a node in the first cell, or of the stem of a chain of blocks; at
            least 2.
        stem: Layers before the first cell: `cifar`, a 3x3 convolution; `tiny_imagenet`, one of
            stride 2 before it; or `imagenet`, three of stride 2.
        squeeze_excite: Whether each cell ends in squeeze and excitation.

    Raises:
        UserError: If no network can have one of these values.
    """

    genotype: Genotype
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3)
    classes: int = 10
    layers: int = 20
    init_channels: int = 36
    stem: str = "cifar"
    squeeze_excite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_shape", _image_shape(self.input_shape))
        object.__setattr__(self, "genotype", _genotype(self.genotype))
        if self.stem not in STEMS:
            raise UserError(
                f"stem: expected one of {', '.join(STEMS)}, got {short(self.stem)}."
                f"{nearest(str(self.stem), STEMS)}"
            )
        for name, least in {"classes": 2, "layers": 1, "init_channels": 2}.items():
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise UserError(f"{name}: expected at least {least}, got {short(value)}")
        space_of(self.genotype).check_layers(self.layers)
        for place in self.places():
            self._check_groups(place)

    def _check_groups(self, place: Place) -> None:
        """Refuses a cell whose channels do not divide into the groups of an operation."""
        channels = place.width * self.init_channels
        for name, _, _ in self.genotype.edges(place.cell):
            groups = operations.get(name).groups
            if channels % groups:
                raise UserError(
                    f"init_channels: expected channels that divide by {groups}, for {name} in the "
                    f"cell {place.cell}, got {channels} channels there"
                )

    def places(self) -> tuple[Place, ...]:
        """Returns which cell stands where, whether it halves the image, and its channels.

        Example:
            >>> import darts_tf
            >>> spec = darts_tf.NetworkSpec(darts_tf.zoo.get("DARTS_V2"), layers=3)
            >>> spec.places()[1]
            Place(cell='reduce', reduction=True, width=2, after_block=False)
        """
        return space_of(self.genotype).places(self.genotype, self.layers)


def _genotype(given: object) -> Genotype:
    """Returns the genotype that an argument is, or that it holds in another form."""
    written = isinstance(given, str) and foreign.is_text(given)
    if not written and not isinstance(given, Genotype | Mapping) and not hasattr(given, "_asdict"):
        raise UserError(
            "genotype: expected a Genotype, such as darts_tf.zoo.get(NAME) returns, got "
            f"{short(given)}"
        )
    try:
        genotype = read_genotype(given)
    except UserError as error:
        raise UserError(f"genotype: {error}") from error
    if (space := space_of(genotype)).data_kind != "images":
        raise UserError(
            f"genotype: expected one of a network for images, got one of the space {space.name!r}, "
            f"whose networks read {space.data_kind}"
        )
    _check_blocks(genotype)
    return genotype


def _check_blocks(genotype: Genotype) -> None:
    cells = set(genotype.cells) - set(space_of(genotype).wirings)
    names = {name for cell in cells for name, _, _ in genotype.edges(cell)} - {NONE}
    for name in sorted(names):
        if operations.get(name).block is None:
            raise UserError(f"genotype: expected operations with a block, got {name!r}")


def _image_shape(shape: object) -> tuple[int | None, int | None, int]:
    """Returns the shape of an image as a tuple of its three entries."""
    sizes = tuple(shape) if isinstance(shape, list | tuple) else ()
    fits = len(sizes) == 3 and isinstance(sizes[2], int)
    if not fits or not all(size is None or (isinstance(size, int) and size > 0) for size in sizes):
        raise UserError(
            f"input_shape: expected (height, width, channels), of which height and width may be "
            f"None, got {short(shape)}"
        )
    return sizes
