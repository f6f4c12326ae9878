"""A daemon's ring goes on where its killed predecessor's ended."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import FrameGone, SegmentFull
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.reader import FrameReader
from framebus.ring import layout
from framebus.ring.predecessor import left_behind
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.segments import remove_segments, segment
from web_workers.cameras.ring_follower import RingFollower

CAPACITY = layout.SMALLEST_CAPACITY


def publish(writer: RingWriter, count: int, size: int = 1000) -> None:
    for _ in range(count):
        number = writer.cursor + 1
        writer.publish(
            bytes([number % 256]) * size,
            captured_ns=1_000_000 + number,
            captured_utc_ns=7,
            device_sequence=number + 100,
        )


def succeed(names: CameraNames, capacity: int = CAPACITY) -> RingWriter:
    with left_behind(names) as predecessor:
        return RingWriter.create(names, capacity=capacity, predecessor=predecessor)


@pytest.fixture
def names(runtime: Path) -> CameraNames:
    return CameraNames(runtime)


@pytest.fixture
def dead(names: CameraNames) -> Iterator[RingWriter]:
    """A writer that is not closed before its successor comes, as if it had been killed."""
    writer = RingWriter.create(names, capacity=CAPACITY)
    yield writer
    writer.close()
    remove_segments(names)


def read_all(ring: RingReader) -> list[Frame]:
    return [ring.read(sequence) for sequence in range(ring.oldest, ring.cursor + 1)]


@pytest.mark.parametrize("count", [1, 10, 200])
def test_frames_keep_their_numbers_and_new_ones_follow(
    names: CameraNames, dead: RingWriter, count: int
) -> None:
    publish(dead, count)
    dead.set_interval(33)
    old = RingReader.attach(names)
    before = read_all(old)
    successor = succeed(names)
    new = RingReader.attach(names)
    assert old.replaced
    assert new.epoch != old.epoch
    assert (new.lineage, new.cursor, new.interval_ns) == (old.lineage, count, 33)
    after = read_all(new)
    assert [(one.sequence, one.jpeg, one.device_sequence) for one in after] == [
        (one.sequence, one.jpeg, one.device_sequence) for one in before
    ]
    publish(successor, 300)
    assert [one.sequence for one in read_all(new)][-1] == count + 300
    assert all(one.jpeg[0] == one.sequence % 256 for one in read_all(new))
    for each in (old, new, successor):
        each.close()


def test_a_frame_that_was_being_written_is_lost_and_nothing_else(
    names: CameraNames, dead: RingWriter
) -> None:
    publish(dead, 200)
    with left_behind(names) as left:
        assert left is not None
        readable = left.ring.oldest
    words = dead._words
    end = words[layout.W_CLAIMED]
    slot = 201 & (dead.geometry.count - 1)
    words[layout.W_CLAIMED] = end + 16_000
    words[layout.DESCRIPTORS_OFFSET // 8 + slot * layout.DESCRIPTOR_WORDS] = 0
    at = dead.geometry.arena + end % dead.geometry.capacity
    dead._bytes[at : at + 8000] = bytes(8000)
    successor = succeed(names)
    ring = RingReader.attach(names)
    frames = read_all(ring)
    assert frames[-1].sequence == 200
    assert frames[0].sequence > readable
    assert all(one.jpeg[0] == one.sequence % 256 for one in frames)
    publish(successor, 1)
    assert ring.read(201).jpeg[0] == 201
    ring.close()
    successor.close()


def test_last_words_and_newest_frame_can_be_read(names: CameraNames, dead: RingWriter) -> None:
    publish(dead, 3)
    dead.set_status({"state": "streaming"})
    with left_behind(names) as left:
        assert left is not None
        assert left.newest is not None
        assert (left.newest.sequence, left.newest.device_sequence) == (3, 103)
        assert left.status == {"state": "streaming"}
    with pytest.raises(ValueError, match="released"):
        _ = left.ring.cursor  # it is unmapped, and was open only here


def test_nothing_is_left_behind_by_a_clean_end(names: CameraNames) -> None:
    RingWriter.create(names, capacity=CAPACITY).close()
    with left_behind(names) as left:
        assert left is None


def test_another_size_starts_anew(names: CameraNames, dead: RingWriter) -> None:
    publish(dead, 5)
    successor = succeed(names, 2 * CAPACITY)
    ring = RingReader.attach(names)
    assert (ring.cursor, ring.lineage) == (0, ring.epoch)
    with pytest.raises(FrameGone):
        ring.read(5)
    ring.close()
    successor.close()


@pytest.mark.parametrize("damage", ["short", "newest", "status"])
def test_a_damaged_segment_is_not_gone_on_from(
    names: CameraNames, dead: RingWriter, damage: str
) -> None:
    publish(dead, 5)
    if damage == "short":
        segment(names).unlink()
        segment(names).write_bytes(b"FRAMEBUS")
    elif damage == "status":
        text = b"no JSON"
        dead._bytes[layout.STATUS_TEXT : layout.STATUS_TEXT + len(text)] = text
        dead._words[layout.W_STATUS_LENGTH] = len(text)
        dead._words[layout.W_STATUS_CHECK] = zlib.crc32(text)
        dead._words[layout.W_STATUS_GENERATION] = 2
    else:
        dead._bytes[dead.geometry.arena + 4 * 1000 : dead.geometry.arena + 5 * 1000] = bytes(1000)
    successor = succeed(names)
    assert successor.cursor == 0
    successor.close()


def test_no_room_for_two_rings_gives_a_smaller_one_and_not_a_dead_camera(
    names: CameraNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.posix_fallocate
    room = 12 << 20

    def small(fd: int, offset: int, length: int) -> None:
        if length > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd, offset, length)

    dead = RingWriter.create(names, capacity=32 << 20)
    publish(dead, 3)
    monkeypatch.setattr(os, "posix_fallocate", small)
    successor = succeed(names, 32 << 20)
    assert successor.geometry.capacity == 8 << 20
    room = 0
    with pytest.raises(SegmentFull):
        succeed(names, 32 << 20)
    assert segment(names).exists(), "a failed start took the ring that was there"
    successor.close()
    dead.close()


def test_a_reader_of_every_frame_meets_none_twice_and_misses_none(
    names: CameraNames, dead: RingWriter
) -> None:
    publish(dead, 3)
    with FrameReader(names.camera, runtime=names.runtime, every=True) as reader:
        assert reader.next(1).sequence == 3
        publish(dead, 2)
        first = succeed(names)
        publish(first, 2)
        # The reader never sees the ring in between.
        second = succeed(names)
        publish(second, 1)
        assert [reader.next(1).sequence for _ in range(5)] == [4, 5, 6, 7, 8]
        assert (reader.skipped, reader.lapped, reader.epochs) == (0, 0, 2)
    first.close()
    second.close()


def test_a_worker_counts_on_and_sends_no_frame_twice(names: CameraNames, dead: RingWriter) -> None:
    publish(dead, 4)
    follower = RingFollower(names)
    taken = follower.poll()
    assert taken is not None
    assert taken.sequence == 4
    successor = succeed(names)
    assert follower.poll() is None
    publish(successor, 3)
    taken = follower.poll()
    assert taken is not None
    assert (taken.sequence, follower.published) == (7, 4)
    follower.close()
    successor.close()
