"""How a ring's segment is made and attached to, and what is refused."""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from framebus.errors import (
    CameraAbsent,
    NoPermission,
    OutOfResources,
    SegmentFull,
    SegmentInvalid,
    Untrusted,
    UsageError,
)
from framebus.names import CameraNames, segment_path
from framebus.ring import layout
from framebus.ring.layout import Geometry
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.descriptors import opened
from tests.helpers.locks import lock_held_on
from tests.helpers.segments import segment, segments

CAPACITY = layout.SMALLEST_CAPACITY


@given(st.integers(1, 1 << 31))
def test_a_ring_of_the_advised_capacity_takes_frames_of_that_length_and_a_little_more(
    length: int,
) -> None:
    geometry = layout.Geometry.for_capacity(layout.capacity_for(length))
    assert geometry.largest >= min(length * 5 // 4, layout.LARGEST_CAPACITY // 4)
    assert layout.SMALLEST_CAPACITY <= geometry.capacity <= layout.LARGEST_CAPACITY


def test_segment_is_readable_by_the_group_and_by_no_others(
    runtime: Path, writer: RingWriter
) -> None:
    mode = segment(CameraNames(runtime)).stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_attaching_where_nothing_is_says_so(runtime: Path) -> None:
    with pytest.raises(CameraAbsent):
        RingReader.attach(CameraNames(runtime, "nobody"))


@pytest.mark.parametrize(
    "content", [b"", b"x", bytes(64 * 1024), b"FRAMEBUS" + bytes(64 * 1024), bytes(12291)]
)
def test_attaching_to_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ring"
    path.write_bytes(content)
    with pytest.raises(SegmentInvalid):
        RingReader.open(path, os.geteuid())


def test_attaching_to_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ring")
    with pytest.raises(Untrusted):
        RingReader.open(tmp_path / "ring", os.geteuid())


def test_segment_without_its_version_is_not_attached(runtime: Path, writer: RingWriter) -> None:
    writer._words[layout.W_VERSION] = 0
    with pytest.raises(SegmentInvalid, match="version"):
        RingReader.attach(CameraNames(runtime))


def test_segment_whose_arena_is_said_to_be_larger_than_it_is_is_not_attached(
    runtime: Path, writer: RingWriter
) -> None:
    writer._words[layout.W_CAPACITY] += layout.PAGE
    with pytest.raises(SegmentInvalid):
        RingReader.attach(CameraNames(runtime))


def test_only_who_lacks_permission_is_told_to_join_a_group(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Untrusted, match=r"no regular file: remove it$"):
        RingReader.open(tmp_path / "ring", os.geteuid())


def test_truncated_segment_is_refused(runtime: Path, writer: RingWriter, tmp_path: Path) -> None:
    copy = tmp_path / "ring"
    copy.write_bytes(segment(CameraNames(runtime)).read_bytes()[:-4096])
    with pytest.raises(SegmentInvalid):
        RingReader.open(copy, os.geteuid())


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
    before = opened()
    with pytest.raises(SegmentFull, match="--ring-size"):
        RingWriter.create(names)
    assert (segments(names), names.ring_file.exists()) == ([], False)
    assert opened() == before


def test_a_ring_that_cannot_be_told_of_is_an_error_that_names_what_is_in_the_way_and_leaves_nothing(
    runtime: Path,
) -> None:
    names = CameraNames(runtime)
    names.ring_file.mkdir()
    before = opened()
    with pytest.raises(NoPermission, match=f"remove {names.ring_file}"):
        RingWriter.create(names, capacity=1 << 20)
    assert (segments(names), sorted(runtime.iterdir())) == ([], [names.ring_file])
    assert opened() == before


def test_segment_of_a_daemon_that_was_killed_before_it_told_of_it_is_removed(runtime: Path) -> None:
    names, another = CameraNames(runtime), CameraNames(runtime, "camera-2")
    leftover, others = segment_path(names.new_segment()), segment_path(another.new_segment())
    for each in (leftover, others):
        each.write_bytes(b"half")
    names.ring_file.with_name(".camera.ring.new").write_bytes(b"half")
    RingWriter.create(names, capacity=CAPACITY).close()
    assert (leftover.exists(), others.exists()) == (False, True)
    assert list(runtime.iterdir()) == []
    others.unlink()


def test_segment_that_another_process_writes_is_not_removed(runtime: Path) -> None:
    names = CameraNames(runtime)
    path = segment_path(names.new_segment())
    with lock_held_on(path):  # of a daemon in another mount namespace, whose /run is another
        RingWriter.create(names, capacity=CAPACITY).close()
        assert path.exists()
    RingWriter.create(names, capacity=CAPACITY).close()
    assert not path.exists()


def test_segments_have_names_that_nobody_can_foresee(runtime: Path) -> None:
    names = CameraNames(runtime)
    made = {names.new_segment() for _ in range(100)}
    assert len(made) == 100
    assert all(names.is_segment(name) for name in made)


@pytest.mark.parametrize("errno_", [errno.ENOSPC, errno.ENOMEM])
def test_without_a_size_asked_for_the_ring_takes_what_room_there_is_and_says_so(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, errno_: int
) -> None:
    real = os.posix_fallocate

    def small(fd: int, offset: int, length: int) -> None:
        if length > 9 << 20:
            raise OSError(errno_, "No room")
        real(fd, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", small)
    names = CameraNames(runtime)
    with pytest.raises(SegmentFull, match="--ring-size"):
        RingWriter.create(names, capacity=layout.DEFAULT_CAPACITY)
    with closing(RingWriter.create(names)) as writer:
        assert writer.geometry.capacity == 8 << 20
        assert "8 MiB" in writer.note


def test_a_ring_of_the_size_that_is_wanted_has_no_note(writer: RingWriter) -> None:
    assert writer.note == ""


def test_a_big_endian_machine_is_refused_before_anything_is_made_or_mapped(
    runtime: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = CameraNames(runtime, "another")
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(SegmentInvalid, match="big-endian"):
        RingWriter.create(another, capacity=CAPACITY)
    assert segments(another) == []
    with pytest.raises(SegmentInvalid, match="big-endian"):
        RingReader.attach(CameraNames(runtime))


@pytest.mark.parametrize("capacity", [65536, 65537, 10**6, 32 * 2**20])
def test_geometry_keeps_its_promises(capacity: int) -> None:
    geometry = Geometry.for_capacity(capacity)
    assert geometry.capacity >= capacity
    assert geometry.capacity % layout.PAGE == geometry.arena % layout.PAGE == 0
    assert geometry.count & (geometry.count - 1) == 0
    assert geometry.arena >= layout.DESCRIPTORS_OFFSET + geometry.count * layout.DESCRIPTOR.size
    assert geometry.size == geometry.arena + geometry.capacity


@pytest.mark.parametrize(
    ("capacity", "count"), [(65536, 64), (1 << 20, 128), (32 << 20, 4096), (32 << 20 | 1, 4096)]
)
def test_as_many_descriptors_as_this_layout_version_has(capacity: int, count: int) -> None:
    """Readers of other languages work it out too: another count is another LAYOUT_VERSION."""
    assert Geometry.for_capacity(capacity).count == count


def test_a_ring_that_cannot_be_mapped_is_a_clear_error_and_leaves_nothing(
    writer: RingWriter, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_options: object) -> mmap.mmap:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    before = opened()
    with monkeypatch.context() as patch:
        patch.setattr(mmap, "mmap", refused)
        with pytest.raises(OutOfResources, match="Cannot allocate memory"):
            RingReader.attach(CameraNames(runtime))
    assert opened() == before


@pytest.mark.parametrize("stays", [False, True])
def test_only_a_reader_that_stays_maps_all_of_the_ring_at_once(
    writer: RingWriter, runtime: Path, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    flags: list[int] = []
    map_ = mmap.mmap

    def noted(fd: int, size: int, **options: int) -> mmap.mmap:
        flags.append(options["flags"])
        return map_(fd, size, **options)

    monkeypatch.setattr("framebus.ring.mapping.mmap.mmap", noted)
    RingReader.attach(CameraNames(runtime), stays=stays).close()
    assert [bool(each & mmap.MAP_POPULATE) for each in flags] == [stays]
