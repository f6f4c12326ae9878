"""One streaming camera: two ways in, open and adopt, and one way out, close.

Getting in is one transaction; whatever fails, all that was acquired is released, in this order,
each step whatever the one before it did:

    open, QUERYCAP, S_FMT, S_PARM, S_PRIORITY, REQBUFS, QUERYBUF and mmap, QBUF, STREAMON
    STREAMOFF, munmap, REQBUFS(0), close

All methods are for the one thread that opened; other threads may use `handle.ioctl`. Nothing here
knows JPEG, sources or what to do about an error.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from linuxpy.video import raw

from capture_daemon.native.library import FastPath, Outcome
from capture_daemon.native.state import StreamState
from capture_daemon.sources.base import Interrupt, LastFrame, SourceError, SourceGone
from capture_daemon.v4l2 import fast_stream, query
from capture_daemon.v4l2.buffers import Buffers
from capture_daemon.v4l2.counting import SequenceCounter, StaleFrames
from capture_daemon.v4l2.formats import Choice, OfferedFormat
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.negotiation import NO_ROOM
from capture_daemon.v4l2.ops import DeviceOps

_UNANSWERED_NS = 2_500_000_000
"""A request that took longer was not refused but not answered, which takes 5 s to tell."""
BUFFERS = 16
"""Asked for; half a second at 30 frames a second. What the driver grants is used."""

# As plain numbers: an operation on enum.Flag is five calls, for each frame.
_TIMESTAMP_MASK = int(raw.BufferFlag.TIMESTAMP_MASK)
_TIMESTAMP_MONOTONIC = int(raw.BufferFlag.TIMESTAMP_MONOTONIC)
_ERROR = int(raw.BufferFlag.ERROR)

Chooser = Callable[[Sequence[OfferedFormat]], Sequence[Choice]]
"""From what is offered to what to ask for, best first."""


@dataclass(frozen=True, slots=True)
class Dequeued:
    """One filled buffer. `view` is valid until the session's next call."""

    view: memoryview
    captured_ns: int
    """CLOCK_MONOTONIC: the driver's timestamp where it has one, else when it was dequeued."""
    sequence: int
    faulty: bool
    stale: bool


