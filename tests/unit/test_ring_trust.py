"""How a ring is found, and what is not believed of one that somebody else could have made."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from framebus.errors import CameraAbsent, SegmentInvalid, Untrusted
from framebus.listener import event_subscription, nothing
from framebus.names import CameraNames, segment_path
from framebus.reader import FrameReader
from framebus.ring import layout, ring_file
from framebus.ring.predecessor import left_behind
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.descriptors import opened
from tests.helpers.segments import remove_segments, segments
from tests.samples.planted_files import KINDS, put
from web_workers.cameras.ring_follower import RingFollower
from web_workers.settings import Cameras, Settings


@pytest.fixture
def names(runtime: Path) -> Iterator[CameraNames]:
    names = CameraNames(runtime)
    yield names
    remove_segments(names)


def publish(writer: RingWriter) -> None:
    writer.publish(b"x", captured_ns=time.monotonic_ns(), captured_utc_ns=time.time_ns())


def test_the_ring_file_tells_the_segment_and_the_group_may_read_it(
    names: CameraNames, writer: RingWriter
) -> None:
    assert names.ring_file.read_text() == f"{writer.path.name}\n"
    assert names.ring_file.stat().st_mode & 0o777 == 0o640
    assert list(names.runtime.iterdir()) == [names.ring_file]


def test_a_ring_is_told_of_when_it_is_complete_and_the_older_one_goes_after_that(
    names: CameraNames, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    real = ring_file.write

    def noting(told: CameraNames, segment: Path) -> None:
        RingReader.open(segment, os.geteuid()).close()  # raises unless it is whole
        real(told, segment)
        seen.append((writer.path.exists(), segment.exists()))

    monkeypatch.setattr(ring_file, "write", noting)
    with closing(RingWriter.create(names, capacity=1 << 16)) as successor:
        assert seen == [(True, True)]
        assert segments(names) == [successor.path]


def test_a_reader_moves_on_though_the_old_segment_has_a_second_name(
    names: CameraNames, writer: RingWriter, reader: RingReader
) -> None:
    """Where protected_hardlinks is off, whoever may read a file can give it a name of his own."""
    second = writer.path.with_name(f"{writer.path.name}.mine")
    second.hardlink_to(writer.path)
    assert not reader.replaced
    with closing(RingWriter.create(names, capacity=1 << 16)):
        assert reader.replaced
    second.unlink()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\x00" * 64,
        b"\xff\xfe" * 100_000,
        b"../../etc/passwd\n",
        b"/dev/shm/framebus-00000000-camera.00000000000000000000000000000000\n",
        b"framebus-00000000-../x.00000000000000000000000000000000\n",
        b"framebus-00000000-other.00000000000000000000000000000000\n",
        b"framebus-00000000-camera.0000000000000000000000000000000\n",
        b"framebus-00000000-camera.00000000000000000000000000000000\nx\n",
        b"framebus-00000000-camera\n",
    ],
)
def test_a_ring_file_that_names_no_ring_of_the_camera_is_invalid_and_replaced(
    names: CameraNames, content: bytes
) -> None:
    names.ring_file.write_bytes(content)
    with pytest.raises(SegmentInvalid, match=r"start the daemon of 'camera' again$"):
        RingReader.attach(names)
    with closing(RingWriter.create(names, capacity=1 << 16)):
        RingReader.attach(names).close()


def test_a_ring_file_that_tells_of_what_is_not_there_is_an_absent_camera(
    names: CameraNames,
) -> None:
    names.ring_file.write_text(f"{names.new_segment()}\n")
    with pytest.raises(CameraAbsent):
        RingReader.attach(names)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["ring file", "segment"])
def test_what_others_could_have_made_is_not_attached_to(
    names: CameraNames, writer: RingWriter, what: str, kind: str
) -> None:
    path = names.ring_file if what == "ring file" else writer.path
    put(kind, path)
    before = opened()
    with pytest.raises(Untrusted):
        RingReader.attach(names)
    with left_behind(names) as left:
        assert left is None
    assert opened() == before
    path.rmdir() if kind == "directory" else path.unlink()


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give files away")
@pytest.mark.parametrize("what", ["ring file", "segment"])
def test_a_ring_of_another_user_is_not_attached_to_nor_gone_on_from(
    names: CameraNames, writer: RingWriter, what: str
) -> None:
    publish(writer)
    os.chown(names.ring_file if what == "ring file" else writer.path, 65534, 65534)
    with pytest.raises(Untrusted, match="belongs to user id 65534"):
        RingReader.attach(names)
    with left_behind(names) as left:
        assert left is None


def test_a_runtime_directory_that_others_may_write_ends_a_reader_with_the_remedy(
    names: CameraNames, writer: RingWriter
) -> None:
    publish(writer)
    names.runtime.chmod(0o777)
    with FrameReader() as reader, pytest.raises(Untrusted, match="chmod go-w"):
        reader.next(1)
    names.runtime.chmod(0o700)
    with FrameReader() as reader:
        assert reader.next(1).sequence == 1


def test_a_giant_file_is_refused_before_it_is_mapped(names: CameraNames, tmp_path: Path) -> None:
    path = tmp_path / "ring"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(SegmentInvalid):
        RingReader.open(path, os.geteuid(), stays=True)


def test_a_giant_file_with_a_giant_header_is_refused(
    writer: RingWriter, names: CameraNames, tmp_path: Path
) -> None:
    geometry = layout.Geometry.for_capacity(layout.LARGEST_CAPACITY + layout.PAGE)
    for word, value in (
        (layout.W_CAPACITY, geometry.capacity),
        (layout.W_COUNT, geometry.count),
        (layout.W_ARENA, geometry.arena),
        (layout.W_SIZE, geometry.size),
    ):
        writer._words[word] = value
    path = tmp_path / "ring"
    shutil.copy(writer.path, path)
    os.truncate(path, geometry.size)
    with pytest.raises(SegmentInvalid):
        RingReader.open(path, os.geteuid())


def test_a_planted_file_in_shared_memory_keeps_no_daemon_from_starting(names: CameraNames) -> None:
    digest = names.segment_prefix.split("-")[1]
    planted = [segment_path(f"framebus-{digest}-camera"), segment_path(names.new_segment())]
    for path in planted:
        path.mkdir()
    try:
        with closing(RingWriter.create(names, capacity=1 << 16)):
            RingReader.attach(names).close()
    finally:
        for path in planted:
            path.rmdir()


def test_no_socket_is_connected_to_before_the_directory_is_found_trusted(
    names: CameraNames, writer: RingWriter
) -> None:
    publish(writer)
    names.runtime.chmod(0o777)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(names.frames_socket))
        listener.listen()
        listener.settimeout(0.2)
        follower = RingFollower(names)
        assert follower.poll() is None
        events = event_subscription(names, opened=nothing, closing=nothing)
        events.connect()
        assert events.client is None
        with pytest.raises(TimeoutError):
            listener.accept()
        names.runtime.chmod(0o700)
        assert follower.poll() is not None
        listener.settimeout(20)
        listener.accept()[0].close()
    follower.close()


def test_no_camera_is_known_by_a_directory_that_others_may_write(names: CameraNames) -> None:
    (names.runtime / "planted.lock").touch()
    names.runtime.chmod(0o777)
    cameras = Cameras(Settings(names.runtime))
    assert cameras.known() == ["camera"]
    names.runtime.chmod(0o700)
    assert cameras.known() == ["camera", "planted"]
