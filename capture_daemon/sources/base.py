"""The protocol behind which every source stands, and the errors it may raise.

A source is driven by one thread, the capture thread, which may block in it for seconds (an ioctl
that the camera does not answer); the daemon's main thread never calls it. The only thing another
thread may do is `Interrupt.set()`.

    source = build(spec, request, interrupt)
    granted = source.open()
    while wanted:
        captured = source.read(timeout_s)      # None: nothing yet, or interrupted
    source.close()                             # at any point, and twice, is safe
"""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, Self, runtime_checkable

from framebus.contract.causes import CaptureCode, InnerCode, SourceCode
from framebus.contract.documents import GrantedDocument, RequestedDocument
from framebus.contract.words import Rejection
from framebus.frame import FrameFlags
from framebus.wakeup import Wakeup

from capture_daemon.native.library import FastPath


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for; None leaves it to the source. Never changed by what is granted."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Pixels; None where nobody asked for some."""
        return (self.width, self.height) if self.width and self.height else None

    def document(self) -> RequestedDocument:
        """Return it as the status document has it."""
        return {"width": self.width, "height": self.height, "fps": self.fps}


@dataclass(frozen=True, slots=True)
class Granted:
    """What a source gave, which may differ from what was requested."""

    fourcc: str
    """As V4L2 spells it: "MJPG", "YUYV"."""
    width: int
    """Pixels; 0 until the first frame tells."""
    height: int
    fps: float
    """Frames a second by the source's own word; 0 if it does not say."""
    device: str = ""
    """What was opened, for people: "/dev/video0 (HD Webcam)", a URL without its password."""
    jitter_s: float = 0.3
    """How late a frame may be, beyond its interval, without anything being wrong: a driver's is
    small, a network's or a child process's is not."""
    first_frame_timeout_s: float = 0.0
    """How long the first frame may take, at least, and three times that a later one until the
    stream has proved itself: a camera behind a network may be slow, and what was waited for in vain
    is waited for longer the next time."""
    note: str = ""
    """What a person should know of it: that less was granted than the camera offers, and why."""
    adopted: bool = False
    """The stream was running already, so its start says nothing of the source."""

    def document(self) -> GrantedDocument:
        """Return it as the status document has it: what is not known is null there."""
        return {
            "fourcc": self.fourcc,
            "width": self.width or None,
            "height": self.height or None,
            "fps": self.fps or None,
        }


NOTHING_GRANTED = Granted("", 0, 0, 0.0)
"""What stands for a grant before there is one."""


class Captured(NamedTuple):
    """One picture as it came from the source, not yet validated.

    `data` may be a view of a buffer that the source owns: it is valid only until the next call of
    any of the source's methods.
    """

    data: memoryview | bytes
    captured_ns: int
    """CLOCK_MONOTONIC nanoseconds."""
    device_sequence: int
    """Counts the source's frames, dropped ones included; gaps are frames lost before us.

    Never decreases while the source is open; a buffer that the driver gave back unused repeats the
    number before it.
    """
    faulty: bool = False
    """The driver marked it as damaged (V4L2_BUF_FLAG_ERROR)."""
    flags: FrameFlags = FrameFlags.NONE
    width: int = 0
    """Pixels where the source knows them per frame, else 0: the granted size holds."""
    height: int = 0
    reject: Rejection | Literal[""] = ""
    """Why the source itself knows that this picture must not be published: "stale" (it waited in
    the kernel while this process slept), "encode-failed"; empty when nothing is known against it.
    """


