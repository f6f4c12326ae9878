"""Where commands write: standard output, or files that are complete or not there.

Every failure to write becomes OutputFailed, but for a closed pipe (BrokenPipeError), which is how
the other end says that it has enough.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from framebus import printable
from framebus.errors import FramebusError, UsageError
from framebus.frame import Frame


class OutputFailed(FramebusError):
    """What was to be written could not be: no room, no permission, no such directory."""

    exit_code = os.EX_IOERR


def say(text: str) -> None:
    """Print a result for people; what a terminal would obey becomes an escape.

    Who closes the pipe has read enough: nothing is wrong then. Raises OutputFailed.
    """
    _print(printable.lines(text))


def say_json(document: object) -> None:
    """Print a result as JSON. Raises as `say` does."""
    _print(printable.json_text(document))


def _print(text: str) -> None:
    _check_open()
    try:
        click.echo(text)
    except BrokenPipeError:
        _write_no_more()
    except OSError as error:
        raise OutputFailed(f"cannot write to standard output: {error.strerror}") from error


def _write_no_more() -> None:
    """Have the rest, and what Python flushes at its end, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def write_stdout(data: bytes) -> None:
    """Write all of `data` to standard output, past Python's buffer.

    Raises BrokenPipeError when nobody reads any more, else OutputFailed.
    """
    _check_open()
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(sys.stdout.fileno(), left) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(f"cannot write to standard output: {error.strerror}") from error


def refuse_terminal(instead: str) -> None:
    """Raise UsageError if standard output is a terminal; `instead` says what to do."""
    if sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"JPEG data would go to this terminal: {instead}")


def _check_open() -> None:
    """Raise OutputFailed where the process was started without a standard output (`>&-`)."""
    if sys.stdout is None:
        raise OutputFailed("cannot write to standard output: it is closed; give it a file or pipe")


def check_directory(directory: Path) -> None:
    """Raise OutputFailed unless files can be made in a directory, before a frame is waited for."""
    try:
        found = directory.stat()
    except FileNotFoundError as error:
        raise OutputFailed(
            f"there is no directory {directory}: make it (`mkdir -p {shlex.quote(str(directory))}`)"
            " or name another"
        ) from error
    except OSError as error:
        raise OutputFailed(
            f"cannot write into {directory} ({error.strerror}): name a directory that is yours"
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise OutputFailed(f"{directory} is no directory: name one")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OutputFailed(
            f"no permission to write into the directory {directory}: name one that is yours"
        )


def check_file(path: Path) -> None:
    """Raise OutputFailed unless a file can be made, before a frame is waited for."""
    target = Path(os.path.realpath(path))
    if os.path.isdir(target):
        raise OutputFailed(f"{path} is a directory: name a file in it")
    if not _is_special(target):
        check_directory(target.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write a file at once: whoever opens `path` finds the old content or the whole new one.

    A device or pipe at `path` is written to as it is; a symbolic link stays, its target is
    replaced. Raises OutputFailed, leaving nothing behind.
    """
    target = Path(os.path.realpath(path))
    try:
        if _is_special(target):
            target.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as error:
        raise OutputFailed(f"cannot write {path}: {error.strerror}") from error


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:  # whatever is the matter, whoever writes is told
        return False


def _replace(target: Path, data: bytes) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("xb") as file:
            file.write(data)
        partial.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def file_name(frame: Frame) -> str:
    """Return a file name for a frame that sorts by capture time and is used once.

    The time is UTC to the microsecond; the sequence alone starts again with each daemon.
    """
    seconds, rest_ns = divmod(frame.captured_utc_ns, 1_000_000_000)
    day = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{day:%Y%m%dT%H%M%S}.{rest_ns // 1000:06d}Z-{frame.sequence:09d}.jpg"
