"""Runs a click command. Says what is wrong with how it was typed, but no camera's URL in that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

import click

from framebus.invocation.ending import INTERRUPTED, ended, without_logins


def run(command: click.Command, args: Sequence[str] | None = None, *, name: str) -> int:
    """Run a click command and return its exit code; failures are one clear line on stderr.

    A click usage error is exit code 64, others are as `ended` has them. `args` are those of the
    process if None. (A closed pipe ends click itself: silently, with exit code 1.)
    """
    try:
        return ended(partial(command.main, args, prog_name=name, standalone_mode=False))
    except click.UsageError as error:
        _show(error)
        return os.EX_USAGE
    except click.ClickException as error:
        error.show()
        return os.EX_SOFTWARE
    except click.Abort:
        return INTERRUPTED


def _show(error: click.UsageError) -> None:
    """Print an error of click's. Words that are too many, which it would quote, are not."""
    said = without_logins(error.format_message())
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
