"""`framebus tap`: a camera's frames to standard output or to files, until told to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import click

from framebus.cli import output
from framebus.errors import FrameTimeout
from framebus.frame import Frame
from framebus.names import DEFAULT_CAMERA
from framebus.reader import FrameReader

_MENTION_S = 2.0  # seconds without a frame after which a person is told why

_HELP = """Write a camera's frames to standard output, or each to a file of its own.

\b
  framebus tap | ffplay -f mjpeg -
  framebus tap --count 300 > ten-seconds.mjpeg
  framebus tap --output-dir pictures --every --count 100

Without --every it takes the newest frame each time, so a slow reader sees the present. Counts go
to standard error at the end: skipped ones made way for a newer frame, lapped ones were overwritten
before they could be read. While the camera is away it waits.
"""


@click.command(help=_HELP)
@click.option(
    "--name",
    envvar="FRAMEBUS_NAME",
    show_envvar=True,
    default=DEFAULT_CAMERA,
    show_default=True,
    metavar="NAME",
    help="The camera's name.",
)
@click.option(
    "--output-dir",
    envvar="FRAMEBUS_TAP_OUTPUT_DIR",
    show_envvar=True,
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    metavar="DIR",
    help="Write one JPEG a file, named by capture time (UTC) and sequence.",
)
@click.option(
    "--count",
    envvar="FRAMEBUS_TAP_COUNT",
    show_envvar=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="End after N frames.",
)
@click.option(
    "--every",
    envvar="FRAMEBUS_TAP_EVERY",
    show_envvar=True,
    is_flag=True,
    help="Leave no frame out while the ring still holds it.",
)
@click.option(
    "--timeout",
    envvar="FRAMEBUS_TAP_TIMEOUT",
    show_envvar=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End with an error when no frame comes for so long. [default: wait for ever]",
)
def tap(
    name: str, output_dir: Path | None, count: int | None, every: bool, timeout: float | None
) -> None:
    """Copy frames until --count, Ctrl-C, SIGTERM or a closed pipe; `_HELP` is for people."""
    if output_dir is None:
        output.refuse_terminal("pipe it (`framebus tap | ffplay -f mjpeg -`) or give --output-dir")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with FrameReader(name, every=every) as reader:
        try:
            _copy(reader, _writer(output_dir), count=count, timeout_s=timeout)
        except (BrokenPipeError, KeyboardInterrupt):
            return
        finally:
            click.echo(
                f"framebus tap: {reader.delivered} delivered, {reader.skipped} skipped, "
                f"{reader.lapped} lapped",
                err=True,
            )


def _writer(directory: Path | None) -> Callable[[Frame], None]:
    """Return what writes one frame."""
    if directory is None:
        return lambda frame: output.write_stdout(frame.jpeg)
    return lambda frame: output.write_file(directory / output.file_name(frame), frame.jpeg)


def _copy(
    reader: FrameReader,
    write: Callable[[Frame], None],
    *,
    count: int | None,
    timeout_s: float | None,
) -> None:
    """Write frames until `count` of them are out; say why none come, once per reason."""
    said = ""
    patience_s = _MENTION_S if timeout_s is None else min(_MENTION_S, timeout_s)
    newest_s = time.monotonic()
    while count is None or reader.delivered < count:
        try:
            frame = reader.next(patience_s)
        except FrameTimeout as silence:
            if timeout_s is not None and time.monotonic() - newest_s >= timeout_s:
                raise
            if str(silence) != said:
                said = str(silence)
                output.warn(f"framebus tap: waiting: {said}")
            continue
        write(frame)
        newest_s = time.monotonic()