class SourceError(Exception):
    """A source failed. `code` is a stable word for programs, `remedy` a sentence for people.

    `operation` is the system call that failed, where one did ("S_FMT", "open"), and `errno` what it
    gave.
    """

    permanent = False
    """True when trying again unchanged cannot help (a wrong option, a missing program)."""

    def __init__(
        self,
        code: SourceCode | InnerCode | CaptureCode,
        message: str,
        *,
        remedy: str = "",
        errno: int = 0,
        operation: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.errno = errno
        self.operation = operation

    def again(self) -> Self:
        """Return it to be raised once more: a traceback would grow with each time that it is."""
        return self.with_traceback(None)


class SourceUnusable(SourceError):
    """Trying again unchanged cannot help: a person must mend something first."""

    permanent = True


class SourceGone(SourceError):
    """The device, child or connection behind an open source is gone."""


class Source(Protocol):
    """Anything that yields JPEG frames (or raw ones that it encodes itself)."""

    def open(self) -> Granted:
        """Acquire everything and start the flow; on failure release all and raise SourceError."""

    def read(self, timeout_s: float) -> Captured | None:
        """Return the next picture, or None after `timeout_s` seconds or an interrupt.

        Raises SourceError when no more pictures can come without a new `open`.
        """

    def close(self) -> None:
        """Release everything, whatever state it is in. Never raises; twice is harmless."""


@runtime_checkable
class PassesFrames(Protocol):
    """A source whose usual frames take the fast path into the ring, past Python."""

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """As `read`, but return only a picture that the fast path did not publish."""


@runtime_checkable
class Restartable(Protocol):
    """A source that can restart its stream without letting go of the device (rung 2)."""

    def restart_stream(self) -> None:
        """Stop and start the flow on what is open. Raises SourceError."""


@runtime_checkable
class MakesPictures(Protocol):
    """A source that encodes its frames itself, which it need not do where nobody wants them."""

    unwanted: Callable[[int], bool]
    """Tell of a frame captured at a time (CLOCK_MONOTONIC nanoseconds) whether it is to be given
    without its picture, and rejected as "unwatched"."""


@runtime_checkable
class RemembersRefusals(Protocol):
    """A source that remembers what its device refused, and then asks for less."""

    def forget_refusals(self) -> None:
        """The device begins anew: it is asked for all again."""


@dataclass(frozen=True, slots=True)
class LastFrame:
    """The last frame that an earlier daemon published."""

    captured_ns: int
    """CLOCK_MONOTONIC nanoseconds."""
    device_sequence: int


@runtime_checkable
class Adoptable(Protocol):
    """A source whose open device can outlive this process, as a copy of its descriptor."""

    def fileno(self) -> int:
        """Return the streaming descriptor; -1 when not open."""

    def adopt(self, fd: int, last: LastFrame | None = None) -> Granted:
        """Open by going on with a descriptor that streams; closes it and raises SourceError."""


@runtime_checkable
class Adjustable(Protocol):
    """A source whose device tells what it offers and can be adjusted while it streams.

    The device thread calls these, while the capture thread reads or closes; a call after `close`
    raises SourceError. They may block for seconds. All are JSON values, described in
    docs/control.md.
    """

    def formats(self) -> list[dict[str, object]]:
        """Return the formats with their frame sizes and rates. Raises SourceError."""

    def controls(self) -> list[dict[str, object]]:
        """Return the controls with their ranges and values. Raises SourceError."""

    def set_controls(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """Set controls by name; return the values that they have now.

        Raises UsageError (nothing was changed) and SourceError.
        """


class Interrupt(Wakeup):
    """Wakes a source's `read` from another thread: put it in the same poll as the source's own.

    One thread waits, the one that reads the source.
    """

    def __init__(self) -> None:
        super().__init__()
        self._alone = select.poll()
        self._alone.register(self.fileno(), select.POLLIN)
        self._others: tuple[tuple[int, ...], int] = (), 0
        self._poller = self._alone
        """Of what was waited for last, which is what will be waited for next."""

    def sleep(self, timeout_s: float) -> bool:
        """Wait for `timeout_s` seconds; True when the interrupt is set before that."""
        return bool(self._alone.poll(timeout_s * 1000 if timeout_s > 0 else 0))

    def wait(
        self, timeout_s: float, *others: int, events: int = select.POLLIN | select.POLLPRI
    ) -> frozenset[int]:
        """Wait for the interrupt or for one of `others` to have one of `events`, or to hang up.

        Returns the ready descriptors, an empty set after `timeout_s` seconds.
        """
        if self._others != (others, events):
            self._poller = select.poll()
            self._poller.register(self.fileno(), select.POLLIN)
            for fd in others:
                self._poller.register(fd, events)
            self._others = others, events
        ready = self._poller.poll(timeout_s * 1000 if timeout_s > 0 else 0)
        return frozenset(fd for fd, _ in ready)
