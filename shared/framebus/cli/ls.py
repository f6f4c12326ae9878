"""`framebus ls`: the cameras that run on this machine, and what each of them does.

Daemons of this user's directories are asked; of others', only what the kernel says is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from framebus.cli import choice
from framebus.cli.fields import Fields
from framebus.control.client import ControlClient
from framebus.errors import ControlTimeout, FramebusError, OutOfResources
from framebus.invocation import output, typed
from framebus.invocation.tables import table
from framebus.names import CameraNames, check_runtime_dir, runtime_dir
from framebus.options import flags
from framebus.running import RunningCamera, RuntimeDirectory, examine, others

_ANSWER_BY_S = 1.0  # a daemon promises an answer within 0.1
_HINTS = 3
"""Of so many other directories is said how their cameras are commanded."""

_HELP = """List the cameras that run on this machine.

\b
  framebus ls
  framebus ls --json | jq -r '.[].camera'

Those of the runtime directory that commands use here come first, then those of others that can be
found. What belongs to another user is listed as such and not asked; how to command it is said on
standard error.

\b
Exit codes: 0 done, also where none runs, 74 output failed.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One camera, for output."""

    camera: RunningCamera
    directory: RuntimeDirectory
    status: Fields
    """What its daemon says; empty where it was not asked, or does not answer."""
    state: str
    """Its own word for what it does; "-" where it was not asked."""

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        source = self.status.at("source")
        granted = source.at("granted")
        return {
            "camera": self.camera.name,
            "state": None if self.state == "-" else self.state,
            "cause": self.status.at("cause").text("code") if self.status.at("cause") else None,
            "source": source.text("kind") if source else None,
            "width": granted.number("width") or None,
            "height": granted.number("height") or None,
            "fps": granted.real("fps") or None,
            "pid": self.camera.pid or None,
            "runtime": str(self.directory.path),
            "user": choice.user(self.directory.owner),
            "asked": bool(self.status),
        }

    def cells(self) -> list[str]:
        """Return it as a line of a table."""
        source = self.status.at("source")
        granted = source.at("granted")
        size = f"{granted.text('width')}x{granted.text('height')}" if granted else "-"
        rate = f"@{granted.real('fps'):g}" if granted.real("fps") else ""
        return [
            self.camera.name,
            self.state,
            source.text("kind"),
            size + rate,
            str(self.camera.pid or "-"),
            str(self.directory.path),
            choice.user(self.directory.owner),
        ]


@click.command(help=_HELP)
@flags.own("ls", "--json", "as_json", is_flag=True, help="Print a list of objects as JSON.")
def ls(as_json: bool) -> None:
    """List them; `_HELP` is for people."""
    runtime = check_runtime_dir(runtime_dir())
    here, elsewhere = examine(runtime), others(runtime)
    directories = [*([here] if here else []), *elsewhere]
    rows = [
        # The directory that this command was told of is asked whoever's it is, as by any other.
        _row(camera, directory, ask=directory.readable and (directory.ours or directory is here))
        for directory in directories
        for camera in directory.cameras
    ]
    if as_json:
        output.say_json([row.document() for row in rows])
        return
    if rows:
        header = ["CAMERA", "STATE", "SOURCE", "SIZE@FPS", "PID", "RUNTIME DIRECTORY", "USER"]
        output.say(table([row.cells() for row in rows], header=header))
    else:
        click.echo(f"framebus: no camera runs: start one with `{typed.command('up')}`", err=True)
    for hint in hints(elsewhere):
        click.echo(f"framebus: {hint}", err=True)


def hints(elsewhere: Sequence[RuntimeDirectory]) -> Iterator[str]:
    """Yield how to command cameras of other runtime directories: anybody may make many of those."""
    for directory in elsewhere[:_HINTS]:
        words = ("ctl", "status", "--name", directory.cameras[0].name)
        yield f"for those in {directory.path}: {choice.remedy(directory, words)}"
    if (left := len(elsewhere) - _HINTS) > 0:
        yield f"likewise for those of {left} more: set FRAMEBUS_RUNTIME_DIR to their directory"


def _row(camera: RunningCamera, directory: RuntimeDirectory, *, ask: bool) -> Row:
    if not ask:
        return Row(camera, directory, Fields(None), "-")
    names = CameraNames(directory.path, camera.name)
    try:
        with ControlClient(names, timeout_s=_ANSWER_BY_S, asks_only=True) as client:
            status = Fields(client.call("status"))
    except ControlTimeout:
        return Row(camera, directory, Fields(None), "not answering")
    except OutOfResources:  # of ours: it tells nothing of the camera
        raise
    except FramebusError:  # it has just ended, or does not answer us
        return Row(camera, directory, Fields(None), "not reachable")
    return Row(camera, directory, status, status.text("state"))
