"""`framebus doctor`: its options, for click."""

from __future__ import annotations

import os
from pathlib import Path

import click
from framebus.errors import UsageError
from framebus.invocation import ending, output, typed
from framebus.names import check_camera_name
from framebus.options import flags
from framebus.options.table import NAME

from capture_daemon.diagnosis import bundle, doctor
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2.discovery import resolve

_HELP = """Say what is wrong, and the command that mends it.

It runs on a machine in any state, opens no camera, and changes nothing. As root it sees more: other
users' processes, and the kernel's log.

\b
  framebus doctor
  sudo framebus doctor --name front
  framebus doctor --bundle report.tar.gz    what to attach to a bug report

Exit codes: 0 nothing is wrong, 1 something is.
"""


@click.command(help=_HELP)
@flags.flag(NAME, "Look at the daemon of this camera only.")
@click.option(
    "--camera",
    "device",
    metavar="DEVICE",
    help="Look at this device only: a node, or a name that `framebus devices` lists.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--bundle",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE.tar.gz",
    help="Put all that a bug report needs into one new file, without secrets.",
)
def command(*, name: str | None, device: str | None, as_json: bool, file: Path | None) -> int:
    """Examine this machine; `_HELP` is what a person reads."""
    if name is not None:
        check_camera_name(name)
    if file is not None:
        output.check_directory(file.parent)  # before a person waits for what cannot be kept
        if os.path.lexists(file):
            raise UsageError(f"{file} is there already: name a new file")
    machine = Machine(name=name, device=_node(device))
    findings = doctor.examine(machine)
    if as_json:
        output.say_json([each.document() for each in findings])
    else:
        output.say(typed.remedies(doctor.render(machine, findings)))
    if file is not None:
        bundle.write(file, bundle.collect(machine, findings))
        ending.tell(f"{file}: read it before you send it; {bundle.CONTENTS}")
    return doctor.exit_code(findings)


def _node(device: str | None) -> str | None:
    """Return the node that a name means; the name itself where there is none, for the check."""
    if device is None:
        return None
    try:
        return resolve(device.removeprefix("v4l2:"))
    except SourceError:
        return device
