"""The ring's one writer. Only the capture daemon may import this; the order is in layout.py.

It knows nothing of sockets or sources. All methods but `set_status` belong to one thread (the
capture thread); `set_status` to one thread (the main thread): they touch different words.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import secrets
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from framebus.errors import FrameTooLarge, NoPermission, SegmentFull, UsageError
from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.announcement import Announcement
from framebus.ring.layout import DESCRIPTOR, DESCRIPTOR_WORDS, Descriptor, Geometry
from framebus.ring.predecessor import Predecessor
from framebus.ring.segment import allocate
from framebus.units import byte_count_text

_SMALLEST_SUBSTITUTE = 4 * 1024 * 1024
_log = logging.getLogger(__name__)


class RingWriter:
    """A new segment and the right to write it. Made by `create`, given up by `close`."""

    def __init__(self, *, path: Path, fd: int, geometry: Geometry, epoch: int) -> None:
        self._path = path
        self._fd = fd
        self._geometry = geometry
        self.epoch = epoch
        self.cursor = 0
        self._tail = 0  # position where the next frame may start
        self._status_generation = 0
        # Now, not with each page of each frame until the ring has gone round.
        populated = mmap.MAP_SHARED | mmap.MAP_POPULATE
        self._map = mmap.mmap(fd, geometry.size, flags=populated)
        self._bytes = memoryview(self._map)
        self._words = self._bytes.cast("Q")

    @classmethod
    def create(
        cls,
        names: CameraNames,
        *,
        capacity: int = layout.DEFAULT_CAPACITY,
        predecessor: Predecessor | None = None,
    ) -> RingWriter:
        """Make a segment with an arena of `capacity` bytes and put it in place of any older one.

        The caller holds the camera's lock. Readers of an older segment see that it is unlinked and
        attach to this one. The frames of a `predecessor` with the same capacity are carried over,
        and sequences go on from its last. Raises UsageError for an impossible capacity, SegmentFull
        when shared memory has no room, NoPermission when it cannot be written.
        """
        if not layout.SMALLEST_CAPACITY <= capacity <= layout.LARGEST_CAPACITY:
            raise UsageError(
                f"a ring of {capacity} bytes is out of range: use {layout.SMALLEST_CAPACITY} "
                f"to {layout.LARGEST_CAPACITY}"
            )
        path = names.segment_path
        # One writer a camera, so a leftover under this name is from a daemon killed at this step.
        making = path.with_name(f".{path.name}.new")
        with _translated(path):
            making.unlink(missing_ok=True)
        fd, geometry = _allocate(making, capacity, beside=predecessor is not None)
        writer = cls(path=path, fd=fd, geometry=geometry, epoch=secrets.randbits(64) or 1)
        try:
            writer._fill_header()
            if predecessor is not None and predecessor.ring.geometry == geometry:
                writer._go_on_from(predecessor)
            with _translated(path):
                making.rename(path)
        except BaseException:
            writer.close()
            making.unlink(missing_ok=True)
            raise
        return writer

    @property
    def geometry(self) -> Geometry:
        """Where everything lies in the segment."""
        return self._geometry

    @property
    def largest(self) -> int:
        """The largest frame that `publish` takes, bytes."""
        return self._geometry.largest

    def _fill_header(self) -> None:
        words, geometry = self._words, self._geometry
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
        self._tail = words[layout.W_CLAIMED] = ring.claimed
        self.cursor = words[layout.W_CURSOR] = ring.cursor

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
    ) -> Announcement:
        """Copy a frame into the ring and return what to announce about it.

        Raises FrameTooLarge, with nothing changed, when it is over `largest`.
        """
        length = len(jpeg)
        capacity = self._geometry.capacity
        if length > self._geometry.largest:
            raise FrameTooLarge(
                f"a frame of {length} bytes is over the ring's limit of {self.largest}: "
                f"--ring-size {byte_count_text(layout.capacity_for(length))} takes it"
            )
        position = self._tail
        offset = position % capacity
        if offset + length > capacity:
            position += capacity - offset
            offset = 0
        end = position + layout.round_up(length, 8)
        sequence = self.cursor + 1
        slot = sequence & (self._geometry.count - 1)
        at = layout.DESCRIPTORS_OFFSET + slot * DESCRIPTOR.size
        sequence_word = layout.DESCRIPTORS_OFFSET // 8 + slot * DESCRIPTOR_WORDS

        # 1 claim
        self._words[layout.W_CLAIMED] = end
        self._words[sequence_word] = 0

        # 2 write
        start = self._geometry.arena + offset
        self._bytes[start : start + length] = jpeg
        descriptor = Descriptor(
            sequence=sequence,
            position=position,
            length=length,
            check=0,
            captured_ns=captured_ns,
            captured_utc_ns=captured_utc_ns,
            published_ns=time.monotonic_ns(),
            device_sequence=device_sequence,
            width=width,
            height=height,
            flags=int(flags),
        )
        descriptor = descriptor._replace(check=descriptor.checksum(jpeg))
        self._bytes[at + 8 : at + DESCRIPTOR.size] = descriptor.pack()[8:]

        # 3 publish
        self._words[sequence_word] = sequence
        self._words[layout.W_CURSOR] = sequence

        self._tail = end
        self.cursor = sequence
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
        """Unlink the segment, unless a successor took its name, and unmap it. Twice is harmless.

        With `leave` it stays, for a successor to go on from.
        """
        if self._fd < 0:
            return
        with contextlib.suppress(FileNotFoundError):
            if not leave and os.path.samestat(self._path.stat(), os.fstat(self._fd)):
                self._path.unlink()
        self._words.release()
        self._bytes.release()
        self._map.close()
        os.close(self._fd)
        self._fd = -1


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise NoPermission where somebody else's file is in the way."""
    try:
        yield
    except OSError as error:
        raise NoPermission(
            f"cannot put the ring at {path} ({error.strerror}): remove "
            f"{error.filename2 or error.filename}, as its owner or as root"
        ) from error


def _allocate(path: Path, capacity: int, *, beside: bool) -> tuple[int, Geometry]:
    """Return a segment's file and geometry. Raises SegmentFull, NoPermission.

    `beside` a dead daemon's segment, which readers hold until there is a new one, there may be no
    room for two (a container has 64 MB): then a shorter history is better than no camera.
    """
    while True:
        geometry = Geometry.for_capacity(capacity)
        try:
            return allocate(path, geometry.size), geometry
        except SegmentFull:
            if not beside or capacity < 2 * _SMALLEST_SUBSTITUTE:
                raise
            capacity //= 2
            _log.warning(
                "%s has no room for two rings: this one has %d MiB", path.parent, capacity >> 20
            )
