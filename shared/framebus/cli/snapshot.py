"""`framebus snapshot`: one frame of a camera, to a file or to standard output."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import click

from framebus.cli import choice
from framebus.frame import Frame, FrameFlags
from framebus.invocation import output
from framebus.options import flags
from framebus.reader import FrameReader

FRESH_S = 1.0
"""A frame that is older than this many seconds is not what the camera sees now."""

_HELP = """Write one frame of a camera to a file, or to standard output.

\b
  framebus snapshot -o now.jpg
  framebus snapshot -o - | display

The file appears, or is replaced, only when it is complete. The frame is the newest one if it is
not older than a second, else the next one.

Exit codes: 0 done, or whoever reads standard output has closed it, 64 wrong usage, 69 no such
camera, 74 output failed, 75 no frame within --timeout, 77 no permission.
"""


@click.command(help=_HELP)
@flags.own(
    "snapshot",
    "-o",
    "--output",
    "destination",
    required=True,
    metavar="FILE",
    help="The JPEG file to write; - is standard output.",
)
@choice.option
@flags.own(
    "snapshot",
    "--timeout",
    type=flags.Seconds(zero=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a frame.",
)
def snapshot(destination: str, name: str | None, timeout: float) -> None:
    """Write one fresh frame; `_HELP` is for people."""
    if destination == "-":
        output.refuse_terminal("give a file with -o")
    else:
        output.check_file(Path(destination))
    words = ("snapshot", "-o", destination)
    names = choice.choose(name, words)
    with (
        FrameReader(names.camera, runtime=names.runtime) as reader,
        choice.explained(names, name, words),
    ):
        frame = _fresh(reader, timeout)
    if FrameFlags.FALLBACK in frame.flags:
        click.echo("framebus: not of the camera, which is away, but of its fallback", err=True)
    if destination == "-":
        with contextlib.suppress(BrokenPipeError):  # as with tap, whoever reads has enough
            output.write_stdout(frame.jpeg)
    else:
        output.write_file(Path(destination), frame.jpeg)


def _fresh(reader: FrameReader, timeout_s: float) -> Frame:
    """Return a frame of at most FRESH_S age.

    Raises FrameTimeout after `timeout_s` seconds.
    """
    # `next` first joins at the newest frame there is, which may be from before a stop.
    deadline_s = time.monotonic() + timeout_s
    while True:
        frame = reader.next(max(0.0, deadline_s - time.monotonic()))
        if frame.age_s <= max(FRESH_S, reader.interval_s):  # a slow camera has no newer one
            return frame
