"""The `framebus` command: finds the sub-commands.

Sub-commands come from the entry point group `framebus.commands` (setup.cfg) and are imported only
when they are asked for, so this file knows neither the capture daemon nor the web tier, and
`framebus ctl` starts quickly. For the same reason those that are our own are found without a look
at what is installed.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from framebus import installation
from framebus.errors import FramebusError, PartMissing
from framebus.invocation import typed
from framebus.invocation.arguments import hide_sources
from framebus.invocation.usage import run
from framebus.options import variables
from framebus.spelling import closest, nearest, quoted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_GROUP = "framebus.commands"
OWN = {
    "capture": "capture_daemon.command:capture",
    "ctl": "framebus.cli.ctl:ctl",
    "devices": "capture_daemon.v4l2.command:devices",
    "doctor": "capture_daemon.diagnosis.command:command",
    "ls": "framebus.cli.ls:ls",
    "snapshot": "framebus.cli.snapshot:snapshot",
    "tap": "framebus.cli.tap:tap",
    "up": "framebus.cli.up:up",
    "web": "web_workers.command:web",
}
"""What setup.cfg says of ours: importlib.metadata, which reads it, takes as long as click."""

_HELP = """One camera, one opener, any number of viewers.

A capture daemon opens the camera and puts its frames into shared memory; a web tier serves them
to browsers. `framebus up` runs both.

\b
  framebus up                    the first camera, or a test pattern
  framebus up --source test      no camera needed
  framebus up --source v4l2:/dev/video0 --size 1280x720 --fps 30
  framebus ls                    which cameras run, and where
  framebus ctl status            what the camera does now, and why
  framebus ctl set_controls brightness=10
  framebus snapshot -o now.jpg
  framebus tap | ffplay -f mjpeg -
  framebus doctor                what is wrong, and the command that mends it

Where one camera runs it need not be named; where several do, --name says which.
"""

_EPILOG = """
Every option has an environment variable (`framebus COMMAND --help` names it); a flag
wins over the variable, the variable over --config FILE.toml, and that over the default.

Exit codes: 0 done, 64 wrong usage, 69 no such camera, 74 output failed, 75 held by another
process, or no answer or frame in time, 77 no permission. (docs/operations.md has them all.)
"""


class LazyCommands(click.Group):
    """A group whose commands are entry points, loaded when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names of all installed commands, sorted."""
        return sorted(_installed())

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import and return one command, None if there is none of that name.

        Raises PartMissing when something that it needs is not installed or does not load.
        """
        value = OWN.get(cmd_name)
        if value is None:
            entry = _installed().get(cmd_name)
            if entry is None:
                return None
            value = entry.value
        module, _, name = value.partition(":")
        try:
            command = getattr(import_module(module), name, None)
        except ImportError as error:
            raise installation.explained(error) from error
        if not isinstance(command, click.Command):
            raise PartMissing(
                f"the entry point {cmd_name} = {value} is no click command: "
                "uninstall or mend the package that registers it"
            )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one gets the nearest."""
        name = args[0]
        if not name.startswith("-") and name not in OWN and name not in _installed():
            hint = _meant(name)
            raise click.UsageError(f"No such command {quoted(name)}".rstrip() + hint, ctx)
        return super().resolve_command(ctx, args)

    def variables(self, ctx: click.Context) -> set[str]:
        """Return the environment variables of all commands that can be loaded."""
        found: set[str] = set()
        for name in self.list_commands(ctx):
            try:
                command = self.get_command(ctx, name)
            except FramebusError:
                continue
            found |= variables.of(command) if command is not None else set()
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands; one that cannot be loaded says why instead of hiding the others."""
        rows: list[tuple[str, str]] = []
        names = self.list_commands(ctx)
        room = formatter.width - max((len(name) for name in names), default=0) - 6
        for name in names:
            try:
                command = self.get_command(ctx, name)
            except FramebusError as error:
                rows.append((name, f"(unavailable) {error}"))
            else:
                if command is not None and not command.hidden:
                    rows.append((name, command.get_short_help_str(limit=room)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _meant(name: str) -> str:
    """Return a hint for an unknown command: it may be a method of `framebus ctl`."""
    from framebus.contract.methods import METHODS  # the other commands start without it

    if closest(name, _installed()) is None and (method := closest(name, METHODS)):
        return f": did you mean `{typed.command('ctl', method)}`?"
    return nearest(name, _installed())


def _installed() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=_GROUP)}


@click.command(
    cls=LazyCommands,
    help=_HELP,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="framebus", prog_name="framebus")
@click.pass_context
def framebus(ctx: click.Context) -> None:
    """Hold the sub-commands, and look at the variables that they read; `_HELP` is for people."""
    group = ctx.command
    if isinstance(group, LazyCommands) and ctx.invoked_subcommand:
        command = group.get_command(ctx, ctx.invoked_subcommand)
        own = variables.of(command) if command is not None else set()
        for sentence in variables.unknown(os.environ, own, lambda: group.variables(ctx)):
            click.echo(f"framebus: {sentence}", err=True)


def _reserve_standard_descriptors() -> None:
    """Have 0, 1 and 2 open: no file or socket, here or in a child, must become one of them."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)


def main() -> None:
    """Run `framebus` with the process's arguments and exit."""
    _reserve_standard_descriptors()
    hide_sources(sys.argv[1:])
    sys.exit(run(framebus, name="framebus"))
