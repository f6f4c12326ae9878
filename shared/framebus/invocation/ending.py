"""How a command ends: every failure becomes one clear line and an exit code of sysexits.h."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable

from framebus import printable
from framebus.errors import SHORTAGES, FramebusError, OutOfResources, UsageError, refused

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What standard output says that has no room: click prints --help and --version by itself."""
_WORDS_MAX = 4000  # characters of an error
_LOGIN = r"[A-Za-z][\w+.-]*:/+\S*@"
"""A URL's name and password, however they are written; a path has one slash of the two."""


def ended(act: Callable[[], object]) -> int:
    """Return the exit code that `act` returns, or of its failure: one clear line on stderr.

    A FramebusError has its own, a shortage of descriptors or memory that nobody has translated is
    71, Ctrl-C 130.
    """
    try:
        result = act()
    except FramebusError as error:
        return _failed(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            tell(f"framebus: cannot write: {error.strerror}; give it a file or pipe")
            return os.EX_IOERR
        if error.errno not in SHORTAGES:
            raise
        return _failed(refused(error, "cannot go on", ""))
    return result if isinstance(result, int) else os.EX_OK


def tell(text: str) -> None:
    """Print a line on standard error, where that is open, made harmless."""
    if sys.stderr is not None:
        sys.stderr.write(f"{printable.line(text)}\n")
        sys.stderr.flush()


def without_logins(text: str) -> str:
    """Return a message that may quote, as another option's value, a camera's URL."""
    return re.sub(_LOGIN, "…@", text)


def _failed(error: FramebusError) -> int:
    said = str(error)
    if isinstance(error, UsageError):
        said = without_logins(said)
    if not isinstance(error, OutOfResources):  # there may be no descriptor to import with
        from framebus.invocation import typed  # a daemon that starts need not wait for it

        said = typed.remedies(said)
    said = printable.line(said)
    more = "…" if len(said) > _WORDS_MAX else ""  # a daemon's answer may be as long as a message
    tell(f"framebus: {said[:_WORDS_MAX]}{more}")
    return error.exit_code
