"""What concerns the whole process: its log, its limits, and its end when a thread will not end."""

from __future__ import annotations

import grp
import logging
import os
import resource
import sys
from pathlib import Path

from framebus.errors import NoPermission, UsageError
from framebus.names import CameraNames
from framebus.native_library import REMEDY, Unavailable
from framebus.options.chosen import Chosen
from framebus.options.table import CONTROL_GROUP

from capture_daemon.native import library
from capture_daemon.native.library import Library
from capture_daemon.ownership.locks import Locks

log = logging.getLogger("capture_daemon")

END_S = 1.5
"""How long an end waits for the threads; what then still hangs in a driver is left behind."""


def leave_at_once(names: CameraNames, locks: Locks, *, ring: Path | None) -> None:
    """Remove our files and exit, with a thread still inside the kernel. Does not return.

    `ring` is our segment, None if it is to stay for a successor to go on from.
    The device's lock file stays, and its lock until the kernel has let go of the process: the
    device is held exactly as long.
    """
    if error := sys.exception():  # nobody else will tell of it
        log.error("a bug ended the daemon", exc_info=error)
    log.error(
        "the source did not let go of its device within %g s: leaving without a clean end", END_S
    )
    stay = {names.lock} if ring else {names.lock, names.ring_file}
    for file in (*names.files, *((ring,) if ring else ())):
        if file not in stay:
            file.unlink(missing_ok=True)
    locks.release(names.lock)
    logging.shutdown()
    os._exit(os.EX_IOERR)


def fast_path_library() -> Library | None:
    """Return what the fast path needs; None, and a line of the log, where there is none."""
    try:
        return library.load()
    except Unavailable as error:
        log.warning("a frame costs more processor time than it need: %s; %s", error, REMEDY)
        return None


def control_group(options: Chosen) -> int:
    """Return the id of the group whose members may command, -1 for none.

    Raises UsageError when there is no such group, and NoPermission when we are not in it.
    """
    name = options[CONTROL_GROUP]
    if name is None:
        return -1
    with options.naming(CONTROL_GROUP):
        number = _group_id(name)
    if os.geteuid() != 0 and number not in (os.getegid(), *os.getgroups()):
        raise NoPermission(
            f"{CONTROL_GROUP.flag} {name!r}: the daemon's user is not in that group, so it "
            "cannot give its socket to it: usermod -aG, or leave the option out"
        )
    return number


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        if name.isascii() and name.isdecimal() and len(name) < 10:  # a number needs no name
            return int(name)
        raise UsageError(
            f"there is no group {name!r}: make it with groupadd, or leave the option out"
        ) from None


def allow_many_connections() -> None:
    """Raise the soft limit of descriptors: listeners and hostile connections each take one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
