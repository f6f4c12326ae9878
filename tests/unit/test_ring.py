from __future__ import annotations

import os
import time
from array import array
from pathlib import Path

import pytest
from framebus.errors import FrameGone, FrameTooLarge, SegmentInvalid
from framebus.frame import Frame, FrameFlags
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.announcement import Announcement
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.descriptors import opened
from tests.helpers.segments import segment, segments

CAPACITY = layout.SMALLEST_CAPACITY


def publish(writer: RingWriter, jpeg: bytes | memoryview, captured_ns: int = 5) -> Announcement:
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
    assert writer.geometry.largest == CAPACITY // 4
    publish(writer, bytes(CAPACITY // 4))
    with pytest.raises(FrameTooLarge, match="--ring-size 128K takes it"):
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
    for _ in range(3):
        publish(writer, bytes(quarter))
    assert reader.read(1).sequence == 1
    publish(writer, bytes(quarter))
    # Frame 1 still lies there untouched, but the next frame will overwrite it.
    with pytest.raises(FrameGone, match="next to be"):
        reader.read(1)
    assert reader.oldest == 2


def test_a_writer_stopped_while_it_writes_has_claimed_but_published_nothing(
    writer: RingWriter, reader: RingReader
) -> None:
    count = writer.geometry.count
    for _ in range(count):
        publish(writer, b"tiny")
    assert reader.oldest == 1
    claimed = reader.claimed
    with pytest.raises(ValueError, match="different structures"):
        publish(writer, memoryview(array("I", [1] * 100)))  # cannot be copied: step 2 is not done
    assert (reader.cursor, writer.cursor) == (count, count)
    assert reader.claimed >= claimed + 100
    # The slot of the next frame is nobody's, though that of frame 1 was not written over yet.
    with pytest.raises(FrameGone, match="not in the ring"):
        reader.read(1)
    publish(writer, b"next")
    assert reader.read(count + 1).jpeg == b"next"


def test_descriptors_run_out_before_the_arena_does(writer: RingWriter, reader: RingReader) -> None:
    count = writer.geometry.count
    for _ in range(count + 10):
        publish(writer, b"tiny")
    assert reader.oldest == 11
    for look in (reader.read, reader.captured_ns, reader.length):
        with pytest.raises(FrameGone):
            look(10)


def test_changed_byte_anywhere_in_a_record_is_caught_by_the_checksum(
    runtime: Path, writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, b"0123456789")
    descriptor_at = layout.DESCRIPTORS_OFFSET + layout.DESCRIPTOR.size
    payload_at = writer.geometry.arena
    with segment(CameraNames(runtime)).open("r+b", buffering=0) as file:
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


@pytest.mark.parametrize(
    ("position", "length"), [(0, 2**40), (0, CAPACITY // 4 + 1), (CAPACITY - 8, 10)]
)
def test_descriptor_that_points_outside_is_refused_not_followed(
    writer: RingWriter, reader: RingReader, position: int, length: int
) -> None:
    announcement = publish(writer, b"0123456789")
    at = (layout.DESCRIPTORS_OFFSET + layout.DESCRIPTOR.size) // 8
    writer._words[at + 1], writer._words[at + 2] = position, length
    with pytest.raises(FrameGone, match="being overwritten"):
        reader.read(1)
    hint = announcement.descriptor._replace(position=position, length=length)
    with pytest.raises(FrameGone, match="being overwritten"):
        reader.copy_announced(Announcement(writer.epoch, hint), b"", b"")


def test_a_copy_whose_slot_was_taken_meanwhile_is_not_returned(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(writer, b"picture")
    real = reader._frame

    def overtaken(descriptor: layout.Descriptor) -> Frame:
        frame = real(descriptor)
        for _ in range(writer.geometry.count):
            publish(writer, b"tiny")
        return frame

    monkeypatch.setattr(reader, "_frame", overtaken)
    with pytest.raises(FrameGone, match="while it was read"):
        reader.read(1)


def test_announcement_of_another_epoch_is_refused(writer: RingWriter, reader: RingReader) -> None:
    announcement = publish(writer, b"x")
    foreign = Announcement(writer.epoch ^ 1, announcement.descriptor)
    with pytest.raises(FrameGone, match="another epoch"):
        reader.read_announced(foreign)
    with pytest.raises(FrameGone, match="another epoch"):
        reader.copy_announced(foreign, b"", b"")


def test_announcement_survives_the_wire_and_a_foreign_message_is_refused(
    writer: RingWriter,
) -> None:
    announcement = publish(writer, b"x")
    assert Announcement.unpack(announcement.pack()) == announcement
    assert len(announcement.pack()) == 136
    with pytest.raises(SegmentInvalid):
        Announcement.unpack(b"short")


def test_new_writer_takes_the_place_and_the_old_ones_readers_see_it(
    runtime: Path, writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, b"old")
    assert not reader.replaced
    successor = RingWriter.create(CameraNames(runtime), capacity=CAPACITY)
    assert reader.replaced
    assert reader.read(1).jpeg == b"old"
    writer.close()
    names = CameraNames(runtime)
    assert segment(names) == successor.path, "the old one removed its successor's segment"
    assert segments(names) == [successor.path]
    successor.close()
    assert (segments(names), names.ring_file.exists()) == ([], False)


def test_closing_twice_is_harmless(writer: RingWriter, reader: RingReader) -> None:
    for end, held in ((reader, 1), (writer, 2)):  # a mapping's, and the writer's own
        before = opened()
        end.close()
        end.close()
        assert opened() == before - held


def test_reader_maps_the_segment_read_only(reader: RingReader) -> None:
    with pytest.raises(TypeError):
        reader._words[layout.W_CURSOR] = 1


def test_interval_is_told_to_readers(writer: RingWriter, reader: RingReader) -> None:
    assert reader.interval_ns == 0
    writer.set_interval(33_333_333)
    assert reader.interval_ns == 33_333_333
    assert reader._words[layout.W_PID] == os.getpid()
