"""Runs rpicam-vid and reads the JPEGs from its pipe.

How it behaves was read in its source (raspberrypi/rpicam-apps: apps/rpicam_vid.cpp,
output/file_output.cpp, encoder/mjpeg_encoder.cpp): it says what is wrong on standard error and ends
with 255; without --flush the end of a picture waits in its buffer for the next one; when the camera
stops it says so, tries again for ever, and does not end; it ends on SIGTERM.
"""

from __future__ import annotations

import re
import resource
import shutil
import time
from collections import deque
from collections.abc import Sequence

from framebus.contract.causes import SourceCode

from capture_daemon.native.library import FastPath
from capture_daemon.sources import remedies
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceError,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.pacing import checked_fps
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.splitter import JpegSplitter
from capture_daemon.sources.programs.child import Child
from capture_daemon.sources.programs.piped import PipedFrames
from capture_daemon.sources.programs.start_spacing import StartSpacing
from capture_daemon.sources.rpicam.arguments import parse

PROGRAMS = ("rpicam-vid", "libcamera-vid")
"""The second is what it was called until 2023."""
FIRST_FRAME_S = 15.0
"""How long `open` waits for a picture: libcamera looks for cameras and loads a tuning first."""

_JITTER_S = 1.5  # one more process to be scheduled, and it encodes by software
_SAID = re.compile(r"ERROR: \*\*\* (.{1,200}) \*\*\*")
"""How it says what ends it."""
_STALLED = "Device timeout detected"
_ABSENT = "no cameras available"
_NOT_THAT_ONE = "selected camera is not available"
_HELD = "failed to acquire camera"
_CABLE = (
    "switch the board off and check the ribbon cable; `rpicam-hello --list-cameras` shows what is "
    "found"
)
_REMEDIES = {
    _ABSENT: _CABLE,
    _NOT_THAT_ONE: "`rpicam-hello --list-cameras` shows which numbers --camera may have",
    _HELD: "another program has the camera: `ps -e | grep -e rpicam -e libcamera` may show which",
    _STALLED: _CABLE,
}


def program() -> str:
    """Return the program that is here, its newest name first; empty if there is none."""
    return next((name for name in PROGRAMS if shutil.which(name)), "")


class RpicamSource:
    """One run of rpicam-vid between open and close."""

    def __init__(
        self,
        arguments: str,
        request: Request,
        interrupt: Interrupt,
        *,
        first_frame_s: float = FIRST_FRAME_S,
    ) -> None:
        self._arguments = parse(arguments)
        self._request = request
        self._interrupt = interrupt
        self._first_frame_s = first_frame_s
        self._child: Child | None = None
        self._splitter = JpegSplitter()
        self._ready: deque[bytes] = deque()
        self._sequence = 0
        self._starts = StartSpacing()
        self._piped = PipedFrames(interrupt)

    def open(self) -> Granted:
        """Start it and wait for the first picture.

        Raises:
            SourceUnusable: it is not installed.
            SourceGone: it ended, showed nothing in time, or the wait was interrupted.
        """
        self.close()
        name = program()
        if not name:
            raise SourceUnusable(
                "no-rpicam",
                f"the program {PROGRAMS[0]} is not installed",
                remedy="on Raspberry Pi OS: `sudo apt install rpicam-apps`",
            )
        checked_fps(self._request.fps, 1.0)
        self._starts.check(time.monotonic())
        before_s = _spent_s()
        try:
            width, height = self._begin([name, *self._words()])
        except SourceError as error:
            self.close()
            if error.code != "interrupted":
                self._starts.failed(error, time.monotonic(), _spent_s() - before_s)
            raise
        self._starts.worked()
        fps = self._request.fps or 0.0
        return Granted("MJPG", width, height, fps, device="CSI camera", jitter_s=_JITTER_S)

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next picture. Raises SourceGone: the program ended, and said why."""
        child = self._child
        if child is None:
            raise SourceGone("not-open", "rpicam-vid is not running", remedy="open it first")
        if not self._ready:
            self._wait(child, timeout_s)
        if not self._ready:
            return None
        self._sequence += 1
        return Captured(self._ready.popleft(), time.monotonic_ns(), self._sequence)

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """Return the next picture that `fast_path` did not publish by itself, or None likewise."""
        child = self._child
        if child is None or child.ended or self._ready or not self._splitter.empty:
            return self.read(timeout_s)
        more = self._piped.show(child, self._sequence, fast_path, timeout_s)
        self._sequence = self._piped.sequence
        self._ready.extend(self._splitter.feed(self._piped.taken))
        return self.read(timeout_s) if more or self._ready else None

    def close(self) -> None:
        """End it, and wait until it is gone: it has the camera."""
        child, self._child = self._child, None
        self._ready.clear()
        if child is not None:
            child.close()

    def _words(self) -> list[str]:
        words = ["--codec", "mjpeg", "--output", "-", "--timeout", "0", "--nopreview", "--flush"]
        request = self._request
        if request.width is not None and request.height is not None:
            words += ["--width", str(request.width), "--height", str(request.height)]
        if request.fps is not None:
            words += ["--framerate", f"{request.fps:g}"]
        return [*words, *self._arguments]

    def _begin(self, words: Sequence[str]) -> tuple[int, int]:
        """Start it and wait for its first picture; return that one's size. Raises SourceError."""
        self._splitter, self._sequence = JpegSplitter(), 0
        try:
            child = self._child = Child(words)
        except OSError as error:
            raise SourceError(
                "no-process",
                f"cannot start {words[0]}: {error.strerror}",
                errno=error.errno or 0,
                remedy="check the limits on processes and memory",
            ) from error
        if self._wait(child, self._first_frame_s):
            raise SourceGone("interrupted", "opening was interrupted")
        if not self._ready:
            stalled = any(_STALLED in line for line in child.lines())
            raise SourceGone(
                "no-picture",
                f"no picture of {words[0]} in {self._first_frame_s:g} s"
                + (f": {_STALLED}" if stalled else ""),
                remedy=_CABLE if stalled else remedies.BY_MEDIUM[remedies.Medium.DEVICE].silent,
            )
        return jpeg.size(self._ready[0])

    def _wait(self, child: Child, timeout_s: float) -> bool:
        """Read until there is a picture or `timeout_s` is over; True when interrupted."""
        deadline = time.monotonic() + timeout_s
        while not self._ready:
            found = self._interrupt.wait(deadline - time.monotonic(), *child.descriptors)
            if self._interrupt.fileno() in found:
                return True
            if not found:
                return False
            self._ready.extend(self._splitter.feed(child.read(found)))
            if child.ended and not self._ready:
                raise _ended(*child.exit_report())
        return False


def _ended(how: str, lines: Sequence[str]) -> SourceError:
    """Return what it means that the program has ended, how, and what it said at last."""
    said = [found[1] for line in lines if (found := _SAID.search(line))]
    why = said[-1] if said else ""
    remedy = next((text for known, text in _REMEDIES.items() if known in why), "")
    message = f"rpicam-vid {how}{why and ': '}{why}"
    code: SourceCode = "rpicam-ended"
    if _ABSENT in why:
        code = "device-absent"
    elif _HELD in why:
        code = "device-busy"
    return SourceGone(code, message, remedy=remedy or "`rpicam-hello` by hand says more of it")


def _spent_s() -> float:
    """Return the processor time of this process's children that have ended, seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
