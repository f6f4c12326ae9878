from __future__ import annotations

import errno
import mmap
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import (
    CameraAbsent,
    FrameGone,
    FrameTooLarge,
    NoPermission,
    SegmentFull,
    SegmentInvalid,
    UsageError,
)
from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.announcement import Announcement
from framebus.ring.layout import Geometry
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

CAPACITY = layout.SMALLEST_CAPACITY


@pytest.fixture
def writer(runtime: Path) -> Iterator[RingWriter]:
    writer = RingWriter.create(CameraNames(runtime), capacity=CAPACITY)
    yield writer
    writer.close()


@pytest.fixture
def reader(runtime: Path, writer: RingWriter) -> Iterator[RingReader]:
    reader = RingReader.attach(CameraNames(runtime).segment_path)
    yield reader
    reader.close()


def publish(writer: RingWriter, jpeg: bytes, captured_ns: int = 5) -> Announcement:
    return writer.publish(
        jpeg,
        captured_ns=captured_ns,
        captured_utc_ns=7,
        device_sequence=9,
        width=640,
        height=480,
        flags=FrameFlags.ENCODED,
    )


def test_frame_comes_out_as_it_went_in(writer: RingWriter, reader: RingReader) -> None:
    announcement = publish(writer, b"picture")
    for frame in (reader.read(1), reader.newest(), reader.read_announced(announcement)):
        assert frame is not None
        assert (frame.jpeg, frame.sequence, frame.epoch) == (b"picture", 1, writer.epoch)
        assert (frame.captured_ns, frame.captured_utc_ns, frame.device_sequence) == (5, 7, 9)
        assert (frame.width, frame.height, frame.flags) == (640, 480, FrameFlags.ENCODED)
        assert 0 < frame.published_ns <= time.monotonic_ns()


def test_empty_ring_has_no_newest_frame_and_no_oldest(
    writer: RingWriter, reader: RingReader
) -> None:
    assert reader.newest() is None
    assert (reader.cursor, reader.oldest) == (0, 0)
    with pytest.raises(FrameGone):
        reader.read(0)
    with pytest.raises(FrameGone):
        reader.read(1)


