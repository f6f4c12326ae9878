"""`framebus capture`: the daemon's command. Its options are framebus.options.table's."""

from __future__ import annotations

import os

import click
from framebus.options import flags
from framebus.options.option import Scope

from capture_daemon.settings.options import prepared
from capture_daemon.settings.spec import FORMS

_SOURCES = "\n".join(f"  {form:<16} {what}" for form, what in FORMS.items())
_HELP = f"""Run the capture daemon of one camera, in the foreground.

It is the only process that opens the camera. It goes on until SIGTERM or Ctrl-C, whatever the
camera does; `framebus ctl status` tells what it does now.

\b
SOURCE is one of
{_SOURCES}

Exit codes: 0 ended by a signal or by `shutdown`, 64 wrong usage, 73 no room for the ring,
74 a clean end was not possible, 75 the camera's name or its device is held by another daemon,
77 no permission.

A flag wins over its environment variable, that over --config, and that over the default.
"""


@click.command(help=_HELP)
@flags.of(Scope.CAPTURE, Scope.BOTH)
@click.option(
    "--check", is_flag=True, help="Only find out whether the options are sound; start nothing."
)
def capture(check: bool, **given: str | None) -> int:
    """Run the daemon until it is told to end; `_HELP` is what a person reads."""
    resolved = prepared(flags.chosen(given))
    if check:
        from capture_daemon.process import control_group

        control_group(resolved.options)
        click.echo(f"framebus capture: the options of {resolved.name} are sound")
        return 0
    from capture_daemon.main import run  # --help and usage errors need no ZeroMQ

    return run(resolved, os.environ)
