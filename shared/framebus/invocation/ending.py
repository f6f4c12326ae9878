"""How a command ends: every failure becomes one clear line and an exit code of sysexits.h."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from typing import Any

import click

from framebus import printable
from framebus.errors import SHORTAGES, FramebusError, OutOfResources, UsageError, refused

_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What standard output says that has no room: click prints --help and --version by itself."""
_WORDS_MAX = 4000  # characters of an error
_LOGIN = r"[A-Za-z][\w+.-]*:/+\S*@"
"""A URL's name and password, however they are written; a path has one slash of the two."""


def run(command: click.Command, args: Sequence[str] | None = None, *, name: str) -> int:
    """Run a click command and return its exit code; failures are one clear line on stderr.

    A click usage error is exit code 64, a FramebusError its own, a shortage of descriptors or
    memory that nobody has translated 71, Ctrl-C 130. `args` are those of the process if None. (A
    closed pipe ends click itself: silently, with exit code 1.)
    """
    try:
        result: Any = command.main(args, prog_name=name, standalone_mode=False)
    except click.UsageError as error:
        _show(error)
        return os.EX_USAGE
    except click.ClickException as error:
        error.show()
        return os.EX_SOFTWARE
    except FramebusError as error:
        return _failed(error)
    except click.Abort:
        return _INTERRUPTED
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            said = f"cannot write: {error.strerror}; give it a file or pipe"
            click.echo(f"framebus: {said}", err=True)
            return os.EX_IOERR
        if error.errno not in SHORTAGES:
            raise
        return _failed(refused(error, "cannot go on", ""))
    return result if isinstance(result, int) else os.EX_OK


def _failed(error: FramebusError) -> int:
    said = str(error)
    if isinstance(error, UsageError):
        said = _without_logins(said)
    if not isinstance(error, OutOfResources):  # there may be no descriptor to import with
        from framebus.invocation import typed  # a daemon that starts need not wait for it

        said = typed.remedies(said)
    click.echo(f"framebus: {_cut(printable.line(said))}", err=True)
    return error.exit_code


def _show(error: click.UsageError) -> None:
    """Print an error of click's. Words that are too many, which it would quote, are not."""
    said = _without_logins(error.format_message())
    if "unexpected extra argument" in said:
        names = {each.name for each in error.ctx.command.params} if error.ctx else set()
        remedy = (
            "quote a value that has spaces or an &, "
            "as in --source 'ffmpeg:-rtsp_transport tcp -i URL'."
            if "source" in names
            else "this command takes options only."
        )
        said = f"There are words too many here: {remedy}"
    click.UsageError(said, error.ctx).show()


def _without_logins(text: str) -> str:
    """Return a message that may quote, as another option's value, a camera's URL."""
    return re.sub(_LOGIN, "…@", text)


def _cut(text: str) -> str:
    """Return as much as a person reads: a daemon's answer may be as long as a message."""
    return text if len(text) <= _WORDS_MAX else f"{text[:_WORDS_MAX]}…"
