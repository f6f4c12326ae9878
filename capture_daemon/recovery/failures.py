"""The kinds of failure that the ladder treats differently, and which code is which. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Failure(enum.Enum):
    """The kinds of failure that are treated differently."""

    SILENT = "silent"
    """Open, and no valid frame comes."""
    BROKEN = "broken"
    """The driver ended the stream, or gave an error without a special meaning."""
    REFUSED = "refused"
    """The camera refused a format or to start, or did not answer."""
    BUSY = "busy"
    """Somebody else has it."""
    AWAY = "away"
    """There is no such device now."""
    FORBIDDEN = "forbidden"
    """This user may not open it."""
    NO_BANDWIDTH = "no-bandwidth"
    """The bus is full for the format that was asked for; another format is not the ladder's."""
    SHORTAGE = "shortage"
    """This machine lacks memory or descriptors."""
    OTHER = "other"
    """Anything about a source that is no device: a network, a file, a program."""
    DENIED = "denied"
    """A server does not let this user in."""
    UNUSABLE = "unusable"
    """A person must mend something: a program is missing, an option is wrong."""


_CODES: Mapping[str, Failure] = {
    "silent": Failure.SILENT,
    "garbage": Failure.SILENT,
    "frozen": Failure.SILENT,
    "stream-broken": Failure.BROKEN,
    "device-error": Failure.BROKEN,
    "refused-format": Failure.REFUSED,
    "refused-stream": Failure.REFUSED,
    "device-busy": Failure.BUSY,
    "held": Failure.BUSY,
    "device-absent": Failure.AWAY,
    "device-gone": Failure.AWAY,
    "no-permission": Failure.FORBIDDEN,
    "no-bandwidth": Failure.NO_BANDWIDTH,
    "no-memory": Failure.SHORTAGE,
    "no-descriptors": Failure.SHORTAGE,
}


_DENIALS = frozenset({"unauthorized", "forbidden"})


def failure_of(code: str, *, on_device: bool, permanent: bool = False) -> Failure:
    """Return the kind of failure that a cause's code stands for.

    With `permanent`, trying again unchanged is not expected to help.
    """
    if permanent:
        return Failure.DENIED if code in _DENIALS else Failure.UNUSABLE
    return _CODES.get(code, Failure.OTHER) if on_device else Failure.OTHER
