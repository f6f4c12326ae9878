"""Rings with damaged numbers: a small sound one, and which words are changed to what."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.writer import RingWriter

FRAMES = 5
CAPACITY = 1 << 16
_TABLE = layout.DESCRIPTORS_OFFSET // 8
_EDGES = (7, 4095, 2**64 - 1, 0, *(1 << bit for bit in range(64)))
_WORDS = (
    *range(layout.W_LINEAGE + 1),
    *(layout.W_CLAIMED, layout.W_CURSOR),
    *range(layout.W_STATUS_GENERATION, layout.W_STATUS_CHECK + 2),
    *(
        _TABLE + number * layout.DESCRIPTOR_WORDS + word
        for number in range(1, FRAMES + 1)
        for word in range(12)
    ),
)
_SOUND = layout.Geometry.for_capacity(CAPACITY)
_LIES: tuple[dict[int, int], ...] = (
    {  # so many descriptors that their bytes are a multiple of 2**64
        layout.W_COUNT: 1 << 57,
        layout.W_ARENA: layout.DESCRIPTORS_OFFSET,
        layout.W_CAPACITY: _SOUND.size - layout.DESCRIPTORS_OFFSET,
        layout.W_CURSOR: 1 << 40,
    },
    {  # an arena so large that its end is a multiple of 2**64 further on
        layout.W_CAPACITY: 2**64 - 4096,
        layout.W_SIZE: _SOUND.arena - 4096,
    },
    {  # an arena that is larger than the file, and a frame in what is not there
        layout.W_SIZE: 1 << 30,
        layout.W_CAPACITY: (1 << 30) - _SOUND.arena,
        _TABLE + FRAMES * layout.DESCRIPTOR_WORDS + 1: 1 << 29,
    },
)


def sound_ring(runtime: Path, copy: Path) -> None:
    """Write a ring with some frames and a status to the file `copy`."""
    with closing(RingWriter.create(CameraNames(runtime), capacity=CAPACITY)) as writer:
        for number in range(FRAMES):
            writer.publish(
                b"frame %d" % number,
                captured_ns=time.monotonic_ns(),
                captured_utc_ns=time.time_ns(),
            )
        writer.set_status({"state": "streaming"})
        shutil.copy(writer.path, copy)
    copy.chmod(0o640)


def damages(seed: int, count: int) -> Iterator[dict[int, int]]:
    """Yield which words get which values: lies that agree, each edge alone, then many at random."""
    chance = random.Random(seed)
    yield from _LIES
    alone = [{word: edge} for word in _WORDS for edge in _EDGES]
    yield from chance.sample(alone, min(len(alone), count // 3))
    for _ in range(count // 3):  # a frame that begins anywhere and is of any length
        at = _TABLE + chance.randint(1, FRAMES) * layout.DESCRIPTOR_WORDS
        yield {at + 1: chance.randrange(1 << 17), at + 2: chance.randrange(1 << 17)}
    for _ in range(count // 3):
        yield {
            chance.choice(_WORDS): chance.choice((chance.choice(_EDGES), chance.getrandbits(64)))
            for _ in range(chance.randint(1, 6))
        }
