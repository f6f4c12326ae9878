"""The ring's one writer. Only the capture daemon may import this; the order is in layout.py.

It knows nothing of sockets or sources. All methods but `set_status` belong to one thread (the
capture thread); `set_status` to one thread (the main thread): they touch different words.
"""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import secrets
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

from framebus.errors import FrameTooLarge, NoPermission, SegmentFull, UsageError
from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.announcement import Announcement
from framebus.ring.layout import DESCRIPTOR, DESCRIPTOR_WORDS, Descriptor, Geometry

_MODE = 0o640  # the web tier reads through the group; nobody but the owner writes


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
        self._map = mmap.mmap(fd, geometry.size)
        self._bytes = memoryview(self._map)
        self._words = self._bytes.cast("Q")

    @classmethod
    def create(cls, names: CameraNames, *, capacity: int = layout.DEFAULT_CAPACITY) -> RingWriter:
        """Make a segment with an arena of `capacity` bytes and put it in place of any older one.

        The caller holds the camera's lock. Readers of an older segment see that it is unlinked and
        attach to this one. Raises UsageError for an impossible capacity, SegmentFull when shared
        memory has no room, NoPermission when it cannot be written.
        """
        if not layout.SMALLEST_CAPACITY <= capacity <= layout.LARGEST_CAPACITY:
            raise UsageError(
                f"a ring of {capacity} bytes is out of range: use {layout.SMALLEST_CAPACITY} "
                f"to {layout.LARGEST_CAPACITY}"
            )
        geometry = Geometry.for_capacity(capacity)
        path = names.segment_path
        # One writer a camera, so a leftover under this name is from a daemon killed at this step.
        making = path.with_name(f".{path.name}.new")
        making.unlink(missing_ok=True)
        fd = _allocate(making, geometry.size)
        writer = cls(path=path, fd=fd, geometry=geometry, epoch=secrets.randbits(64) or 1)
        try:
            writer._fill_header()
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
        words[layout.W_MAGIC] = layout.MAGIC
        words[layout.W_VERSION] = layout.LAYOUT_VERSION

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
                "a larger --ring-size takes it"
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
        packed = descriptor.pack()
        check = layout.checksum(zlib.crc32(jpeg), packed)
        packed = packed[:24] + check.to_bytes(8, "little") + packed[32:]
        self._bytes[at + 8 : at + DESCRIPTOR.size] = packed[8:]

        # 3 publish
        self._words[sequence_word] = sequence
        self._words[layout.W_CURSOR] = sequence

        self._tail = end
        self.cursor = sequence
        return Announcement(self.epoch, Descriptor.unpack(packed))

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

    def close(self) -> None:
        """Unlink the segment, unless a successor took its name, and unmap it. Twice is harmless."""
        if self._fd < 0:
            return
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), os.fstat(self._fd)):
                self._path.unlink()
        self._words.release()
        self._bytes.release()
        self._map.close()
        os.close(self._fd)
        self._fd = -1


def _allocate(path: Path, size: int) -> int:
    """Create a file of `size` bytes that really has them, and return its descriptor.

    Not through multiprocessing.shared_memory: that starts a resource-tracker process, which
    unlinks by name what we rename, and it truncates where this allocates. Without the blocks, a
    store into a full tmpfs is SIGBUS (shm_overview(7), mmap(2)).
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NoPermission(f"cannot create the ring {path}: {error.strerror}") from error
    try:
        os.posix_fallocate(fd, 0, size)
        os.fchmod(fd, _MODE)
    except OSError as error:
        os.close(fd)
        path.unlink()
        if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EFBIG):
            raise SegmentFull(
                f"{path.parent} has no room for a ring of {size} bytes: use a smaller --ring-size, "
                f"or give {path.parent} more (a container: --shm-size)"
            ) from error
        raise
    return fd