class Session:
    """A camera that streams. Made by `open` or `adopt` only."""

    def __init__(self, handle: Handle, interrupt: Interrupt, now_ns: Callable[[], int]) -> None:
        self.handle = handle
        self.card = ""
        self.format = query.PixelFormat("", 0, 0, 0)
        self.rate: Fraction | None = None
        """Frames a second as granted; None if the driver does not say."""
        self.tried = 0
        """How many choices were not granted."""
        self.release_errors: list[SourceError] = []
        """What went wrong in `close`, for the log: device-gone is usual after an unplug."""
        self._now_ns = now_ns
        self._interrupt = interrupt
        self._choice = Choice("", 0, 0)
        self._wanted_buffers = BUFFERS
        self._stream = StreamState(interrupt=interrupt.fileno())
        self._buffers = Buffers(handle, self._stream)
        self._sequence = SequenceCounter(self._stream)
        self._stale = StaleFrames(self._stream)
        self._poll = select.poll()
        self._poll.register(interrupt.fileno(), select.POLLIN)
        self._poll.register(handle.fileno(), select.POLLIN)

    @classmethod
    def open(
        cls,
        ops: DeviceOps,
        device: str,
        choose: Chooser,
        *,
        interrupt: Interrupt,
        buffers: int = BUFFERS,
        goes_on_after: Container[str] = (NO_ROOM,),
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> Session:
        """Open the node `device` and stream in the first format of `choose` that is granted.

        One is not granted when it fails with a code of `goes_on_after`; else it fails as a whole.
        Raises SourceError; nothing is left open then.
        """
        session = cls(Handle.open(ops, device), interrupt, now_ns)
        with session._or_release():
            session._wanted_buffers = buffers
            session.card = query.identify(session.handle)
            choices = choose(query.formats(session.handle))
            session._start_first_granted(choices, goes_on_after)
        return session

    @classmethod
    def adopt(
        cls,
        ops: DeviceOps,
        fd: int,
        device: str,
        *,
        interrupt: Interrupt,
        last: LastFrame | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> Session:
        """Take over a descriptor that streams, or was about to, for a process that is gone.

        `fd` belongs to the session from here on, also on failure. Frames that waited in the buffers
        come first, with their own timestamps; the one in the dead process' hands, too, if it is
        newer than the `last` that it published. Raises SourceError; everything is released then.
        """
        session = cls(Handle(ops, fd, device), interrupt, now_ns)
        with session._or_release():
            session.card = query.identify(session.handle)
            session.format = granted = query.get_format(session.handle)
            session.rate = query.get_rate(session.handle)
            session._choice = Choice(granted.fourcc, granted.width, granted.height, session.rate)
            session._buffers.take_over(
                lambda buffer: last is not None and _stamp_ns(buffer) > last.captured_ns
            )
            if last is not None:
                session._sequence.go_on_after(last.device_sequence)
            session._wanted_buffers = session.buffers
            session._buffers.stream_on()
        return session

    @property
    def buffers(self) -> int:
        """How many buffers the driver granted."""
        return len(self._buffers)

    def dequeue(self, timeout_s: float) -> Dequeued | None:
        """Return the next filled buffer, or None after `timeout_s` seconds or an interrupt.

        Raises SourceGone when the camera is away, SourceError when the stream broke.
        """
        self._buffers.give_back()
        if found := self._buffers.found():
            return self._filled(found)
        ready = dict(self._poll.poll(max(0.0, timeout_s) * 1000))
        events = ready.get(self.handle.fileno(), 0)
        if self._interrupt.fileno() in ready or not events:
            return None
        buffer = self._buffers.dequeue()
        if buffer is None:
            self._check(events)
            return None
        return self._filled(buffer)

    def dequeue_unusual(self, fast_path: FastPath, timeout_s: float) -> Dequeued | None:
        """The same of a buffer whose frame `fast_path` did not publish by itself."""
        if self._buffers.has_found or not fast_stream.possible(fast_path, self.handle):
            return self.dequeue(timeout_s)
        outcome = fast_stream.pass_frames(fast_path, self._stream, self.handle, timeout_s)
        if outcome is Outcome.UNUSUAL:
            return self._filled(self._buffers.dequeued)
        if outcome is Outcome.NO_BUFFER:
            self._check(self._stream.events)
        return None

    def restart(self, *, full: bool = False) -> None:
        """Stop and start the stream on the same descriptor; numbers go on where they were.

        With `full`, buffers are freed and the format is negotiated anew in between. Raises
        SourceError; the descriptor is open then, and `restart` may be tried again.
        """
        if full or not self.buffers:
            for error in list(self._buffers.release()):
                raise error
            self._negotiate()
            self._start()
        else:
            self._buffers.stream_off()
            self._buffers.queue_all()
            self._stream_on()

    def close(self) -> None:
        """Release everything, whatever state it is in. Never raises; twice is harmless."""
        if self.handle.closed:
            return
        self.release_errors.extend(self._buffers.release())
        try:
            self.handle.close()
        except SourceError as error:
            self.release_errors.append(error)

    @contextmanager
    def _or_release(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _negotiate(self) -> None:
        # The rate last: S_FMT puts it back to the camera's default.
        self.format = query.set_format(self.handle, self._choice)
        self.rate = query.set_rate(self.handle, self._choice.rate)

    def _start_first_granted(
        self, choices: Sequence[Choice], goes_on_after: Container[str]
    ) -> None:
        for self.tried, self._choice in enumerate(choices):
            asked_ns = self._now_ns()
            try:
                self._negotiate()
                query.claim_priority(self.handle)
                self._start()
                return
            except SourceError as error:
                last = self.tried == len(choices) - 1
                # A camera that does not answer has said nothing against the format, and is not to
                # be asked again at once.
                unanswered = self._now_ns() - asked_ns > _UNANSWERED_NS
                if last or unanswered or error.code not in goes_on_after:
                    raise
            for failure in list(self._buffers.release()):
                raise failure

    def _start(self) -> None:
        self._buffers.allocate(self._wanted_buffers)
        self._stream_on()

    def _stream_on(self) -> None:
        self._sequence.stream_started()
        self._stale.stream_started(self._now_ns())
        self._buffers.stream_on()

    def _filled(self, buffer: raw.v4l2_buffer) -> Dequeued:
        now_ns = self._now_ns()
        captured_ns = now_ns
        flags = buffer.flags
        if flags & _TIMESTAMP_MASK == _TIMESTAMP_MONOTONIC:
            stamp_ns = _stamp_ns(buffer)
            if 0 < stamp_ns < now_ns:
                captured_ns = stamp_ns
        faulty = bool(flags & _ERROR)
        unused = faulty and not buffer.bytesused and not buffer.sequence
        return Dequeued(
            view=self._buffers.view(buffer),
            captured_ns=captured_ns,
            sequence=self._sequence.count(buffer.sequence, unused=unused),
            faulty=faulty,
            stale=self._stale.is_stale(captured_ns, now_ns),
        )

    def _check(self, events: int) -> None:
        """Sort out a poll that woke us without a buffer."""
        if events & select.POLLHUP:
            raise SourceGone(
                "device-gone",
                f"poll on {self.handle.device}: the camera was unplugged",
                remedy="plug the camera in again; it is opened by itself when it comes back",
                operation="poll",
            )
        if events & (select.POLLERR | select.POLLNVAL):
            raise SourceError(
                "stream-broken",
                f"poll on {self.handle.device}: the driver stopped the stream",
                remedy="it is started again by itself; if it keeps stopping, look at `dmesg`",
                operation="poll",
            )


def _stamp_ns(buffer: raw.v4l2_buffer) -> int:
    """Return the driver's timestamp in nanoseconds."""
    return int(buffer.timestamp.secs * 1_000_000 + buffer.timestamp.usecs) * 1000
