from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus import FrameReader
from framebus.errors import CameraAbsent, FrameGone, FrameTimeout, SegmentInvalid, UsageError
from framebus.names import CameraNames
from framebus.notifier import Notifier
from framebus.ring.writer import RingWriter
from framebus.zmtp.publisher import Acceptor

from tests.helpers.segments import segment
from tests.helpers.waiting import until


class Bus:
    """A daemon's publishing half, without a daemon."""

    def __init__(self, runtime: Path, capacity: int = 1 << 20) -> None:
        self.names = CameraNames(runtime)
        self.acceptor = Acceptor()
        self.writer = RingWriter.create(self.names, capacity=capacity)
        self.notifier = Notifier(self.acceptor, self.names)

    def publish(self, jpeg: bytes, captured_ns: int | None = None) -> None:
        captured_ns = time.monotonic_ns() if captured_ns is None else captured_ns
        announcement = self.writer.publish(
            jpeg, captured_ns=captured_ns, captured_utc_ns=time.time_ns()
        )
        self.notifier.announce(announcement)

    def close(self) -> None:
        self.notifier.close()
        self.writer.close()
        self.acceptor.close()


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime)
    yield bus
    bus.close()


def test_late_joiner_starts_at_the_newest(bus: Bus) -> None:
    for number in range(5):
        bus.publish(b"%d" % number)
    with FrameReader() as reader:
        assert reader.next(1).sequence == 5
        with pytest.raises(FrameTimeout):
            reader.next(0)
        assert (reader.delivered, reader.skipped, reader.lapped) == (1, 0, 0)


def test_the_reader_tells_the_interval_between_frames(bus: Bus) -> None:
    with FrameReader() as reader:
        assert reader.interval_s == 0.0
        bus.writer.set_interval(4_000_000_000)
        assert reader.interval_s == 4.0


def test_slow_reader_gets_the_newest_and_the_rest_is_counted(bus: Bus) -> None:
    with FrameReader() as reader:
        bus.publish(b"1")
        assert reader.next(1).sequence == 1
        for number in range(2, 11):
            bus.publish(b"%d" % number)
        assert reader.next(1).sequence == 10
        assert (reader.delivered, reader.skipped, reader.lapped) == (2, 8, 0)


def test_reader_of_every_frame_gets_them_in_order(bus: Bus) -> None:
    with FrameReader(every=True) as reader:
        bus.publish(b"1")
        reader.next(1)
        for number in range(2, 11):
            bus.publish(b"%d" % number)
        assert [reader.next(1).sequence for _ in range(9)] == list(range(2, 11))
        assert (reader.delivered, reader.skipped, reader.lapped) == (10, 0, 0)


def test_lapped_reader_of_every_frame_skips_to_newest_and_counts(runtime: Path) -> None:
    bus = Bus(runtime, capacity=64 * 1024)
    with FrameReader(every=True) as reader:
        bus.publish(b"1")
        assert reader.next(1).sequence == 1
        for _ in range(100):
            bus.publish(bytes(10_000))
        assert reader.next(1).sequence == 101
        assert (reader.delivered, reader.skipped, reader.lapped) == (2, 0, 99)
    bus.close()


def test_reader_waits_for_a_daemon_that_comes_later(runtime: Path) -> None:
    with FrameReader() as reader:
        with pytest.raises(FrameTimeout, match="framebus up"):
            reader.next(0.01)
        bus = Bus(runtime)
        bus.publish(b"hello")
        assert reader.next(30).jpeg == b"hello"
        bus.close()


