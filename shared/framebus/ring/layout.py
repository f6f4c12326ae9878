"""The ring's bytes: the numbers of the layout, and the order of writing. Each word of the header,
the status and the descriptors is described in docs/ring.md.

The segment is a file in /dev/shm: header, status, descriptors, and an arena of A bytes. All words
are unsigned, 64 bits, little-endian, 8-byte aligned.

Positions count bytes of arena ever used and only grow; the byte at position p lies at arena offset
p mod A. A frame that would run over the arena's end starts at the next multiple of A instead, and
every frame starts at a multiple of 8.

The order of writing, and who relies on it:

    writer                                         reader
    1 claim    CLAIMED = end of the new frame      c  CLAIMED, after the copy: see "safe" below
               SEQUENCE(slot) = 0                  a  SEQUENCE(slot) == s, before the copy
    2 write    payload, descriptor                 b  copy descriptor and payload
    3 publish  SEQUENCE(slot) = s                  d  SEQUENCE(slot) == s, after the copy
               CURSOR = s                          e  CHECK, over the copies

    A copy is safe if CLAIMED + A/4 <= POSITION + A.

The margin of A/4 is the largest frame that the writer takes: a reader refuses what the *next*
frame could overwrite, so the writer is a whole frame interval away from what is accepted. (Not so
where a frame starts over at 0 and leaves a gap: it may claim more than A/4 at once. CLAIMED is
written before the bytes are, and CHECK is of the copy.)
A daemon that finds the segment of a dead predecessor, of the same geometry, copies descriptors and
arena into its own before that gets its name, and goes on from the predecessor's CURSOR and CLAIMED:
history and sequences outlive the epoch, and both segments have one LINEAGE. A frame that was being
written is lost with its writer: its descriptor has no SEQUENCE, and CLAIMED covers its bytes.

x86-64 keeps stores in order; aarch64 does not. The daemon's fast path, in C, has a fence behind the
claim and releases SEQUENCE and CURSOR. CPython has no barriers, on either side: where it writes or
reads the margin and CHECK carry the proof, and the ZeroMQ message (which is ordered) carries the
descriptor.
"""

from __future__ import annotations

import struct
import sys
import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from xxhash import xxh3_64_intdigest

from framebus.errors import SegmentInvalid

PAGE: Final = 4096
MAGIC: Final = int.from_bytes(b"FRAMEBUS", "little")
LAYOUT_VERSION: Final = 2

# Indices of 64-bit words, not bytes: they index a memoryview cast to "Q".
W_MAGIC: Final = 0
W_VERSION: Final = 1
W_EPOCH: Final = 2
W_SIZE: Final = 3
W_DESCRIPTORS: Final = 4
W_COUNT: Final = 5
W_ARENA: Final = 6
W_CAPACITY: Final = 7
W_PID: Final = 8
W_INTERVAL: Final = 9
W_LINEAGE: Final = 10
W_CLAIMED: Final = 16
W_CURSOR: Final = 24

STATUS_OFFSET: Final = PAGE
STATUS_SIZE: Final = 2 * PAGE
W_STATUS_GENERATION: Final = STATUS_OFFSET // 8
"""Odd while the text is being written."""
W_STATUS_LENGTH: Final = W_STATUS_GENERATION + 1
W_STATUS_CHECK: Final = W_STATUS_GENERATION + 2
STATUS_TEXT: Final = STATUS_OFFSET + 24
STATUS_TEXT_MAX: Final = STATUS_SIZE - 24

DESCRIPTORS_OFFSET: Final = STATUS_OFFSET + STATUS_SIZE
DESCRIPTOR: Final = struct.Struct("<11Q40x")
"""A descriptor's words, and the reserved ones as zeros."""
DESCRIPTOR_WORDS: Final = DESCRIPTOR.size // 8

