"""The `ffmpeg` source: whatever ffmpeg can read, turned into JPEGs by a child process.

What the text may say is arguments.py's, what becomes of it command.py's. A recording
and a generator come at their own rate, a recording again and again. JPEGs are passed on as they
are, unless a size, a rate or a filter is asked for: ffmpeg says what it reads, and is then started
anew. What else it says is not shown, but for what is known (messages.py).
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

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
from capture_daemon.sources.ffmpeg import absence, messages
from capture_daemon.sources.ffmpeg.arguments import parse
from capture_daemon.sources.ffmpeg.command import (
    command,
    copies,
    is_motion_jpeg,
    may_copy,
    plays_in_a_loop,
)
from capture_daemon.sources.pacing import checked_fps
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.splitter import JpegSplitter
from capture_daemon.sources.programs.child import Child
from capture_daemon.sources.programs.piped import PipedFrames
from capture_daemon.sources.programs.start_spacing import StartSpacing

FIRST_FRAME_S = 15.0
"""How long `open` waits for a picture: a network camera may take seconds to its first key frame."""

_SHORTEST_LOOP_S = 0.3
"""What ends sooner is no recording that one would start ffmpeg for again and again."""
_JITTER_S = 1.5  # what ffmpeg reads may be a network, and it is one more process to be scheduled

_NOT_LET_IN = re.compile(r"\b(?:401 Unauthorized|403 Forbidden)\b")
"""As ffmpeg's readers of RTSP and HTTP say it."""


@dataclass(slots=True)
class _Running:
    """What exists between open and close."""

    child: Child
    splitter: JpegSplitter = field(default_factory=JpegSplitter)
    ready: deque[bytes] = field(default_factory=deque)
    sequence: int = 0
    started_s: float = field(default_factory=time.monotonic)
    before: int = 0
    """The sequence when the child was started."""

    def goes_on_with(self, child: Child) -> None:
        """Read another child from now on."""
        self.child.close()
        self.child, self.splitter = child, JpegSplitter()
        self.started_s, self.before = time.monotonic(), self.sequence


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
        self._arguments = parse(arguments)
        self._request = request
        self._interrupt = interrupt
        self._program = program
        self._first_frame_s = first_frame_s
        self._running: _Running | None = None
        self._copyable = may_copy(self._arguments, request)
        self._copy = False
        """The input turned out to be JPEGs, which are passed on as they are."""
        self._absent: SourceError | None = None
        """What ffmpeg said of an input that is absent, and may still be."""
        self._starts = StartSpacing()
        self._piped = PipedFrames(interrupt)

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
        if self._absent is not None and absence.is_absent(self._arguments):
            raise self._absent.again()
        self._absent = None
        self._starts.check(time.monotonic())
        before_s = _spent_s()
        try:
            granted = self._open()
        except SourceError as error:
            self.close()
            if error.code != "interrupted":
                self._starts.failed(error, time.monotonic(), _spent_s() - before_s)
            if error.code == "ffmpeg-ended" and absence.is_absent(self._arguments):
                self._absent = error
            raise
        self._starts.worked()
        return granted

    def _open(self) -> Granted:
        # Until it has opened: what failed as a copy is looked at anew.
        copy, self._copy = self._copy, False
        running = self._begin(copy=copy)
        if not copy and self._copyable and is_motion_jpeg(running.child.lines()):
            self.close()
            # A camera that cannot be opened twice in a row is encoded the next time, as any other.
            self._copyable = False
            running = self._begin(copy=True)
            self._copyable = copy = True
        self._copy = copy
        width, height = jpeg.size(running.ready[0])
        copied = copies(self._arguments)  # because a person wants it
        return Granted(
            "MJPG",
            width,
            height,
            0.0 if copied else self._request.fps or 0.0,
            device=self._arguments.public,
            jitter_s=_JITTER_S,
            note="passed on as they come: no size or rate can be had with -c copy"
            if copied and self._request != Request()
            else "",
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
        return Captured(data, time.monotonic_ns(), running.sequence)

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """Return the next picture that `fast_path` did not publish by itself, or None likewise."""
        running = self._running
        if running is None or running.child.ended or running.ready or not running.splitter.empty:
            return self.read(timeout_s)
        more = self._piped.show(running.child, running.sequence, fast_path, timeout_s)
        running.sequence = self._piped.sequence
        running.ready.extend(running.splitter.feed(self._piped.taken))
        return self.read(timeout_s) if more or running.ready else None

    def close(self) -> None:
        """End ffmpeg, and wait until it is gone."""
        running, self._running = self._running, None
        if running is not None:
            running.child.close()

    def _begin(self, *, copy: bool) -> _Running:
        """Start ffmpeg and wait for its first picture. Raises SourceError."""
        self._running = running = _Running(self._start(copy=copy))
        if self._wait(running, self._first_frame_s):
            raise SourceGone("interrupted", "opening was interrupted")
        if not running.ready:
            raise SourceGone(
                "no-picture",
                f"no picture of ffmpeg:{self._arguments.public} in {self._first_frame_s:g} s",
                remedy="leave -c copy out: it is for motion JPEG only"
                if copies(self._arguments)
                else remedies.BY_MEDIUM[self._arguments.medium].no_picture,
            )
        return running

    def _start(self, *, copy: bool) -> Child:
        """Start ffmpeg. What nobody else may read goes through files without a name.

        Raises SourceError.
        """
        with ExitStack() as stack:
            files: list[int] = []

            def pass_on(script: str) -> str:
                fd = os.memfd_create("framebus")  # unlike a pipe it never blocks its writer
                stack.callback(os.close, fd)
                os.pwrite(fd, script.encode(), 0)
                files.append(fd)
                return f"pipe:{fd}"

            try:
                words = command(self._arguments, self._request, pass_on, copy=copy)
                return Child([self._program, *words], pass_on=files)
            except OSError as error:
                raise SourceError(
                    "no-process",
                    f"cannot start {self._program}: {error.strerror}",
                    errno=error.errno or 0,
                    remedy="check the limits on processes and memory",
                ) from error

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
            running.ready.extend(running.splitter.feed(running.child.read(found)))
            if running.child.ended and not running.ready:
                if self._plays_again(running):
                    continue
                raise self._ended(*running.child.exit_report())
        return False

    def _plays_again(self, running: _Running) -> bool:
        """Begin a recording anew that ffmpeg could not wind back: some formats lack that."""
        played = running.sequence > running.before
        lasted = time.monotonic() - running.started_s >= _SHORTEST_LOOP_S
        again = played and lasted and plays_in_a_loop(self._arguments)
        if not again or running.child.status() != 0:
            return False
        running.goes_on_with(self._start(copy=self._copy))
        return True

    def _ended(self, how: str, lines: Sequence[str]) -> SourceError:
        """Return what it means that ffmpeg has ended, how, and what it said at last."""
        said = messages.known(lines)
        message = f"ffmpeg:{self._arguments.public} {how}{said and ': '}{said}"
        if any(_NOT_LET_IN.search(line) for line in lines):
            # Cameras lock a user out after a few wrong passwords.
            remedy = "check the name and password in the source"
            return SourceUnusable("unauthorized", message, remedy=remedy)
        remedy = remedies.BY_MEDIUM[self._arguments.medium].no_picture
        return SourceGone("ffmpeg-ended", message, remedy=remedy)


def _spent_s() -> float:
    """Return the processor time of this process's children that have ended, seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
