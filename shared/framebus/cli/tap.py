"""`framebus tap`: a camera's frames to standard output or to files, until told to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import click

from framebus.cli import choice
from framebus.errors import CameraAbsent, FrameTimeout
from framebus.frame import Frame
from framebus.invocation import output, typed
from framebus.names import CameraNames
from framebus.options import flags
from framebus.reader import FrameReader

_WORDS = ("tap",)
_MENTION_S = 2.0  # seconds without a frame after which a person is told why

_HELP = """Write a camera's frames to standard output, or each to a file.

\b
  framebus tap | ffplay -f mjpeg -
  framebus tap --count 300 > ten-seconds.mjpeg
  framebus tap --output-dir pictures --every --count 100

Without --every it takes the newest frame each time, so a slow reader sees the present. Counts go
to standard error at the end: skipped ones made way for a newer frame, lapped ones were overwritten
before they could be read. While the camera is away it waits, as long as --timeout allows.

Exit codes: 0 done, by --count, a closed pipe, Ctrl-C or SIGTERM, 64 wrong usage, 69 no such
camera within --timeout, 74 output failed, 75 no frame within --timeout, 77 no permission.
"""


@click.command(help=_HELP)
@choice.option
@flags.own(
    "tap",
    "--output-dir",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Write one JPEG a file, named by capture time (UTC) and sequence.",
)
@flags.own("tap", "--count", type=click.IntRange(min=1), metavar="N", help="End after N frames.")
@flags.own("tap", "--every", is_flag=True, help="Leave no frame out while the ring still holds it.")
@flags.own(
    "tap",
    "--timeout",
    type=flags.Seconds(),
    metavar="SECONDS",
    help="End with an error when no frame comes for so long. [default: wait for ever]",
)
def tap(
    name: str | None,
    output_dir: Path | None,
    count: int | None,
    every: bool,
    timeout: float | None,
) -> None:
    """Copy frames until --count, Ctrl-C, SIGTERM or a closed pipe; `_HELP` is for people."""
    if output_dir is None:
        output.refuse_terminal("pipe it (`framebus tap | ffplay -f mjpeg -`) or give --output-dir")
    else:
        output.check_directory(output_dir)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    write, waiting = _writer(output_dir), _Waiting(name, timeout)
    camera: CameraNames | None = choice.choose(name, _WORDS)
    while camera is not None:
        camera = _tap(camera, write, waiting, count=count, every=every)


def _tap(
    camera: CameraNames,
    write: Callable[[Frame], None],
    waiting: _Waiting,
    *,
    count: int | None,
    every: bool,
) -> CameraNames | None:
    """Copy one camera's frames; return another camera if none was named and that one runs."""
    instead = None
    with FrameReader(camera.camera, runtime=camera.runtime, every=every) as reader:
        try:
            while instead is None and (count is None or reader.delivered < count):
                try:
                    frame = reader.next(waiting.step_s)
                except FrameTimeout as silence:
                    instead = None if reader.epochs else waiting.other(camera)
                    if instead is None:
                        waiting.none_came(camera, silence)
                else:
                    write(frame)
                    waiting.frame_came()
        except (BrokenPipeError, KeyboardInterrupt):
            pass
        finally:
            if instead is None:
                click.echo(
                    f"framebus tap: {reader.delivered} delivered, {reader.skipped} skipped, "
                    f"{reader.lapped} lapped",
                    err=True,
                )
    return instead


class _Waiting:
    """How long frames are waited for, and what is said meanwhile: once for each reason."""

    def __init__(self, name: str | None, timeout_s: float | None) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._said = ""
        self._newest_s = time.monotonic()

    @property
    def step_s(self) -> float:
        """Seconds to wait before it is time to say something, or to give up."""
        return _MENTION_S if self._timeout_s is None else min(_MENTION_S, self._timeout_s)

    def frame_came(self) -> None:
        """Begin to wait anew."""
        self._newest_s = time.monotonic()

    def none_came(self, camera: CameraNames, silence: FrameTimeout) -> None:
        """Say why. Raises CameraAbsent when the time is up without a daemon, else `silence`."""
        absent = choice.absence(camera, self._name, _WORDS)
        reason = absent or typed.for_camera(str(silence), self._name)
        if self._timeout_s is not None and time.monotonic() - self._newest_s >= self._timeout_s:
            raise (CameraAbsent if absent else FrameTimeout)(reason) from silence
        if reason != self._said:
            self._said = reason
            click.echo(f"framebus tap: waiting: {typed.remedies(reason)}", err=True)

    def other(self, camera: CameraNames) -> CameraNames | None:
        """Return the camera that runs instead of one that nobody has named."""
        chosen = camera if self._name else choice.choose(None, _WORDS)
        return None if chosen == camera else chosen


def _writer(directory: Path | None) -> Callable[[Frame], None]:
    """Return what writes one frame."""
    if directory is None:
        return lambda frame: output.write_stdout(frame.jpeg)
    return lambda frame: output.write_file(directory / output.file_name(frame), frame.jpeg)
