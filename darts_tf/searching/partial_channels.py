"""The check that the channels of all cells divide into K parts (PC-DARTS, DrNAS)."""

from __future__ import annotations

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.spaces.space import Space


def check_parts(config: SearchConfig, space: Space, parts: int, flag: str) -> None:
    """Refuses channels that do not divide into parts.

    Args:
        config: The settings of the search.
        space: The space of the search.
        parts: K, the number of parts.
        flag: Name of the flag that sets K, for the message.

    Raises:
        UserError: If the channels of a cell do not divide by K, or in a reduction cell the channels
            of a part are odd.
    """
    if not space.one_width:
        raise UserError(
            f"space: expected one whose nodes have channels of one number, with {flag}, got "
            f"'{space.name}'"
        )
    for place in space.macro(config.layers):
        channels = place.width * config.init_channels
        part = channels // parts
        # The two convolutions of a strided skip-connect make half of the channels each.
        if channels % parts or not part or (place.reduction and part % 2):
            raise UserError(
                f"init_channels: expected channels of each cell that divide by {flag}={parts}, in "
                f"reduction cells into even parts, got {channels} channels"
            )
