from __future__ import annotations

from contextlib import closing
from pathlib import Path

from framebus.frame import Frame, FrameFlags
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.multipart import Parser
from web_workers.wire.multipart import Picture, Style, opening, part


def _picture(
    flags: FrameFlags = FrameFlags.NONE, utc_ns: int = 1_700_000_000_123_456_789
) -> Picture:
    frame = Frame(
        jpeg=b"\xff\xd8 picture \xff\xd9",
        epoch=7,
        sequence=42,
        device_sequence=50,
        captured_ns=5_000_000_000,
        captured_utc_ns=utc_ns,
        published_ns=5_000_100_000,
        width=640,
        height=480,
        flags=flags,
    )
    return Picture.of(frame)


def test_a_part_carries_length_capture_time_and_sequence_and_ends_with_the_next_boundary() -> None:
    (got,) = Parser().feed(opening(Style.PLAIN) + part(_picture(), Style.PLAIN, 0))
    assert got.headers == {
        "Content-Type": "image/jpeg",
        "Content-Length": "13",
        "X-Timestamp": "1700000000.123456",
        "X-Sequence": "42",
    }
    assert got.body == b"\xff\xd8 picture \xff\xd9"


def test_parts_follow_each_other_without_a_byte_between() -> None:
    data = opening(Style.PLAIN) + 3 * part(_picture(), Style.PLAIN, 0)
    parser = Parser()
    assert len(parser.feed(data)) == 3
    assert not parser.buffer


def test_a_picture_that_is_not_the_cameras_says_so() -> None:
    data = opening(Style.EXTRA) + part(_picture(FrameFlags.FALLBACK), Style.EXTRA, 0)
    (got,) = Parser().feed(data)
    assert got.headers["X-Fallback"] == "true"
    assert got.headers["X-UStreamer-Online"] == "false"


def test_extra_headers_tell_size_and_latency() -> None:
    data = opening(Style.EXTRA) + part(_picture(), Style.EXTRA, 5_020_000_000)
    (got,) = Parser().feed(data)
    assert got.headers["X-UStreamer-Online"] == "true"
    assert got.headers["X-UStreamer-Width"] == "640"
    assert got.headers["X-UStreamer-Latency"] == "0.020000"


def test_advance_headers_put_the_next_parts_headers_right_after_a_frame() -> None:
    first = opening(Style.ADVANCE)
    one = part(_picture(), Style.ADVANCE, 0)
    assert first == b"--boundarydonotcross\r\nContent-Type: image/jpeg\r\n\r\n"
    assert one == bytes(_picture().jpeg) + b"\r\n" + first


def test_a_placeholder_keeps_the_last_frames_time_and_names_its_cause() -> None:
    stand_in = Picture.stand_in(b"card", "daemon-died", _picture())
    (got,) = Parser().feed(opening(Style.PLAIN) + part(stand_in, Style.PLAIN, 0))
    assert (got.sequence, got.placeholder, got.body) == (42, "daemon-died", b"card")
    assert got.headers["X-Timestamp"] == "1700000000.123456"


def test_a_timestamp_is_exact_where_a_float_is_not() -> None:
    for utc_ns, text in (
        (1_700_000_000_000_001_999, "1700000000.000001"),
        (999_999_999_999, "999.999999"),
    ):
        data = opening(Style.PLAIN) + _picture(utc_ns=utc_ns).plain
        (got,) = Parser().feed(data)
        assert got.headers["X-Timestamp"] == text


def test_a_picture_is_the_same_by_its_announcement_and_by_its_frame(tmp_path: Path) -> None:
    names = CameraNames(tmp_path, "parts")
    with (
        closing(RingWriter.create(names, capacity=layout.SMALLEST_CAPACITY)) as writer,
        closing(RingReader.attach(names)) as ring,
    ):
        for flags in (FrameFlags.NONE, FrameFlags.FALLBACK):
            announced = writer.publish(
                b"\xff\xd8 picture \xff\xd9",
                captured_ns=5,
                captured_utc_ns=6,
                width=64,
                height=48,
                flags=flags,
            )
            picture = Picture.announced(announced, ring)
            assert picture == Picture.of(ring.read_announced(announced))
            assert (bytes(picture.jpeg), picture.size) == (b"\xff\xd8 picture \xff\xd9", 13)