DEFAULT_CAPACITY: Final = 32 * 1024 * 1024
SMALLEST_CAPACITY: Final = 64 * 1024
LARGEST_CAPACITY: Final = 16 * 1024 * 1024 * 1024
LARGEST_FRAME_SHARE: Final = 4
"""A frame may take at most 1/4 of the arena."""
LARGEST_COUNT: Final = 1 << 62
"""No sequence and no position is over this in the life of any machine: one that is, is damage."""
LARGEST_INTERVAL_NS: Final = 3_600_000_000_000
"""A frame interval over an hour is damage too."""
EARLY_NS: Final = 1_000_000_000
"""A frame that is captured later than so long from now, nanoseconds, is damage as well."""
_LATEST_UTC_NS: Final = 2**63 - 1  # in the year 2262
_FRAME_FOR_COUNT: Final = 16 * 1024
"""Frames this small, bytes, still fill the arena before they run out of descriptors."""


def check_byte_order() -> None:
    """Raise SegmentInvalid on a machine that stores words the other way round.

    They are stored and read as the machine has them, at once each; struct would do it in bytes.
    """
    if sys.byteorder != "little":
        raise SegmentInvalid(
            "this machine is big-endian, and the ring's words are little-endian: "
            "use one that is not, such as x86-64 or aarch64"
        )


def round_up(value: int, multiple: int) -> int:
    """Return the least multiple of `multiple` that is not below `value`."""
    return -(-value // multiple) * multiple


def payload_hash(payload: bytes | memoryview) -> int:
    """Return the XXH3 of a payload, 64 bits (https://github.com/Cyan4973/xxHash, no seed)."""
    return xxh3_64_intdigest(payload)


def capacity_for(length: int) -> int:
    """Return the capacity of a ring that takes frames of `length` bytes, and a quarter more.

    It is a power of two, so that frames which grow do not ask for another ring each time.
    """
    wanted = (LARGEST_FRAME_SHARE + 1) * max(1, length)
    return min(max(1 << (wanted - 1).bit_length(), SMALLEST_CAPACITY), LARGEST_CAPACITY)


@dataclass(frozen=True)
class Geometry:
    """Where everything lies in a segment; all in bytes but `count`."""

    capacity: int
    count: int
    arena: int
    size: int

    @classmethod
    def for_capacity(cls, capacity: int) -> Geometry:
        """Return the geometry of a ring whose arena holds at least `capacity` bytes."""
        capacity = round_up(capacity, PAGE)
        count = 1 << max(6, (capacity // _FRAME_FOR_COUNT).bit_length())
        arena = round_up(DESCRIPTORS_OFFSET + count * DESCRIPTOR.size, PAGE)
        return cls(capacity=capacity, count=count, arena=arena, size=arena + capacity)

    @property
    def largest(self) -> int:
        """The largest frame the ring takes, bytes; also the reader's safety margin."""
        return self.capacity // LARGEST_FRAME_SHARE


class Descriptor(NamedTuple):
    """Where one frame lies and what it is; the fields are its words, in their order."""

    sequence: int
    position: int
    length: int
    check: int
    captured_ns: int
    captured_utc_ns: int
    published_ns: int
    device_sequence: int
    width: int
    height: int
    flags: int

    def pack(self) -> bytes:
        """Return its 128 bytes."""
        return DESCRIPTOR.pack(*self)

    def checksum(self, hashed: int) -> int:
        """Return what CHECK is to be with a payload of this hash; `check` itself is of no matter.

        So the payload's own hash is known by itself: it tells a picture from the next one.
        """
        return xxh3_64_intdigest(self._replace(check=hashed).pack())

    @property
    def plausible(self) -> bool:
        """Whether its numbers can be true: no time to come, no count that nobody ever reaches."""
        return (
            0 < self.sequence <= LARGEST_COUNT
            and self.position <= LARGEST_COUNT
            and self.captured_utc_ns <= _LATEST_UTC_NS
            and self.captured_ns <= time.monotonic_ns() + EARLY_NS
        )

    @classmethod
    def unpack(cls, data: bytes) -> Descriptor:
        """Read one from its 128 bytes."""
        return cls._make(DESCRIPTOR.unpack(data))
