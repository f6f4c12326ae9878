"""A segment, from its descriptor to a map of it whose header has been checked."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from framebus.errors import SegmentInvalid, refused
from framebus.ring import layout
from framebus.ring.layout import Geometry

_HEAD = struct.Struct(f"<{layout.W_PID}Q")


def map_segment(fd: int, path: Path, *, stays: bool) -> tuple[mmap.mmap, Geometry]:
    """Map a segment read-only; for who `stays`, all of it at once, which takes milliseconds.

    The header is checked before anything is mapped: a file may say, or have, any size. Raises
    SegmentInvalid when it is not a whole ring of a known layout version, or the machine is
    big-endian, and OutOfResources where there is no room to map it.
    """
    layout.check_byte_order()
    size = os.fstat(fd).st_size
    if size < layout.DESCRIPTORS_OFFSET or size % layout.PAGE:
        raise SegmentInvalid(f"{path} is no ring: none has {size} bytes")
    head = _HEAD.unpack(os.pread(fd, _HEAD.size, 0))
    geometry = Geometry.for_capacity(head[layout.W_CAPACITY])
    expected = {
        layout.W_MAGIC: layout.MAGIC,
        layout.W_VERSION: layout.LAYOUT_VERSION,
        layout.W_SIZE: size,
        layout.W_DESCRIPTORS: layout.DESCRIPTORS_OFFSET,
        layout.W_COUNT: geometry.count,
        layout.W_ARENA: geometry.arena,
        layout.W_CAPACITY: geometry.capacity,
    }
    wrong = [word for word, value in expected.items() if head[word] != value]
    if wrong or geometry.size != size or geometry.capacity > layout.LARGEST_CAPACITY:
        raise SegmentInvalid(
            f"{path} is no ring of layout version {layout.LAYOUT_VERSION} "
            f"(header words {wrong}): daemon and reader must be of one framebus version"
        )
    try:
        # Not with each page of each frame until the ring has gone round.
        populated = mmap.MAP_POPULATE if stays else 0
        flags = mmap.MAP_SHARED | populated
        return mmap.mmap(fd, size, flags=flags, prot=mmap.PROT_READ), geometry
    except OSError as error:  # ENOMEM, as under a limit of address space
        raise refused(error, f"cannot map the ring {path}", "let it be read") from error
