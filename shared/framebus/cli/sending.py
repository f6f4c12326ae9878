"""The option of how frames are sent: `framebus up` and `framebus web` mean the same by it."""

from __future__ import annotations

from framebus.options import flags
from framebus.options.flags import Command

_HELP = {
    "io_uring": (
        "auto|off",
        "Hand a frame to all viewers with one system call, where the kernel lets us; off: one "
        "for each. [default: auto]",
    ),
}
OPTIONS = tuple(_HELP)
"""Names of the options, as in the configuration; flags have `-` for `_`."""


def options(command: Command) -> Command:
    """Give a click command this option."""
    return flags.add(command, _HELP)
