"""The ring's one writer. Only the capture daemon may import this; the order is in layout.py.

It knows nothing of sockets or sources. `publish` and `set_interval` are for one thread at a time:
in the daemon two capture threads take turns, under the lock of its Switcher. `set_status` is for
the main thread, at any time: it touches other words. `close` comes after all of them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import zlib
from collections.abc import Mapping

from framebus.errors import FrameTooLarge, UsageError
from framebus.frame import FrameFlags
from framebus.names import CameraNames, segment_path
from framebus.ring import layout, leftovers, ring_file, room
from framebus.ring.announcement import Announcement
from framebus.ring.layout import DESCRIPTOR, DESCRIPTOR_WORDS, Descriptor, Geometry
from framebus.ring.predecessor import Predecessor
from framebus.ring.room import Room
from framebus.ring.segment import make
from framebus.ring.untracked import UntrackedSharedMemory
from framebus.units import byte_count_text

_log = logging.getLogger(__name__)


class RingWriter:
    """A new segment and the right to write it. Made by `create`, given up by `close`."""

    def __init__(
        self, names: CameraNames, segment: UntrackedSharedMemory, geometry: Geometry
    ) -> None:
        self._names = names
        self._segment = segment
        self.path = segment_path(segment.name)
        """The segment, as a file."""
        self.note = ""
        """Why it is smaller than it might be; empty if it is not."""
        self.geometry = geometry
        """Where everything lies in the segment."""
        self.epoch = int.from_bytes(os.urandom(8)) or 1
        self._capacity, self._largest = geometry.capacity, geometry.largest
        self._status_generation = 0
        self._bytes = segment.buf
        self._words = self._bytes.cast("Q")

    @classmethod
    def create(
        cls,
        names: CameraNames,
        *,
        capacity: int | None = None,
        predecessor: Predecessor | None = None,
        cameras: int = 1,
        frame: tuple[int, int] | None = None,
    ) -> RingWriter:
        """Make a segment with an arena of `capacity` bytes and tell of it, and of no older one.

        Without a capacity it has DEFAULT_CAPACITY, or this camera's share where `cameras` have less
        room than that for frames of `frame` pixels (room.py). `note` says so then.

        The caller holds the camera's lock. Readers of an older segment see that another one is told
        of. The frames of a `predecessor` with the same capacity are carried over, and sequences go
        on from its last. Raises UsageError for an impossible capacity, SegmentFull when shared
        memory has no room, NoPermission when it cannot be written.
        """
        if capacity is None:
            plan = room.shared(Room.look(names), cameras=cameras, frame=frame)
        else:
            _check(capacity)
            plan = room.asked(capacity, beside_predecessor=predecessor is not None, frame=frame)
        segment, geometry = make(names, plan.capacity, smallest=plan.smallest)
        writer = cls(names, segment, geometry)
        try:
            if note := plan.note(geometry.capacity):
                writer.note = note
                _log.warning("%s", note)
            writer._fill_header()
            if predecessor is not None and predecessor.ring.geometry == geometry:
                writer._go_on_from(predecessor)
            ring_file.write(names, writer.path)
        except BaseException:
            writer.close()
            raise
        leftovers.remove(names, keep=writer.path)
        return writer

    def _fill_header(self) -> None:
        words, geometry = self._words, self.geometry
        words[layout.W_EPOCH] = self.epoch
        words[layout.W_SIZE] = geometry.size
        words[layout.W_DESCRIPTORS] = layout.DESCRIPTORS_OFFSET
        words[layout.W_COUNT] = geometry.count
        words[layout.W_ARENA] = geometry.arena
        words[layout.W_CAPACITY] = geometry.capacity
        words[layout.W_PID] = os.getpid()
        words[layout.W_LINEAGE] = self.epoch
        words[layout.W_MAGIC] = layout.MAGIC
        words[layout.W_VERSION] = layout.LAYOUT_VERSION

    def _go_on_from(self, predecessor: Predecessor) -> None:
        """Take over frames, sequences and the interval, so that readers miss nothing."""
        ring, words = predecessor.ring, self._words
        ring.copy_frames(self._bytes)
        words[layout.W_LINEAGE] = ring.lineage
        words[layout.W_INTERVAL] = ring.interval_ns
        # It may have died while it wrote a frame: what that one claimed is lost.
        words[layout.W_CLAIMED] = ring.claimed
        words[layout.W_CURSOR] = ring.cursor

    @property
    def address(self) -> int:
        """Where the segment is in this process's memory, until `close`."""
        import ctypes  # which only the daemon's fast path wants

        return ctypes.addressof(ctypes.c_char.from_buffer(self._bytes))

    @property
    def cursor(self) -> int:
        """The last published sequence; 0 when there is none yet."""
        return self._words[layout.W_CURSOR]

    def publish(
        self,
        jpeg: bytes | memoryview,
        *,
        captured_ns: int,
        captured_utc_ns: int,
        device_sequence: int = 0,
        width: int = 0,
        height: int = 0,
        flags: FrameFlags = FrameFlags.NONE,
        hashed: int | None = None,
    ) -> Announcement:
        """Copy a frame into the ring and return what to announce about it.

        `hashed` is its `layout.payload_hash`, where that is known. Raises FrameTooLarge, with
        nothing changed, when it is over `geometry.largest`.
        """
        length = len(jpeg)
        capacity = self._capacity
        if length > self._largest:
            raise FrameTooLarge(
                f"a frame of {length} bytes is over the ring's limit of {self._largest}: "
                f"--ring-size {byte_count_text(layout.capacity_for(length))} takes it"
            )
        words = self._words
        position = words[layout.W_CLAIMED]
        offset = position % capacity
        if offset + length > capacity:
            position += capacity - offset
            offset = 0
        end = position + layout.round_up(length, 8)
        sequence = words[layout.W_CURSOR] + 1
        slot = sequence & (self.geometry.count - 1)
        at = layout.DESCRIPTORS_OFFSET + slot * DESCRIPTOR.size
        sequence_word = layout.DESCRIPTORS_OFFSET // 8 + slot * DESCRIPTOR_WORDS

        # 1 claim
        words[layout.W_CLAIMED] = end
        words[sequence_word] = 0

        # 2 write
        start = self.geometry.arena + offset
        self._bytes[start : start + length] = jpeg
        descriptor = Descriptor(
            sequence=sequence,
            position=position,
            length=length,
            check=layout.payload_hash(jpeg) if hashed is None else hashed,
            captured_ns=captured_ns,
            captured_utc_ns=captured_utc_ns,
            published_ns=time.monotonic_ns(),
            device_sequence=device_sequence,
            width=width,
            height=height,
            flags=int(flags),
        )
        descriptor = descriptor._replace(check=descriptor.checksum(descriptor.check))
        self._bytes[at + 8 : at + DESCRIPTOR.size] = descriptor.pack()[8:]

        # 3 publish
        words[sequence_word] = sequence
        words[layout.W_CURSOR] = sequence
        return Announcement(self.epoch, descriptor)

    def set_interval(self, interval_ns: int) -> None:
        """Tell readers the granted frame interval, nanoseconds; 0 when it is unknown."""
        self._words[layout.W_INTERVAL] = interval_ns

    def set_status(self, document: Mapping[str, object]) -> None:
        """Replace the status document that readers see.

        Raises UsageError, with nothing changed, when its JSON is over STATUS_TEXT_MAX bytes.
        """
        text = json.dumps(document, separators=(",", ":")).encode()
        if len(text) > layout.STATUS_TEXT_MAX:
            raise UsageError(f"a status of {len(text)} bytes is over {layout.STATUS_TEXT_MAX}")
        words = self._words
        self._status_generation += 2
        words[layout.W_STATUS_GENERATION] = self._status_generation - 1
        words[layout.W_STATUS_LENGTH] = len(text)
        words[layout.W_STATUS_CHECK] = zlib.crc32(text)
        self._bytes[layout.STATUS_TEXT : layout.STATUS_TEXT + len(text)] = text
        words[layout.W_STATUS_GENERATION] = self._status_generation

    def close(self, *, leave: bool = False) -> None:
        """Remove the segment and what tells of it, and unmap it. Twice is harmless.

        With `leave` both stay, for a successor to go on from.
        """
        if self._segment.fileno() < 0:
            return
        if not leave:
            ring_file.remove(self._names, self.path)
            with contextlib.suppress(FileNotFoundError):
                self._segment.unlink()
        self._words.release()
        self._segment.close()


def _check(capacity: int) -> None:
    if not layout.SMALLEST_CAPACITY <= capacity <= layout.LARGEST_CAPACITY:
        raise UsageError(
            f"a ring of {capacity} bytes is out of range: use {layout.SMALLEST_CAPACITY} "
            f"to {layout.LARGEST_CAPACITY}"
        )
