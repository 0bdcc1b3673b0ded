"""Whether the channels of all cells can be shared out among parts (PC-DARTS, DrNAS)."""

from __future__ import annotations

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.spaces.space import Space


def check_parts(config: SearchConfig, space: Space, parts: int, flag: str) -> None:
    """Refuses channels that cannot be shared out.

    Args:
        config: The settings of the search.
        space: Its space.
        parts: K: how many parts there are.
        flag: Which flag says so.

    Raises:
        UserError: In one line that names both flags.
    """
    for place in space.macro(config.layers):
        channels = place.width * config.init_channels
        part = channels // parts
        # A strided skip-connect makes both halves of its channels.
        if channels % parts or not part or (place.reduction and part % 2):
            raise UserError(
                f"init_channels: expected channels of each cell that divide by {flag}={parts}, in "
                f"reduction cells into even parts, got {channels} channels"
            )
