"""Whose files are believed: the rule, in one place, for all that is read in shared places.

RUNTIME has one owner, the user whose daemons serve there. The directory itself is trusted if it is
a real one, nobody but its owner may write it, and its owner is this user, root, or whomever root or
this user has put there: systemd's RuntimeDirectory= belongs to the service's user, and its parent
to root. In a place where anybody may make directories, such as /tmp, somebody else's is not.

Then all that is found through it, in RUNTIME and in shared memory, is believed if it belongs to
the directory's owner and nobody else may write it. Nothing is opened in a way that could wait, or
follow a link. What the owner does to his own files is his to answer for.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path

from framebus.errors import CameraAbsent, NoPermission, Untrusted, UsageError, refused
from framebus.names import check_runtime_dir

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_REGULAR_FILE = (errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENODEV)
_SAFELY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def owner_of(runtime: Path) -> int:
    """Return the id of the user whose files in a runtime directory are to be believed.

    Raises CameraAbsent where there is no such directory, NoPermission where we may not look,
    OutOfResources where there is no memory to, and Untrusted, with the remedy, where somebody else
    could have made it or may write it.
    """
    try:
        found = runtime.lstat()
        own = found.st_uid in (os.geteuid(), 0)
        above = found if own else (runtime / "..").lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise CameraAbsent(f"no daemon has run in {runtime} yet: it is not there") from None
    except OSError as error:
        raise refused(error, f"cannot look at {runtime}", "run as its owner") from error
    if not stat.S_ISDIR(found.st_mode):
        raise Untrusted(
            f"the runtime directory {runtime} is no directory (a link is none): "
            "set FRAMEBUS_RUNTIME_DIR to the directory itself"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise Untrusted(
            f"others may write the runtime directory {runtime} (mode {_mode(found)}), and so put "
            f"files of theirs in the way: {_closing(runtime, found)}"
        )
    if not own and (above.st_uid not in (os.geteuid(), 0) or above.st_mode & _OTHERS_WRITE):
        raise Untrusted(
            f"the runtime directory {runtime} belongs to user id {found.st_uid}, who may have put "
            "it there: set FRAMEBUS_RUNTIME_DIR to a directory of your own"
        )
    return found.st_uid


def create_runtime_dir(runtime: Path) -> Path:
    """Create `runtime` with mode 0750 if it is missing, and return it. For who serves there.

    Raises NoPermission when it cannot be made or written, OutOfResources when there is no room for
    it, UsageError when it is too long for a
    socket path or is not ours, and Untrusted.
    """
    check_runtime_dir(runtime)
    try:
        runtime.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        remedy = "set FRAMEBUS_RUNTIME_DIR to a directory that you can write"
        raise refused(error, f"cannot create the runtime directory {runtime}", remedy) from error
    owner = owner_of(runtime)
    if owner != os.geteuid():
        raise UsageError(
            f"the runtime directory {runtime} belongs to user id {owner}, not to you: run as that "
            "user, or set FRAMEBUS_RUNTIME_DIR to a directory of your own"
        )
    if not os.access(runtime, os.W_OK | os.X_OK):
        raise NoPermission(
            f"cannot write the runtime directory {runtime}: "
            f"chmod u+rwx {shlex.quote(str(runtime))}, or set FRAMEBUS_RUNTIME_DIR "
            "to a directory that you can write"
        )
    return runtime


def open_trusted(path: Path, owner: int, *, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file that belongs to the user id `owner`, and return its descriptor.

    Never waits, whatever lies there. Raises Untrusted, with the remedy, for what is no such file,
    and OSError otherwise. `flags` and `mode` are os.open's.
    """
    try:
        fd = os.open(path, flags | _SAFELY, mode)
    except OSError as error:
        if error.errno in _NO_REGULAR_FILE:
            raise _no_regular_file(path) from error
        raise
    try:
        _check(path, os.fstat(fd), owner)
    except BaseException:
        os.close(fd)
        raise
    return fd


def lies_at(path: Path, fd: int) -> bool:
    """Tell whether the file that `fd` has open still lies at `path`. Raises OSError."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def check_socket(path: Path, owner: int) -> None:
    """Raise Untrusted unless a Unix socket that belongs to `owner` lies there; raises OSError.

    Its mode says who may connect; what is sent is for the receiver to judge.
    """
    found = path.lstat()
    if not stat.S_ISSOCK(found.st_mode):
        raise Untrusted(f"{path} is no socket: remove it, and start the daemon again")
    _check_owner(path, found, owner)


def _check(path: Path, found: os.stat_result, owner: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _no_regular_file(path)
    _check_owner(path, found, owner)
    if found.st_mode & _OTHERS_WRITE:
        raise Untrusted(
            f"others may write {path} (mode {_mode(found)}): chmod go-w {shlex.quote(str(path))}"
        )


def _check_owner(path: Path, found: os.stat_result, owner: int) -> None:
    if found.st_uid != owner:
        raise Untrusted(
            f"{path} belongs to user id {found.st_uid}, and not to {owner} as it should: remove it"
        )


def _no_regular_file(path: Path) -> Untrusted:
    return Untrusted(f"{path} is no regular file: remove it")


def _closing(runtime: Path, found: os.stat_result) -> str:
    """Return how to keep others out; a place that is shared on purpose, as /tmp, stays so."""
    chmod, own = (
        f"chmod go-w {shlex.quote(str(runtime))}",
        "set FRAMEBUS_RUNTIME_DIR to a directory",
    )
    if os.geteuid() not in (0, found.st_uid):
        return f"{own} of your own"
    if found.st_mode & stat.S_ISVTX:
        return f"{own} of your own; or, if nobody else is to use this one, {chmod}"
    return chmod


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"