def test_frame_of_a_quarter_of_the_arena_fits_and_one_byte_more_is_refused(
    writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, bytes(CAPACITY // 4))
    with pytest.raises(FrameTooLarge, match="--ring-size"):
        publish(writer, bytes(CAPACITY // 4 + 1))
    assert writer.cursor == reader.cursor == 1
    assert len(reader.read(1).jpeg) == CAPACITY // 4


def test_frames_of_odd_sizes_wrap_without_being_split(
    writer: RingWriter, reader: RingReader
) -> None:
    for number in range(1, 2000):
        jpeg = bytes([number % 256]) * (1 + number * 37 % (CAPACITY // 4))
        descriptor = publish(writer, jpeg).descriptor
        offset = descriptor.position % CAPACITY
        assert offset % 8 == 0
        assert offset + descriptor.length <= CAPACITY
        assert reader.read(number).jpeg == jpeg


def test_what_is_readable_is_exactly_oldest_to_cursor(
    writer: RingWriter, reader: RingReader
) -> None:
    for number in range(300):
        publish(writer, os.urandom(700 + number))
    oldest = reader.oldest
    assert 1 < oldest < 300
    assert [reader.read(n).sequence for n in range(oldest, 301)] == list(range(oldest, 301))
    for gone in (oldest - 1, oldest - 5, 1, 301, 10**12):
        with pytest.raises(FrameGone):
            reader.read(gone)


def test_reader_refuses_what_the_next_frame_could_overwrite(
    writer: RingWriter, reader: RingReader
) -> None:
    quarter = CAPACITY // 4
    for _ in range(4):
        publish(writer, bytes(quarter))
    # Frame 1 still lies there untouched, but the next frame will overwrite it.
    with pytest.raises(FrameGone, match="next to be"):
        reader.read(1)
    assert reader.oldest == 2


def test_descriptors_run_out_before_the_arena_does(writer: RingWriter, reader: RingReader) -> None:
    count = writer.geometry.count
    for _ in range(count + 10):
        publish(writer, b"tiny")
    assert reader.oldest == 11
    with pytest.raises(FrameGone):
        reader.read(10)


def test_changed_byte_anywhere_in_a_record_is_caught_by_the_checksum(
    runtime: Path, writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, b"0123456789")
    descriptor_at = layout.DESCRIPTORS_OFFSET + layout.DESCRIPTOR.size
    payload_at = writer.geometry.arena
    with CameraNames(runtime).segment_path.open("r+b", buffering=0) as file:
        for at in (payload_at + 3, descriptor_at + 32, descriptor_at + 64, descriptor_at + 24):
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))
            with pytest.raises(FrameGone, match="checksum"):
                reader.read(1)
            file.seek(at)
            file.write(bytes([byte]))
            assert reader.read(1).jpeg == b"0123456789"


def test_descriptor_that_points_outside_is_refused_not_followed(
    runtime: Path, writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, b"0123456789")
    with CameraNames(runtime).segment_path.open("r+b", buffering=0) as file:
        file.seek(layout.DESCRIPTORS_OFFSET + layout.DESCRIPTOR.size + 16)
        file.write((2**40).to_bytes(8, "little"))
    with pytest.raises(FrameGone, match="overwritten"):
        reader.read(1)


def test_announcement_of_another_epoch_is_refused(writer: RingWriter, reader: RingReader) -> None:
    announcement = publish(writer, b"x")
    with pytest.raises(FrameGone, match="another epoch"):
        reader.read_announced(Announcement(writer.epoch ^ 1, announcement.descriptor))


def test_announcement_survives_the_wire_and_a_foreign_message_is_refused(
    writer: RingWriter,
) -> None:
    announcement = publish(writer, b"x")
    assert Announcement.unpack(announcement.pack()) == announcement
    assert len(announcement.pack()) == 136
    with pytest.raises(SegmentInvalid):
        Announcement.unpack(b"short")


def test_new_writer_takes_the_name_and_the_old_ones_readers_see_it(
    runtime: Path, writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, b"old")
    assert not reader.replaced
    successor = RingWriter.create(CameraNames(runtime), capacity=CAPACITY)
    assert reader.replaced
    assert reader.read(1).jpeg == b"old"
    writer.close()
    assert CameraNames(runtime).segment_path.exists(), "the old one removed its successor's segment"
    successor.close()
    assert not CameraNames(runtime).segment_path.exists()


def test_closing_twice_is_harmless(writer: RingWriter, reader: RingReader) -> None:
    reader.close()
    reader.close()
    writer.close()
    writer.close()


def test_reader_maps_the_segment_read_only(reader: RingReader) -> None:
    with pytest.raises(TypeError):
        reader._words[layout.W_CURSOR] = 1


def test_segment_is_readable_by_the_group_and_by_no_others(
    runtime: Path, writer: RingWriter
) -> None:
    mode = CameraNames(runtime).segment_path.stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_status_document_is_read_back_and_replaced(writer: RingWriter, reader: RingReader) -> None:
    assert reader.status() == {}
    writer.set_status({"state": "opening"})
    writer.set_status({"state": "streaming", "cause": None})
    assert reader.status() == {"state": "streaming", "cause": None}
    with pytest.raises(UsageError):
        writer.set_status({"text": "x" * layout.STATUS_TEXT_MAX})
    assert reader.status() == {"state": "streaming", "cause": None}


def test_status_whose_writer_died_half_way_is_not_shown(
    writer: RingWriter, reader: RingReader
) -> None:
    writer.set_status({"state": "opening"})
    writer._words[layout.W_STATUS_GENERATION] += 1
    assert reader.status() == {}


def test_interval_is_told_to_readers(writer: RingWriter, reader: RingReader) -> None:
    assert reader.interval_ns == 0
    writer.set_interval(33_333_333)
    assert reader.interval_ns == 33_333_333
    assert reader.writer_pid == os.getpid()


def test_attaching_where_nothing_is_says_so(runtime: Path) -> None:
    with pytest.raises(CameraAbsent):
        RingReader.attach(CameraNames(runtime, "nobody").segment_path)


@pytest.mark.parametrize(
    "content", [b"", b"x", bytes(64 * 1024), b"FRAMEBUS" + bytes(64 * 1024), bytes(12291)]
)
def test_attaching_to_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ring"
    path.write_bytes(content)
    with pytest.raises(SegmentInvalid):
        RingReader.attach(path)


def test_attaching_to_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ring")
    with pytest.raises(SegmentInvalid):
        RingReader.attach(tmp_path / "ring")


def test_segment_without_its_version_is_not_attached(runtime: Path, writer: RingWriter) -> None:
    writer._words[layout.W_VERSION] = 0
    with pytest.raises(SegmentInvalid, match="version"):
        RingReader.attach(CameraNames(runtime).segment_path)


def test_truncated_segment_is_refused(runtime: Path, writer: RingWriter, tmp_path: Path) -> None:
    copy = tmp_path / "ring"
    copy.write_bytes(CameraNames(runtime).segment_path.read_bytes()[:-4096])
    with pytest.raises(SegmentInvalid):
        RingReader.attach(copy)


@pytest.mark.parametrize("capacity", [0, -1, layout.SMALLEST_CAPACITY - 1, 2**60])
def test_impossible_capacity_is_a_usage_error(runtime: Path, capacity: int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        RingWriter.create(CameraNames(runtime), capacity=capacity)


def test_full_shared_memory_is_an_error_that_names_the_remedy_and_leaves_nothing(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    names = CameraNames(runtime)
    with pytest.raises(SegmentFull, match="--ring-size"):
        RingWriter.create(names)
    assert not list(names.segment_path.parent.glob(f"*{names.segment}*"))


def test_somebody_elses_file_in_the_rings_place_is_an_error_that_names_it(runtime: Path) -> None:
    names = CameraNames(runtime)
    names.segment_path.mkdir()
    try:
        with pytest.raises(NoPermission, match=f"remove {names.segment_path}"):
            RingWriter.create(names, capacity=1 << 20)
        assert list(names.segment_path.parent.glob(f"*{names.segment}*")) == [names.segment_path]
    finally:
        names.segment_path.rmdir()


def test_segment_left_half_made_by_a_killed_daemon_is_replaced(runtime: Path) -> None:
    names = CameraNames(runtime)
    leftover = names.segment_path.with_name(f".{names.segment}.new")
    leftover.write_bytes(b"half")
    RingWriter.create(names, capacity=CAPACITY).close()
    assert not leftover.exists()


@pytest.mark.parametrize("capacity", [65536, 65537, 10**6, 32 * 2**20])
def test_geometry_keeps_its_promises(capacity: int) -> None:
    geometry = Geometry.for_capacity(capacity)
    assert geometry.capacity >= capacity
    assert geometry.capacity % layout.PAGE == geometry.arena % layout.PAGE == 0
    assert geometry.count & (geometry.count - 1) == 0
    assert geometry.arena >= layout.DESCRIPTORS_OFFSET + geometry.count * layout.DESCRIPTOR.size
    assert geometry.size == geometry.arena + geometry.capacity


def test_a_ring_that_cannot_be_mapped_is_a_clear_error_and_leaves_nothing(
    writer: RingWriter, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_options: object) -> mmap.mmap:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(mmap, "mmap", refused)
        with pytest.raises(SegmentInvalid, match="Cannot allocate memory"):
            RingReader.attach(CameraNames(runtime).segment_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_only_who_lacks_permission_is_told_to_join_a_group(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoPermission, match=r"symbolic links\)$"):
        RingReader.attach(tmp_path / "ring")
