"""The one error tree of framebus, sorted by what a caller should do about it.

Every exception that leaves a public function of this package is a `FramebusError`; what libraries
raise (OSError, ZMQError) is translated once, where it happens. Nothing here does any I/O.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False  # `framebus up` is kept small by what it does not import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_NO_MEMORY = "end programs, or give it more memory"
_NO_ROOM = "make room there"
SHORTAGES: Final[Mapping[int, str]] = {
    errno.EMFILE: "raise this program's limit of open files (`ulimit -n`, LimitNOFILE=)",
    errno.ENFILE: "end programs, or raise the machine's limit of open files (fs.file-max)",
    errno.ENOMEM: _NO_MEMORY,
    errno.ENOBUFS: _NO_MEMORY,
    errno.EAGAIN: "end programs, or raise the limits on processes and memory",
    errno.ENOLCK: "end programs: the machine has no locks left",
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
}
"""What to do about each errno that says nothing of what was asked for, only that it may work later.
"""


class FramebusError(Exception):
    """Anything that framebus reports. `exit_code` is the sysexits.h code of a program it ends."""

    exit_code: int = os.EX_SOFTWARE


class UsageError(FramebusError):
    """The caller's input is wrong, for the caller to mend; nothing was changed."""

    exit_code = os.EX_USAGE


class BadCameraName(UsageError):
    """A camera name outside `[a-z0-9][a-z0-9_-]{0,31}`."""


class CameraAbsent(FramebusError):
    """Nobody publishes this camera now: wait, or start it."""

    exit_code = os.EX_UNAVAILABLE


class CameraHeld(FramebusError):
    """Another process has this camera name or device; `pid` is its process id, 0 if unknown."""

    exit_code = os.EX_TEMPFAIL

    def __init__(self, message: str, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid


class PartMissing(FramebusError):
    """Something that framebus is made of is not installed, or does not load: install it."""

    exit_code = os.EX_UNAVAILABLE


class NoPermission(FramebusError):
    """The operating system refused access; the message names what would grant it."""

    exit_code = os.EX_NOPERM


class Untrusted(NoPermission):
    """A file or directory that somebody else made or may write; the message names the remedy."""


class OutOfResources(FramebusError):
    """Descriptors, memory or room ran out: `errno`, one of SHORTAGES, says which.

    It may work later: whoever can wait tries again.
    """

    exit_code = os.EX_OSERR

    def __init__(self, message: str, errno: int = 0) -> None:
        super().__init__(message)
        self.errno = errno


def refused(error: OSError, what: str, remedy: str) -> NoPermission | OutOfResources:
    """Return what an OSError asks for: time, or a person who does what `remedy` says.

    `what` says what cannot be done.
    """
    number, said = error.errno or 0, f"{what} ({error.strerror})"
    if number in SHORTAGES:
        return OutOfResources(f"{said}: {SHORTAGES[number]}", number)
    return NoPermission(f"{said}: {remedy}")


def raise_shortage(error: OSError, what: str) -> None:
    """Raise OutOfResources if that is what an OSError says: it tells nothing of what is there."""
    if error.errno in SHORTAGES:
        raise refused(error, what, "") from error


class RingError(FramebusError):
    """Something about the shared-memory ring."""


class FrameTooLarge(RingError):
    """A frame exceeds the largest that this ring takes (a quarter of its arena): go on."""


class FrameGone(RingError):
    """The frame asked for is overwritten, or was never published in this epoch: take the newest."""


class FrameTimeout(RingError, TimeoutError):
    """No new frame came in the time given: the camera is slow, or away."""

    exit_code = os.EX_TEMPFAIL


class SegmentInvalid(RingError):
    """The segment is no ring, is incomplete, or has a layout version unknown here."""

    exit_code = os.EX_DATAERR


class SegmentFull(RingError):
    """Shared memory has no room for a ring of the size asked for."""

    exit_code = os.EX_CANTCREAT


class ControlError(FramebusError):
    """A control call failed."""

    exit_code = os.EX_UNAVAILABLE


class ControlTimeout(ControlError):
    """No reply came in time: the daemon is gone, or busy."""

    exit_code = os.EX_TEMPFAIL


class CommandRefused(ControlError):
    """The daemon answered with a JSON-RPC error: `code`, message and `data` are its own."""

    def __init__(self, message: str, code: int, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data
