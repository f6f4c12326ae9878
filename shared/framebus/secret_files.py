"""Files that hold a secret in one line: the web tier's token, a password. Read, and made once.

A secret goes from here into memory, and never into a log, an error, an argument or the environment.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from framebus.errors import NoPermission, UsageError, refused

SHORTEST = 8
"""Characters of the shortest secret that is taken."""
_LONGEST = 1024
_TOKEN_BYTES = 32


def read_secret(path: Path, *, group_may_read: bool = False) -> str:
    """Return the secret in a file: its only line.

    Raises NoPermission when others may read or write the file, or we may not, OutOfResources when
    it cannot be opened now, and UsageError when it is no file, or holds no secret.
    FileNotFoundError is left to the caller.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        remedy = f"let user id {os.geteuid()} read it"
        raise refused(error, f"cannot read {path}", remedy) from error
    try:
        _check(path, os.fstat(fd), group_may_read=group_may_read)
        content = os.read(fd, _LONGEST + 2)
    finally:
        os.close(fd)
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8: write one line of text into it") from None
    if not SHORTEST <= len(text) <= _LONGEST or not text.isprintable():
        raise UsageError(
            f"{path} must hold one line of {SHORTEST} to {_LONGEST} printable characters"
        )
    return text


def make_secret(path: Path) -> None:
    """Make a file with a new random secret for its owner alone; one that is there stays.

    Whoever comes second, at the same moment or later, finds the whole file of the first. Raises
    NoPermission and OutOfResources.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "w") as file:
                file.write(secrets.token_urlsafe(_TOKEN_BYTES) + "\n")
                file.flush()
                os.fsync(fd)
            with suppress(FileExistsError):
                os.link(fresh, path)  # unlike a rename, it replaces nothing
        finally:
            fresh.unlink()
    except OSError as error:
        remedy = f"set FRAMEBUS_STATE_DIR to a directory that user id {os.geteuid()} can write"
        raise refused(error, f"cannot make {path}", remedy) from error


def read_or_make_secret(path: Path) -> str:
    """Return the secret in a file of our own, which is made if it is missing.

    Raises as `read_secret` and `make_secret` do.
    """
    with suppress(FileNotFoundError):
        return read_secret(path)
    make_secret(path)
    return read_secret(path)


def _check(path: Path, status: os.stat_result, *, group_may_read: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is no file: name a file with one line")
    if status.st_uid not in (os.geteuid(), 0):
        raise NoPermission(
            f"{path} belongs to user id {status.st_uid}, who could change it: "
            f"sudo chown {os.geteuid()} {path}"
        )
    forbidden = 0o027 if group_may_read else 0o077
    if status.st_mode & forbidden:
        raise NoPermission(
            f"{path} may be read or written by others (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"chmod {'0640' if group_may_read else '0600'} {path}"
        )