def test_reader_waits_for_a_frame_as_long_as_it_is_told_and_iteration_for_ever(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FrameReader() as reader:
        waited: list[float] = []

        def late(timeout_s: float) -> None:
            waited.append(timeout_s)
            if len(waited) % 3 == 0:
                bus.writer.publish(b"late", captured_ns=1, captured_utc_ns=1)

        bus.writer.set_interval(40_000_000)
        monkeypatch.setattr(reader._listener, "wait", late)
        reader._attached()
        assert reader.next(3600).sequence == 1
        assert next(iter(reader)).sequence == 2
        assert waited == [0.06] * 6  # one and a half intervals, and then it looks by itself
        with pytest.raises(FrameTimeout, match=r"within 0 s"):
            reader.next(0)
        assert len(waited) == 6


def test_reader_reads_the_camera_of_the_runtime_directory_that_it_is_given(
    runtime: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bus.publish(b"1")
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(tmp_path))
    with FrameReader(runtime=runtime) as reader:
        assert reader.latest().jpeg == b"1"


def test_reader_goes_on_with_the_next_epoch_from_its_first_frame(runtime: Path, bus: Bus) -> None:
    with FrameReader(every=True) as reader:
        bus.publish(b"old 1")
        assert reader.next(1).jpeg == b"old 1"
        bus.publish(b"old 2")
        successor = Bus(runtime)
        successor.publish(b"new 1")
        successor.publish(b"new 2")
        assert [reader.next(1).jpeg for _ in range(3)] == [b"old 2", b"new 1", b"new 2"]
        assert reader.epochs == 2
        assert (reader.delivered, reader.skipped, reader.lapped) == (4, 0, 0)
        successor.close()


def test_what_is_left_unread_for_the_newest_of_another_count_is_counted(
    runtime: Path, bus: Bus
) -> None:
    with FrameReader(every=True) as reader:
        bus.publish(b"old 1")
        reader.next(1)
        bus.publish(b"old 2")
        successor = Bus(runtime)
        successor.publish(b"new 1")
        assert reader.latest().jpeg == b"new 1"
        assert reader.next(1).jpeg == b"new 1"
        assert (reader.delivered, reader.skipped, reader.lapped) == (2, 0, 1)
        successor.close()


def test_frame_is_found_without_any_notification(bus: Bus) -> None:
    with FrameReader() as reader:
        bus.publish(b"1")
        reader.next(1)
        bus.writer.publish(b"silent", captured_ns=1, captured_utc_ns=1)
        assert reader.next(30).jpeg == b"silent"


def test_garbage_on_the_frames_socket_is_counted_and_ignored(bus: Bus) -> None:
    with FrameReader() as reader:
        bus.publish(b"1")
        reader.next(1)
        until(lambda: bool(_garbage_arrived(bus, reader)), what="garbage to be counted")
        bus.publish(b"2")
        assert reader.next(1).jpeg == b"2"


def _garbage_arrived(bus: Bus, reader: FrameReader) -> int:
    bus.notifier.send(b"garbage")
    reader._listener.receive()
    return reader._listener.invalid


def test_latest_neither_waits_nor_counts(bus: Bus) -> None:
    with FrameReader() as reader:
        with pytest.raises(CameraAbsent):
            reader.latest()
        bus.publish(b"1")
        assert reader.latest().jpeg == reader.latest().jpeg == b"1"
        assert reader.delivered == 0
        assert reader.latest().age_s >= 0


def test_what_is_left_of_an_old_ring_is_read_while_there_is_no_sound_new_one(bus: Bus) -> None:
    path = segment(bus.names)
    with FrameReader() as reader:
        bus.publish(b"1")
        bus.publish(b"2")
        assert reader.next(1).sequence == 2
        path.unlink()
        assert reader.latest().jpeg == b"2"
        bus.names.ring_file.write_bytes(b"no ring")
        assert reader.latest().jpeg == b"2"
        with FrameReader() as another, pytest.raises(SegmentInvalid):
            another.latest()
        bus.names.ring_file.unlink()
        assert reader.latest().jpeg == b"2"


def test_closing_gives_the_ring_back(bus: Bus) -> None:
    bus.publish(b"1")
    reader = FrameReader()
    reader.latest()
    ring = reader._ring
    assert ring is not None
    reader.close()
    assert ring._map.closed


def test_history_is_what_was_captured_in_the_last_seconds_oldest_first(bus: Bus) -> None:
    now = time.monotonic_ns()
    for age_s in (100, 50, 3, 2, 1):
        bus.publish(b"%d" % age_s, captured_ns=now - age_s * 10**9)
    with FrameReader() as reader:
        assert [frame.jpeg for frame in reader.history(10)] == [b"3", b"2", b"1"]
        assert len(reader.history(1000)) == 5
        assert reader.history(0) == []


def test_at_returns_one_frame_or_says_that_it_is_gone(bus: Bus) -> None:
    bus.publish(b"1")
    bus.publish(b"2")
    with FrameReader() as reader:
        assert reader.at(1).jpeg == b"1"
        with pytest.raises(FrameGone):
            reader.at(3)


def test_nothing_is_there_without_a_daemon(runtime: Path) -> None:
    with FrameReader() as reader:
        assert reader.history(1) == []
        assert reader.status() == {}
        with pytest.raises(CameraAbsent):
            reader.latest()
        with pytest.raises(CameraAbsent):
            reader.at(1)
    reader.close()


def test_a_runtime_directory_in_which_no_daemon_can_serve_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        FrameReader(runtime=Path("/run", "x" * 100))


def test_timeout_names_the_daemons_own_cause(bus: Bus) -> None:
    bus.writer.set_status({"state": "backoff", "cause": {"message": "/dev/video0 is gone"}})
    with FrameReader() as reader:
        with pytest.raises(FrameTimeout, match="/dev/video0 is gone"):
            reader.next(0.01)
        assert reader.status()["state"] == "backoff"


FORK = """
import os, signal, sys
from pathlib import Path
from framebus import FrameReader

with FrameReader(runtime=Path(sys.argv[1])) as reader:
    reader.next(30.0)
    child = os.fork()
    signal.alarm(60)
    for _ in range(3):
        reader.next(30.0)
    if child == 0:
        reader.close()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    reader.next(30.0)
"""


def test_a_reader_goes_on_in_both_processes_after_a_fork(runtime: Path, bus: Bus) -> None:
    with subprocess.Popen([sys.executable, "-c", FORK, str(runtime)]) as process:

        def ended() -> bool:
            bus.publish(b"frame")
            return process.poll() is not None

        until(ended, within_s=120, what="both processes have their frames")
        assert process.returncode == 0
