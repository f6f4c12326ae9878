"""Read frames of a live framebus ring with multiprocessing.shared_memory, and nothing of framebus.

    python examples/shared_memory_reader.py /run/framebus/camera.ring 30 > frames.mjpeg

SharedMemory opens for reading and writing, so this is for programs of the daemon's own user. Others
take FrameReader (opencv_reader.py), which maps read-only, and so does whoever wants no layout. This
one is that of docs/ring.md; it needs the package xxhash. Prints a line for each frame on standard
error: sequence, bytes, age in milliseconds. It polls; a real program would rather wait on
CAMERA.frames (ZeroMQ). Python 3.10+.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import sys
import time
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from unittest import mock

from xxhash import xxh3_64_intdigest

LAYOUT_VERSION = 2
HEADER = struct.Struct("<8s7Q")
DESCRIPTOR = struct.Struct("<11Q40x")
DESCRIPTORS = 12288  # where their table begins
CLAIMED, CURSOR = 16, 24  # words of the header that change


class Attached(SharedMemory):
    """A segment that stays when this program ends: it is the daemon's to remove.

    Before Python 3.13 SharedMemory tells a tracker process of what it attaches to, which unlinks it
    once this program has ended or was killed. So the tracker is not told: attach before there are
    threads that make segments of their own. And what cannot be mapped is unlinked by SharedMemory
    itself, in 3.13 too.
    """

    def __init__(self, name: str) -> None:
        if sys.version_info >= (3, 13):
            super().__init__(name, track=False)
            return
        with mock.patch.object(resource_tracker, "register"):
            super().__init__(name)

    def unlink(self) -> None:
        """Leave it."""


class Ring:
    """An attached segment whose header is right."""

    def __init__(self, name: str) -> None:
        self.segment = Attached(name)
        self.view = memoryview(self.segment.buf or b"").toreadonly()
        self.words = self.view.cast("Q")
        header = HEADER.unpack_from(self.view)
        magic, version, _, size, table, self.count, self.arena, self.capacity = header
        if (
            (magic, version, size, table)
            != (b"FRAMEBUS", LAYOUT_VERSION, self.segment.size, DESCRIPTORS)
            or self.count.bit_count() != 1
            or table + self.count * DESCRIPTOR.size > self.arena
            or self.arena + self.capacity != size
        ):
            self.close()
            raise ValueError(f"{name} is no ring of layout version {LAYOUT_VERSION}")

    def read(self, sequence: int) -> tuple[bytes, int] | None:
        """Return a frame and when it was captured; None if it is overwritten (docs/ring.md)."""
        at = DESCRIPTORS + sequence % self.count * DESCRIPTOR.size
        if self.words[at // 8] != sequence:  # a
            return None
        packed = bytes(self.view[at : at + DESCRIPTOR.size])
        _, position, length, check, captured_ns, *_ = DESCRIPTOR.unpack(packed)
        start = self.arena + position % self.capacity
        jpeg = bytes(self.view[start : start + length])  # b
        if self.words[CLAIMED] + self.capacity // 4 > position + self.capacity:  # c
            return None
        if self.words[at // 8] != sequence:  # d
            return None
        hashed = packed[:24] + xxh3_64_intdigest(jpeg).to_bytes(8, "little") + packed[32:]
        if xxh3_64_intdigest(hashed) != check:  # e
            return None
        return jpeg, captured_ns

    def close(self) -> None:
        """Detach; the segment stays."""
        self.words.release()
        self.view.release()
        self.segment.close()


def told(ring_file: Path) -> tuple[str, tuple[int, int]]:
    """Return the name of the camera's segment, and what tells this file from one that replaces it.

    Only what this user alone could have made is believed.
    """
    for path in (ring_file.parent, ring_file):
        check_ours(path)
    found, name = ring_file.stat(), ring_file.read_text().removesuffix("\n")
    if not re.fullmatch(rf"framebus-[0-9a-f]{{8}}-{ring_file.stem}\.[0-9a-f]{{32}}", name):
        raise ValueError(f"{ring_file} names no ring")
    check_ours(Path("/dev/shm", name))
    return name, (found.st_ino, found.st_mtime_ns)


def check_ours(path: Path) -> None:
    """Raise PermissionError for what belongs to another user, or others may write, or is a link."""
    found = path.lstat()
    kind = stat.S_IFMT(found.st_mode)
    if (
        found.st_uid != os.geteuid()
        or found.st_mode & 0o022
        or kind not in (stat.S_IFDIR, stat.S_IFREG)
    ):
        raise PermissionError(f"{path} is not this user's alone: run as the daemon's user")


def follow(ring_file: Path, count: int) -> None:
    """Write the newest frame whenever there is another one, `count` in all."""
    ring, mark, last = None, None, 0
    try:
        while count:
            with contextlib.suppress(FileNotFoundError):  # no daemon: what is left is still there
                name, found = told(ring_file)
                if found != mark:
                    if ring is not None:
                        ring.close()
                    ring, mark, last = Ring(name), found, 0
            sequence = ring.words[CURSOR] if ring is not None else 0
            frame = ring.read(sequence) if ring is not None and sequence > last else None
            if frame is None:
                time.sleep(0.005)
                continue
            jpeg, captured_ns = frame
            sys.stdout.buffer.write(jpeg)
            age_ms = (time.monotonic_ns() - captured_ns) / 1e6
            print(f"{sequence} {len(jpeg)} {age_ms:.1f}", file=sys.stderr, flush=True)
            last, count = sequence, count - 1
    finally:
        if ring is not None:
            ring.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        follow(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else -1)
