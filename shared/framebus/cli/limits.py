"""The options that limit viewers: `framebus up` and `framebus web` mean the same by them.

Neither imports the other, so this is the one place that has their names and help. What their values
may be is in serving.py.
"""

from __future__ import annotations

from framebus.options import flags
from framebus.options.flags import Command

DEFAULT_VIEWERS = 10_000
"""More than two processors can serve; so it is the machine that is the limit, and not this, unless
somebody opens connections only to have them."""

_HELP = {
    "max_viewers": (
        "COUNT",
        f"Viewers at a time, of all workers together; 0: no limit. [default: {DEFAULT_VIEWERS}]",
    ),
    "max_viewers_per_address": (
        "COUNT",
        "Viewers at a time of one address, the proxy's if it is not declared. [default: no limit]",
    ),
    "max_rate": (
        "SIZE",
        "Bytes a second for all viewers, as in 100M: beyond it no more are let in. "
        "[default: no limit]",
    ),
    "max_rate_per_address": (
        "SIZE",
        "The same for the viewers of one address. [default: no limit]",
    ),
}
OPTIONS = tuple(_HELP)
"""Names of the options, as in the configuration; flags have `-` for `_`."""


def options(command: Command) -> Command:
    """Give a click command these options."""
    return flags.add(command, _HELP)
