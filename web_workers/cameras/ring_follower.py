"""A camera's newest frames, one after another, over all the daemons that come and go.

Joins the ring to its notifications: takes a hint's word for what is new, looks at the cursor when
there was no hint, attaches to the next epoch when the segment is replaced, and counts. It never
waits; who calls it when is the feed's.
"""

from __future__ import annotations

from collections.abc import Callable

from framebus.contract.causes import Cause
from framebus.errors import CameraAbsent, FramebusError, FrameGone
from framebus.listener import Listener, nothing
from framebus.liveness import holder
from framebus.names import CameraNames
from framebus.ring.announcement import Announcement
from framebus.ring.reader import UNREADABLE, RingReader

from web_workers.cameras.cause import explain
from web_workers.wire.multipart import Picture


class RingFollower:
    """One worker's attachment to one camera. For one thread; `close` it."""

    def __init__(
        self,
        names: CameraNames,
        *,
        opened: Callable[[int], None] = nothing,
        closing: Callable[[int], None] = nothing,
    ) -> None:
        """Attach to what is there. Its newest frame counts as not taken yet.

        `opened` is given each descriptor that tells of hints, which are then to be taken by
        `receive`; `closing` is given it before it is closed.
        """
        self.names = names
        self._listener = Listener(names, opened=opened, closing=closing)
        self._last = 0  # sequence up to which frames of this epoch are accounted for
        self._captured_ns = 0
        self.ring: RingReader | None = None
        self.lineage = 0
        """The same as long as sequences are one count; 0 without a ring."""
        self.trouble: FramebusError | None = None
        """Why there is a segment that cannot be attached to; None when it could, or is absent."""
        self.published = 0
        """Frames published since this link began, whether they were taken or not.

        One that was overwritten before it could be copied is among them: viewers have skipped it.
        """
        ring = self._current()
        if ring is not None and ring.cursor:
            self._last = ring.cursor - 1

    @property
    def interval_ns(self) -> int:
        """The frame interval that the daemon gave, nanoseconds; 0 when unknown."""
        return self.ring.interval_ns if self.ring is not None else 0

    def receive(self) -> Picture | None:
        """Return the picture of the hint that has arrived, if it is new."""
        return self._hinted(self._listener.receive())

    def take(self, data: bytes) -> Picture | None:
        """Do the same with what somebody has read where `hints` says."""
        listener = self._listener
        return self._hinted(listener.newest(listener.subscription.take(data)))

    @property
    def hints(self) -> int | None:
        """The descriptor that hints come from, if the beginning of one is what comes next."""
        client = self._listener.subscription.client
        return client.fileno() if client is not None and client.idle else None

    @property
    def last(self) -> tuple[int, int]:
        """The sequence up to which frames are accounted for, and when the last was captured."""
        return self._last, self._captured_ns

    def passed(self, sequence: int, captured_ns: int) -> None:
        """Account for frames that were taken by somebody else, up to this one."""
        self.published += sequence - self._last
        self._last, self._captured_ns = sequence, captured_ns

    def _hinted(self, hint: Announcement | None) -> Picture | None:
        if hint is None:
            return None
        ring = self.ring
        if ring is None or hint.epoch != ring.epoch:
            return self.poll()
        if hint.sequence <= self._last:
            return None
        try:
            return self._taken(Picture.announced(hint, ring))
        except FrameGone:
            return self.poll()

    def poll(self) -> Picture | None:
        """Return the newest picture, if it was not taken yet, without having been told."""
        ring = self.ring
        if ring is None or ring.cursor <= self._last:  # an old epoch is read to its end first
            ring = self._current()
        if ring is not None:
            self._listener.connect()  # the connection may have ended
        if ring is None or ring.cursor <= self._last:
            return None
        try:
            frame = ring.newest()
        except FrameGone:
            return None
        return self._taken(Picture.of(frame)) if frame is not None else None

    def cause(self) -> Cause:
        """Return why the camera gives no fresh frames; for when it does not."""
        return explain(
            self.names,
            self.ring.status() if self.ring is not None else {},
            attached=self.ring is not None and not self.ring.replaced,
            trouble=self.trouble,
            holder=lambda: holder(self.names.lock),
        )

    def close(self) -> None:
        """Unmap the ring and close the socket."""
        self._listener.close()
        if self.ring is not None:
            self.ring.close()
            self.ring, self.lineage = None, 0

    def _taken(self, picture: Picture) -> Picture | None:
        """Account for a picture; None when it is older than what was taken before it.

        A new daemon may begin with a picture that its predecessor captured (adopted buffers).
        """
        self.published += picture.sequence - self._last
        self._last = picture.sequence
        if picture.captured_ns <= self._captured_ns:
            return None
        self._captured_ns = picture.captured_ns
        return picture

    def _current(self) -> RingReader | None:
        """Return the ring as it is now, moving on to a new epoch if there is one."""
        if self.ring is not None and not self.ring.replaced:
            return self.ring
        try:
            ring = RingReader.attach(self.names, stays=True)
        except CameraAbsent:
            self.trouble = None
            return self.ring  # what is left of the old epoch stays readable
        except UNREADABLE as trouble:
            self.trouble = trouble
            return self.ring
        self.trouble = None
        lineage = ring.lineage
        if self.ring is not None:
            if lineage != self.lineage:  # it counts anew
                self.published += self.ring.cursor - self._last
                self._last = 0
            self.ring.close()
        self._listener.connect()  # the directory is whose it should be
        self.ring, self.lineage = ring, lineage
        return ring
