"""The `ffmpeg` source: whatever ffmpeg can read, turned into JPEGs by a child process.

    ffmpeg:rtsp://camera.local/main          a URL, or a path: read as fast as it plays, in a loop
    ffmpeg:-f lavfi -re -i testsrc2          anything with -i: ffmpeg's own arguments, as in a shell

Arguments of one's own are used as they are; a file or a generator then needs -re, or it comes as
fast as it decodes. There is no shell: the text is split into words and nothing more.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import time
from collections import deque
from dataclasses import dataclass, field

from capture_daemon.sources import jpeg
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceError,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.child import Child
from capture_daemon.sources.pacing import checked_fps
from capture_daemon.sources.redact import redact
from capture_daemon.sources.splitter import JpegSplitter

FIRST_FRAME_S = 15.0
"""How long `open` waits for a picture: a network camera may take seconds to its first key frame."""

_QUALITY = "4"
_JITTER_S = 1.5  # what ffmpeg reads may be a network, and it is one more process to be scheduled
"""ffmpeg's scale from 2 (best) to 31; 4 is near 90 of libjpeg's."""

_NOT_LET_IN = re.compile(r"\b(?:401 Unauthorized|403 Forbidden)\b")
"""As ffmpeg's readers of RTSP and HTTP say it."""
_OWN_MAPS = frozenset({"-map", "-filter_complex", "-lavfi"})
"""Arguments that choose the output's stream themselves."""
_OWN_RATES = frozenset({"-r", "-vsync", "-fps_mode"})
"""Arguments that choose the output's rate themselves."""
_OWN_FILTERS = ("-vf", "-lavfi", "-filter")
"""How arguments begin that filter the output themselves."""
_FINE_TIMES = ("-enc_time_base", "1:1000000")
_RISING_TIMES = (
    "-vf",
    r"settb=AVTB,setpts=if(isnan(PREV_OUTPTS)\,PTS\,max(PTS\,PREV_OUTPTS+1))",
)
"""Two frames at one time end ffmpeg: its MJPEG encoder refuses the second. It counts in units of a
nominal frame, so a network camera's jitter is enough; and some inputs have no finer times."""


@dataclass(slots=True)
class _Running:
    """What exists between open and close."""

    child: Child
    splitter: JpegSplitter = field(default_factory=JpegSplitter)
    ready: deque[bytes] = field(default_factory=deque)
    sequence: int = 0


class FfmpegSource:
    """Runs ffmpeg and reads its pipe."""

    def __init__(
        self,
        arguments: str,
        request: Request,
        interrupt: Interrupt,
        *,
        program: str = "ffmpeg",
        first_frame_s: float = FIRST_FRAME_S,
    ) -> None:
        self._arguments = arguments
        self._request = request
        self._interrupt = interrupt
        self._program = program
        self._first_frame_s = first_frame_s
        self._running: _Running | None = None

    def open(self) -> Granted:
        """Start ffmpeg and wait for the first picture.

        Raises:
            SourceUnusable: there is no ffmpeg.
            SourceGone: it ended, showed nothing in time, or the wait was interrupted.
        """
        self.close()
        if shutil.which(self._program) is None:
            raise SourceUnusable(
                "no-ffmpeg",
                f"the program {self._program} is not installed",
                remedy="apt install ffmpeg",
            )
        checked_fps(self._request.fps, 1.0)
        try:
            child = Child([self._program, *arguments(self._arguments, self._request)])
        except OSError as error:
            raise SourceError(
                "no-process",
                f"cannot start {self._program}: {error.strerror}",
                errno=error.errno or 0,
                remedy="check the limits on processes and memory",
            ) from error
        self._running = running = _Running(child)
        try:
            self._await_first(running)
        except SourceError:
            self.close()
            raise
        width, height = jpeg.size(running.ready[0])
        device = redact(self._arguments)
        return Granted(
            "MJPG", width, height, self._request.fps or 0.0, device=device, jitter_s=_JITTER_S
        )

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next picture. Raises SourceGone: ffmpeg ended; its last words say why."""
        running = self._running
        if running is None:
            raise SourceGone("not-open", "ffmpeg is not running", remedy="open it first")
        if not running.ready:
            self._wait(running, timeout_s)
        if not running.ready:
            return None
        data = running.ready.popleft()
        running.sequence += 1
        width, height = jpeg.size(data)
        return Captured(data, time.monotonic_ns(), running.sequence, width=width, height=height)

    def close(self) -> None:
        """End ffmpeg, and wait until it is gone."""
        running, self._running = self._running, None
        if running is not None:
            running.child.close()

    def _await_first(self, running: _Running) -> None:
        if self._wait(running, self._first_frame_s):
            raise SourceGone("interrupted", "opening was interrupted")
        if not running.ready:
            raise SourceGone(
                "no-picture",
                f"no picture of {redact(self._arguments)} in {self._first_frame_s:g} s",
                remedy="try the same input with ffplay",
            )

    def _wait(self, running: _Running, timeout_s: float) -> bool:
        """Read until there is a picture or `timeout_s` is over; True when interrupted."""
        deadline = time.monotonic() + timeout_s
        while not running.ready:
            remaining_s = deadline - time.monotonic()
            found = self._interrupt.wait(remaining_s, *running.child.descriptors)
            if self._interrupt.fileno() in found:
                return True
            if not found:
                return False
            running.ready.extend(running.splitter.feed(running.child.read()))
            if running.child.ended and not running.ready:
                raise _ended(redact(running.child.obituary()))
        return False


def _ended(said: str) -> SourceError:
    """Return what it means that ffmpeg has ended and what it said at last."""
    if _NOT_LET_IN.search(said):
        # Cameras lock a user out after a few wrong passwords.
        remedy = "check the name and password in the source"
        return SourceUnusable("unauthorized", f"ffmpeg {said}", remedy=remedy)
    return SourceGone("ffmpeg-ended", f"ffmpeg {said}", remedy="try the same input with ffplay")


def arguments(text: str, request: Request) -> list[str]:
    """Return ffmpeg's arguments for the source `text`: the input, then MJPEG on standard output."""
    words = shlex.split(text)
    if "-i" in words:
        given = words
    elif os.path.isfile(path := os.path.expanduser(text)):
        given = ["-re", "-stream_loop", "-1", "-i", f"file:{path}"]
    else:
        given = ["-i", text]
    rate: tuple[str, ...] = ()
    if request.fps is not None:
        rate = ("-r", f"{request.fps:g}")
    elif not _OWN_RATES.intersection(given):
        # Each frame as it comes: a steady rate would hold each back until the next is there.
        rate = ("-fps_mode", "passthrough", *_FINE_TIMES)
        if not any(word.startswith(_OWN_FILTERS) for word in given):
            rate += _RISING_TIMES
    size = (
        ()
        if request.width is None or request.height is None
        else ("-s", f"{request.width}x{request.height}")
    )
    mapped = () if _OWN_MAPS.intersection(given) else ("-map", "0:v:0")
    return [
        *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"),
        *(*given, *mapped, *rate, *size),
        # An encoder of several threads holds a frame back for each of them; this one keeps up.
        *("-c:v", "mjpeg", "-threads", "1", "-q:v", _QUALITY, "-pix_fmt", "yuvj420p"),
        *("-f", "mjpeg", "pipe:1"),
    ]
