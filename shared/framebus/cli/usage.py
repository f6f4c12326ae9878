"""Says what is wrong with how a command was typed, without quoting what may be a camera's URL."""

from __future__ import annotations

import click


def show(error: click.ClickException) -> None:
    """Print an error of click's. Words that are too many, which it would quote, are not."""
    if isinstance(error, click.UsageError) and "unexpected extra argument" in error.message:
        names = {each.name for each in error.ctx.command.params} if error.ctx else set()
        remedy = (
            "quote a value that has spaces or an &, "
            "as in --source 'ffmpeg:-rtsp_transport tcp -i URL'."
            if "source" in names
            else "this command takes options only."
        )
        error = click.UsageError(f"There are words too many here: {remedy}", error.ctx)
    error.show()
