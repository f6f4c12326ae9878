"""One reader of one segment: attach read-only, copy, then validate. The order is in layout.py.

It never waits and never writes, and being stopped or killed at any point it leaves the writer
untouched. Waiting, and moving on to the next epoch, are framebus.reader's.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from pathlib import Path

from framebus.errors import CameraAbsent, FrameGone, NoPermission, SegmentInvalid
from framebus.frame import Frame, FrameFlags
from framebus.ring import layout
from framebus.ring.announcement import Announcement
from framebus.ring.layout import DESCRIPTOR, DESCRIPTOR_WORDS, Descriptor, Geometry

_STATUS_TRIES = 8  # the writer needs microseconds for a status; losing eight races means it died


class RingReader:
    """A read-only view of one segment. Frames come out as private copies."""

    def __init__(self, *, fd: int, geometry: Geometry, epoch: int, map_: mmap.mmap) -> None:
        self._fd = fd
        self._geometry = geometry
        self._capacity, self._largest = geometry.capacity, geometry.largest
        self._arena = geometry.arena
        self.epoch = epoch
        self._map = map_
        self._bytes = memoryview(map_)
        self._words = self._bytes.cast("Q")

    @classmethod
    def attach(cls, path: Path, *, stays: bool = False) -> RingReader:
        """Map the segment at `path`; for who `stays`, all of it at once, which takes milliseconds.

        Raises CameraAbsent when there is none, NoPermission when it may not be read, and
        SegmentInvalid when it is not a whole ring of a known layout version, or cannot be mapped.
        """
        try:
            # Anybody may put a FIFO into /dev/shm, whose opening would wait for a writer.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise CameraAbsent(f"no ring at {path}: no daemon publishes this camera") from None
        except OSError as error:  # EMFILE too, and ELOOP for a link in its place
            denied = isinstance(error, PermissionError)
            remedy = ": join the group of its daemon" if denied else ""
            raise NoPermission(f"cannot read the ring {path} ({error.strerror}){remedy}") from error
        try:
            return cls._map_checked(fd, path, stays=stays)
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def _map_checked(cls, fd: int, path: Path, *, stays: bool) -> RingReader:
        size = os.fstat(fd).st_size
        if size < layout.DESCRIPTORS_OFFSET or size % layout.PAGE:
            raise SegmentInvalid(f"{path} is no ring: none has {size} bytes")
        try:
            # Not with each page of each frame until the ring has gone round.
            populated = mmap.MAP_POPULATE if stays else 0
            map_ = mmap.mmap(fd, size, flags=mmap.MAP_SHARED | populated, prot=mmap.PROT_READ)
        except OSError as error:  # ENOMEM, as under a limit of address space
            raise SegmentInvalid(f"cannot map the ring {path}: {error.strerror}") from error
        words = memoryview(map_).cast("Q")
        head = words[: layout.W_PID].tolist()
        words.release()
        geometry = Geometry.for_capacity(head[layout.W_CAPACITY])
        expected = {
            layout.W_MAGIC: layout.MAGIC,
            layout.W_VERSION: layout.LAYOUT_VERSION,
            layout.W_SIZE: size,
            layout.W_DESCRIPTORS: layout.DESCRIPTORS_OFFSET,
            layout.W_COUNT: geometry.count,
            layout.W_ARENA: geometry.arena,
        }
        wrong = [word for word, value in expected.items() if head[word] != value]
        if wrong or geometry.size != size:
            map_.close()
            raise SegmentInvalid(
                f"{path} is no ring of layout version {layout.LAYOUT_VERSION} "
                f"(header words {wrong}): daemon and reader must be of one framebus version"
            )
        return cls(fd=fd, geometry=geometry, epoch=head[layout.W_EPOCH], map_=map_)

    @property
    def geometry(self) -> Geometry:
        """Where everything lies in the segment."""
        return self._geometry

    @property
    def cursor(self) -> int:
        """The last published sequence; 0 when there is none yet."""
        return self._words[layout.W_CURSOR]

    @property
    def interval_ns(self) -> int:
        """The granted frame interval, nanoseconds; 0 when it is unknown."""
        return self._words[layout.W_INTERVAL]

    @property
    def lineage(self) -> int:
        """The same in two segments whose sequences are one count (layout.py)."""
        return self._words[layout.W_LINEAGE]

    @property
    def claimed(self) -> int:
        """The position up to which the writer may be overwriting."""
        return self._words[layout.W_CLAIMED]

    @property
    def writer_pid(self) -> int:
        """Process id of the daemon that made the segment, in that daemon's namespace."""
        return self._words[layout.W_PID]

    @property
    def replaced(self) -> bool:
        """True once the segment has lost its name: attach again to go on."""
        return os.fstat(self._fd).st_nlink == 0

    def copy_frames(self, segment: memoryview) -> None:
        """Copy all descriptors and the arena into a segment of the same geometry.

        For a writer that goes on where a dead one ended: nothing is validated here.
        """
        start = layout.DESCRIPTORS_OFFSET
        segment[start : self._geometry.size] = self._bytes[start : self._geometry.size]

    def read(self, sequence: int) -> Frame:
        """Return a frame by its sequence; raises FrameGone when it is overwritten or unknown."""
        slot = sequence & (self._geometry.count - 1)
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
        if length > largest or offset + length > capacity:
            raise FrameGone(f"the descriptor of frame {descriptor.sequence} is being overwritten")
        start = self._arena + offset
        copied = b"".join((before, self._bytes[start : start + length], after))  # b
        claimed = self._words[layout.W_CLAIMED]
        if claimed + largest > descriptor.position + capacity:  # c
            raise FrameGone(f"frame {descriptor.sequence} is overwritten, or is next to be")
        payload = memoryview(copied)[len(before) : len(before) + length]
        if descriptor.checksum(payload) != descriptor.check:  # e
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
        slot = sequence & (self._geometry.count - 1)
        word = layout.DESCRIPTORS_OFFSET // 8 + slot * DESCRIPTOR_WORDS
        captured = self._words[word + 4]
        position = self._words[word + 1]
        claimed = self._words[layout.W_CLAIMED]
        margin = self._geometry.largest
        if self._words[word] != sequence or claimed + margin > position + self._geometry.capacity:
            raise FrameGone(f"frame {sequence} is not in the ring")
        return captured

    @property
    def oldest(self) -> int:
        """The lowest sequence that can still be read; 0 when there is none."""
        low, high = max(1, self.cursor - self._geometry.count + 1), self.cursor
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
        """Return the daemon's last status document; empty when it has written none."""
        for _ in range(_STATUS_TRIES):
            generation = self._words[layout.W_STATUS_GENERATION]
            length = self._words[layout.W_STATUS_LENGTH]
            check = self._words[layout.W_STATUS_CHECK]
            if generation == 0:
                return {}
            if generation % 2 or length > layout.STATUS_TEXT_MAX:
                continue
            text = bytes(self._bytes[layout.STATUS_TEXT : layout.STATUS_TEXT + length])
            if self._words[layout.W_STATUS_GENERATION] == generation and zlib.crc32(text) == check:
                document: dict[str, object] = json.loads(text)
                return document
        return {}

    def close(self) -> None:
        """Unmap and close. Twice is harmless."""
        if self._fd < 0:
            return
        self._words.release()
        self._bytes.release()
        self._map.close()
        os.close(self._fd)
        self._fd = -1
