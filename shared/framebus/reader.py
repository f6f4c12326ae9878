"""FrameReader: the public way to a camera's frames, for OpenCV, NumPy, recorders and scripts.

    with FrameReader("camera") as reader:
        for frame in reader:
            picture = cv2.imdecode(numpy.frombuffer(frame.jpeg, numpy.uint8), cv2.IMREAD_COLOR)

It outlives the daemon: while there is none it waits, and it attaches to the next one's ring by
itself (`epochs` counts them, and the log says so). Not thread-safe: one reader a thread. After a
fork (multiprocessing's, a data loader's) parent and child each go on with their own.

A camera that rests while nobody watches (--idle-after) is woken by `next`, iteration and `latest`.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from framebus.demand import DemandLease
from framebus.errors import CameraAbsent, FrameGone, FrameTimeout, OutOfResources, SegmentInvalid
from framebus.frame import Frame
from framebus.listener import Listener, silence_s
from framebus.names import DEFAULT_CAMERA, CameraNames, check_runtime_dir, runtime_dir
from framebus.ring.announcement import Announcement
from framebus.ring.reader import RingReader

_ATTACH_EVERY_S = 0.05  # how often to look for a daemon's ring while there is none
_log = logging.getLogger(__name__)


class FrameReader:
    """Frames of one camera, each as a private copy.

    `camera` is its name; `runtime` the runtime directory, by default what the environment means.
    By default every frame returned is the newest, which suits control loops: what a slow caller
    did not come for is counted in `skipped`. With `every=True` frames come in order, none left
    out while the ring still holds them; those it no longer holds are counted in `lapped`.

    Last sequence returned - sequence of joining = delivered + skipped + lapped. Sequences go on
    over a daemon's death; after a clean end, or with another ring size, they start at 1.
    """

    def __init__(
        self, camera: str = DEFAULT_CAMERA, *, runtime: Path | None = None, every: bool = False
    ) -> None:
        """Prepare to read; waits for nothing and needs no daemon yet.

        Raises BadCameraName, and UsageError for a runtime directory that no daemon can serve in.
        """
        self._names = CameraNames(check_runtime_dir(runtime or runtime_dir()), camera)
        self._every = every
        self._demand = DemandLease(self._names)
        self._listen()
        self._ring: RingReader | None = None
        self._last = 0  # sequence returned last, in this epoch
        self._hint: Announcement | None = None
        self._shortage = ""  # why the ring could not be attached to now, though it may be soon
        self.delivered = 0
        """Frames returned by iteration and `next`."""
        self.skipped = 0
        """Frames passed over because a newer one was there."""
        self.lapped = 0
        """Frames overwritten, or gone with their ring, before they could be read."""
        self.epochs = 0
        """Rings attached to so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames for ever, waiting for each."""
        while True:
            yield self.next()

    def next(self, timeout_s: float | None = None) -> Frame:
        """Wait for a frame that was not returned yet, and return it.

        Raises FrameTimeout after `timeout_s` seconds; None waits for ever, also while there is no
        descriptor or memory to attach with, which the log tells. NoPermission and SegmentInvalid
        (another framebus version's ring) are raised at once: waiting mends neither.
        """
        if (
            self._pid != os.getpid()
        ):  # what is read of a socket from before a fork, the parent lacks
            self._listener.close()
            self._listen()
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while True:
            frame = self._take()
            self._demand.renew(self._ring)
            if frame is not None:
                return frame
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise FrameTimeout(
                    f"no new frame of {self._names.camera!r} within {timeout_s:.3g} s: "
                    f"{self._why_none()}"
                )
            if self._ring is None:
                time.sleep(min(left_s, _ATTACH_EVERY_S))
            else:
                self._hint = self._listener.wait(min(left_s, silence_s(self._ring.interval_ns)))

    def latest(self) -> Frame:
        """Return the newest frame at once, whether it was returned before or not.

        Its `age_s` tells whether the camera still delivers. Raises CameraAbsent when there is no
        daemon, or it has published nothing yet, and OutOfResources. Does not count and does not
        move the iteration.
        """
        ring = self._attached()
        self._demand.renew(ring)
        frame = ring.newest() if ring else None
        if frame is None:
            raise CameraAbsent(f"no frame of {self._names.camera!r}: {self._why_none()}")
        return frame

    def at(self, sequence: int) -> Frame:
        """Return a frame of this epoch by its sequence.

        Raises FrameGone, CameraAbsent and OutOfResources.
        """
        ring = self._attached()
        if ring is None:
            raise CameraAbsent(f"no ring of {self._names.camera!r}: {self._why_none()}")
        return ring.read(sequence)

    def history(self, seconds: float) -> list[Frame]:
        """Return the frames captured in the last `seconds`, oldest first.

        As far back as the ring reaches; an empty list without a daemon.
        """
        ring = self._attached()
        if ring is None:
            return []
        since_ns = time.monotonic_ns() - round(seconds * 1e9)
        frames: list[Frame] = []
        for sequence in range(ring.cursor, 0, -1):
            try:
                if ring.captured_ns(sequence) < since_ns:
                    break
                frames.append(ring.read(sequence))
            except FrameGone:
                break
        frames.reverse()
        return frames

    @property
    def interval_s(self) -> float:
        """The frame interval that the daemon tells, seconds; 0 while it is unknown."""
        ring = self._attached()
        return ring.interval_ns / 1e9 if ring else 0.0

    def status(self) -> dict[str, object]:
        """Return the daemon's last status document (docs/control.md); empty without a daemon."""
        ring = self._attached()
        return ring.status() if ring else {}

    def close(self) -> None:
        """Detach and close everything. Twice is harmless."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        self._demand.close()
        self._listener.close()

    def _listen(self) -> None:
        self._pid = os.getpid()
        self._listener = Listener(self._names)

    def _attached(self) -> RingReader | None:
        """Return the present ring, moving on to a new epoch if there is one."""
        if self._ring is not None and not self._ring.replaced:
            return self._ring
        try:
            ring = RingReader.attach(self._names, stays=True)
        except CameraAbsent:
            return self._ring  # what is left of the old epoch can still be read
        except SegmentInvalid:
            if self._ring is None:
                raise
            return self._ring
        if self._ring is None:  # the first epoch is joined at its newest frame
            self._last = max(0, ring.cursor - 1)
        else:
            # A later one from its beginning, unless it goes on with the numbers that we know.
            if ring.lineage != self._ring.lineage:
                self.lapped += max(0, self._ring.cursor - self._last)  # `latest` did not wait
                self._last = 0
            self._ring.close()
        self._listener.connect()  # the directory is whose it should be
        self._ring, self.epochs = ring, self.epochs + 1
        _log.info(
            "attached to ring %d of camera %s, epoch %016x",
            self.epochs,
            self._names.camera,
            ring.epoch,
        )
        return ring

    def _take(self) -> Frame | None:
        """Return the next frame by this reader's policy if it is there."""
        ring = self._ring
        if ring is None or ring.cursor <= self._last:  # an old epoch is read to its end first
            try:
                ring = self._attached()
                self._shortage = ""
            except OutOfResources as shortage:
                if not self._shortage:
                    _log.warning("%s; trying again", shortage)
                self._shortage = str(shortage)
        if ring is None:
            return None
        while (cursor := ring.cursor) > self._last:
            wanted = self._last + 1 if self._every else cursor
            try:
                frame = self._read(ring, wanted)
            except FrameGone:
                # Lapped: what the ring can no longer give is lost, and the newest comes next.
                lost_to = max(wanted, ring.cursor - 1)
                self.lapped += lost_to - self._last
                self._last = lost_to
                continue
            self.skipped += wanted - 1 - self._last
            self.delivered += 1
            self._last = wanted
            return frame
        return None

    def _read(self, ring: RingReader, sequence: int) -> Frame:
        hint = self._hint
        if hint is not None and hint.sequence == sequence and hint.epoch == ring.epoch:
            return ring.read_announced(hint)
        return ring.read(sequence)

    def _why_none(self) -> str:
        if self._shortage:
            return self._shortage
        if self._ring is None:
            return f"no daemon serves it in {self._names.runtime}; start one with `framebus up`"
        status = self._ring.status()
        cause = status.get("cause")
        if isinstance(cause, dict):
            remedy = f" ({cause['remedy']})" if cause.get("remedy") else ""
            return f"{cause.get('message', 'the daemon names no cause')}{remedy}"
        return f"the daemon's state is {status.get('state', 'unknown')}"
