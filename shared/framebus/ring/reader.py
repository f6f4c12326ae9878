"""One reader of one segment: attach read-only, copy, then validate. The order is in layout.py.

It never waits and never writes, and being stopped or killed at any point it leaves the writer
untouched. Waiting, and moving on to the next epoch, are framebus.reader's.
"""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from framebus.errors import (
    CameraAbsent,
    FrameGone,
    NoPermission,
    OutOfResources,
    SegmentInvalid,
    refused,
)
from framebus.frame import Frame, FrameFlags
from framebus.names import CameraNames
from framebus.native_library import address_of
from framebus.ring import layout, ring_file, status
from framebus.ring.announcement import Announcement
from framebus.ring.layout import DESCRIPTOR, DESCRIPTOR_WORDS, Descriptor, Geometry
from framebus.ring.mapping import map_segment
from framebus.ring.ring_file import Mark
from framebus.trusted_files import open_trusted

UNREADABLE = (NoPermission, OutOfResources, SegmentInvalid)
"""What `RingReader.attach` raises where there is a ring."""


class RingReader:
    """A read-only view of one segment. Frames come out as private copies."""

    def __init__(self, map_: mmap.mmap, geometry: Geometry) -> None:
        self.geometry = geometry
        """Where everything lies in the segment."""
        self._capacity, self._largest = geometry.capacity, geometry.largest
        self._arena = geometry.arena
        self._map = map_
        self._bytes = memoryview(map_)
        self._words = self._bytes.cast("Q")
        self.epoch: int = self._words[layout.W_EPOCH]
        self._ring_file = ""
        self._mark: Mark | None = None

    @classmethod
    def attach(cls, names: CameraNames, *, stays: bool = False) -> RingReader:
        """Map a camera's ring; for who `stays`, all of it at once, which takes milliseconds.

        Raises CameraAbsent when there is none, NoPermission when it may not be read, Untrusted
        when somebody else could have made it (trusted_files.py), OutOfResources when no descriptor
        or no memory is left, and SegmentInvalid when it is not a whole ring of a known layout
        version.
        """
        path = names.ring_file
        ring_path = str(path)
        try:
            while True:
                path, owner, mark = ring_file.read(names)
                try:
                    ring = cls.open(path, owner, stays=stays)
                except FileNotFoundError:
                    if ring_file.mark(ring_path) in (mark, None):
                        raise  # else it was just replaced
                else:
                    ring._ring_file, ring._mark = ring_path, mark
                    return ring
        except FileNotFoundError:
            raise CameraAbsent(f"no ring at {path}: no daemon publishes this camera") from None
        except OSError as error:
            denied = isinstance(error, PermissionError)
            remedy = "join the group of its daemon" if denied else "look what lies there"
            raise refused(error, f"cannot read the ring {path}", remedy) from error

    @classmethod
    def open(cls, path: Path, owner: int, *, stays: bool = False) -> RingReader:
        """Map the segment at `path` if it belongs to the user id `owner`; it is never `replaced`.

        Raises as `attach` does, and OSError.
        """
        fd = open_trusted(path, owner)
        try:
            return cls(*map_segment(fd, path, stays=stays))
        finally:
            os.close(fd)

    @property
    def address(self) -> int:
        """Where the segment is in this process's memory, read-only, until `close`."""
        return address_of(self._map)

    @property
    def cursor(self) -> int:
        """The last published sequence; 0 when there is none yet."""
        return self._words[layout.W_CURSOR]

    @property
    def interval_ns(self) -> int:
        """The granted frame interval, nanoseconds; 0 when it is unknown."""
        interval_ns = self._words[layout.W_INTERVAL]
        return interval_ns if interval_ns <= layout.LARGEST_INTERVAL_NS else 0

    @property
    def lineage(self) -> int:
        """The same in two segments whose sequences are one count."""
        return self._words[layout.W_LINEAGE]

    @property
    def claimed(self) -> int:
        """The position up to which the writer may be overwriting."""
        return self._words[layout.W_CLAIMED]

    @property
    def replaced(self) -> bool:
        """True once another segment is told of, or none: attach again to go on.

        Not once it has lost its name: whoever may read it could give it a second one.
        """
        return ring_file.mark(self._ring_file) != self._mark

    def check_left(self) -> None:
        """Raise SegmentInvalid unless all agrees in what a dead writer left.

        For a writer that goes on from it. A status that was being written is no contradiction.
        """
        cursor, claimed = self.cursor, self.claimed
        start, count = layout.DESCRIPTORS_OFFSET // 8, self.geometry.count
        with self._words[start : start + count * DESCRIPTOR_WORDS] as table:
            sequences = table[0::DESCRIPTOR_WORDS].tolist()
            positions = table[1::DESCRIPTOR_WORDS].tolist()
        sound = max(cursor, claimed) <= layout.LARGEST_COUNT and all(
            sequence == 0
            or (sequence <= cursor and sequence % count == slot and position < claimed)
            for slot, (sequence, position) in enumerate(zip(sequences, positions, strict=True))
        )
        if not sound:
            raise SegmentInvalid("its counts of frames and of bytes disagree")
        if status.written(self._words) and not self.status():
            raise SegmentInvalid("its status is no document")

    def copy_frames(self, segment: memoryview) -> None:
        """Copy all descriptors and the arena into a segment of the same geometry.

        For a writer that goes on where a dead one ended: nothing is validated here.
        """
        start = layout.DESCRIPTORS_OFFSET
        segment[start : self.geometry.size] = self._bytes[start : self.geometry.size]

    def read(self, sequence: int) -> Frame:
        """Return a frame by its sequence; raises FrameGone when it is overwritten or unknown."""
        slot = sequence & (self.geometry.count - 1)
        word = layout.DESCRIPTORS_OFFSET // 8 + slot * DESCRIPTOR_WORDS
        if sequence < 1 or self._words[word] != sequence:  # a
            raise FrameGone(f"frame {sequence} is not in the ring")
        at = layout.DESCRIPTORS_OFFSET + slot * DESCRIPTOR.size
        packed = bytes(self._bytes[at : at + DESCRIPTOR.size])
        frame = self._frame(Descriptor.unpack(packed))
        if self._words[word] != sequence:  # d
            raise FrameGone(f"frame {sequence} was overwritten while it was read")
        return frame

    def read_announced(self, announcement: Announcement) -> Frame:
        """Return the frame of an announcement; raises FrameGone as `read` does.

        The descriptor comes from the socket, which is ordered on every machine (layout.py).
        """
        self._check_epoch(announcement)
        return self._frame(announcement.descriptor)

    def copy_announced(self, announcement: Announcement, before: bytes, after: bytes) -> bytes:
        """Return `before`, the JPEG of an announcement and `after`, as one; raises FrameGone.

        For who sends a frame on with something around it, without a second copy.
        """
        self._check_epoch(announcement)
        return self._copy(announcement.descriptor, before, after)

    def _check_epoch(self, announcement: Announcement) -> None:
        if announcement.epoch != self.epoch:
            raise FrameGone("the frame announced belongs to another epoch")

    def _copy(self, descriptor: Descriptor, before: bytes, after: bytes) -> bytes:
        capacity, largest = self._capacity, self._largest
        length = descriptor.length
        offset = descriptor.position % capacity
        if length > largest or offset + length > capacity or not descriptor.plausible:
            raise FrameGone(f"the descriptor of frame {descriptor.sequence} is being overwritten")
        start = self._arena + offset
        copied = b"".join((before, self._bytes[start : start + length], after))  # b
        claimed = self._words[layout.W_CLAIMED]
        if claimed + largest > descriptor.position + capacity:  # c
            raise FrameGone(f"frame {descriptor.sequence} is overwritten, or is next to be")
        payload = memoryview(copied)[len(before) : len(before) + length]
        if descriptor.checksum(layout.payload_hash(payload)) != descriptor.check:  # e
            raise FrameGone(f"frame {descriptor.sequence} does not match its checksum")
        return copied

    def _frame(self, descriptor: Descriptor) -> Frame:
        return Frame(
            jpeg=self._copy(descriptor, b"", b""),
            epoch=self.epoch,
            sequence=descriptor.sequence,
            device_sequence=descriptor.device_sequence,
            captured_ns=descriptor.captured_ns,
            captured_utc_ns=descriptor.captured_utc_ns,
            published_ns=descriptor.published_ns,
            width=descriptor.width,
            height=descriptor.height,
            flags=FrameFlags(descriptor.flags),
        )

    def newest(self) -> Frame | None:
        """Return the last published frame; None when nothing is published yet.

        Only a writer that fills three quarters of the arena during one copy can make it look
        again; it raises FrameGone when that happens eight times on end.
        """
        gone = FrameGone("the writer outran every attempt to read the newest frame")
        for _ in range(8):
            cursor = self.cursor
            if not cursor:
                return None
            try:
                return self.read(cursor)
            except FrameGone as error:
                gone = error
        raise gone

    def captured_ns(self, sequence: int) -> int:
        """Return when a frame was captured (CLOCK_MONOTONIC ns) without copying it.

        Not validated as a frame is: for finding one in history. Raises FrameGone.
        """
        return self._glance(sequence)[0]

    def length(self, sequence: int) -> int:
        """Return how many bytes a frame has, likewise. Raises FrameGone."""
        return min(self._glance(sequence)[1], self.geometry.largest)

    def _glance(self, sequence: int) -> tuple[int, int]:
        """Return when a frame was captured and how long it is."""
        slot = sequence & (self.geometry.count - 1)
        word = layout.DESCRIPTORS_OFFSET // 8 + slot * DESCRIPTOR_WORDS
        captured, length = self._words[word + 4], self._words[word + 2]
        position = self._words[word + 1]
        claimed = self._words[layout.W_CLAIMED]
        margin = self.geometry.largest
        overwritten = claimed + margin > position + self.geometry.capacity
        early = captured > time.monotonic_ns() + layout.EARLY_NS
        unknown = self._words[word] != sequence or sequence > layout.LARGEST_COUNT
        if unknown or overwritten or early:
            raise FrameGone(f"frame {sequence} is not in the ring")
        return captured, length

    @property
    def oldest(self) -> int:
        """The lowest sequence that can still be read; 0 when there is none."""
        low, high = max(1, self.cursor - self.geometry.count + 1), self.cursor
        if not high:
            return 0
        while low < high:  # what is readable is a suffix of what was published
            middle = (low + high) // 2
            try:
                self.captured_ns(middle)
            except FrameGone:
                low = middle + 1
            else:
                high = middle
        return low

    def status(self) -> dict[str, object]:
        """Return the daemon's last status document; empty when it has written none (status.py)."""
        return status.read(self._words, self._bytes)

    def close(self) -> None:
        """Unmap it. Twice is harmless."""
        self._words.release()
        self._bytes.release()
        self._map.close()
