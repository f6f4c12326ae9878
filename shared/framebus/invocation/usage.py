"""Says what is wrong with how a command was typed, without quoting what may be a camera's URL."""

from __future__ import annotations

import re

import click

_LOGIN = r"[A-Za-z][\w+.-]*:/+\S*@"
"""A URL's name and password, however they are written; a path has one slash of the two."""


def without_logins(text: str) -> str:
    """Return a message that may quote, as another option's value, a camera's URL."""
    return re.sub(_LOGIN, "…@", text)


def show(error: click.UsageError) -> None:
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
