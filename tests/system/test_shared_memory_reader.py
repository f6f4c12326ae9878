"""examples/shared_memory_reader.py as a foreign program reads frames, and the ring outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xxhash
from framebus.names import CameraNames
from framebus.reader import FrameReader
from framebus.ring.writer import RingWriter

from tests.helpers.processes import children
from tests.helpers.segments import segment
from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess

READER = Path(__file__).parents[2] / "examples" / "shared_memory_reader.py"
FOREIGN = (sys.executable, "-s", "-S", "-P", "-W", "error")  # it finds no framebus
PLAIN = """
import sys, time
from multiprocessing.shared_memory import SharedMemory
SharedMemory(name=sys.argv[1])
print("attached", file=sys.stderr, flush=True)
time.sleep(60)
"""
UNMAPPABLE = """
import mmap, runpy, sys
def refuse(fd, size):
    raise OSError(12, "Cannot allocate memory")
mmap.mmap = refuse
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(autouse=True)
def foreign_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a foreign program finds besides the standard library."""
    (tmp_path / "xxhash").symlink_to(Path(xxhash.__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture
def writer(runtime: Path) -> Iterator[RingWriter]:
    writer = RingWriter.create(CameraNames(runtime), capacity=1 << 16)
    publish(writer, b"picture")
    yield writer
    writer.close()


def publish(writer: RingWriter, jpeg: bytes) -> None:
    writer.publish(jpeg, captured_ns=time.monotonic_ns(), captured_utc_ns=time.time_ns())


@contextmanager
def attached(*command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that has attached: it has written its first line."""
    with subprocess.Popen(
        [*FOREIGN, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline()
            yield process
        finally:
            process.kill()


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*FOREIGN, *map(str, command)], capture_output=True, timeout=40)


def read(runtime: Path, count: int) -> subprocess.CompletedProcess[bytes]:
    return run(READER, runtime / "camera.ring", str(count))


def test_a_foreign_program_reads_a_daemons_frames_and_its_ring_stays(runtime: Path) -> None:
    options = ("--source", "test", "--size", "160x120", "--ring-size", "4M")
    with DaemonProcess(runtime, *options) as daemon:
        daemon.until_state("streaming")
        ring = segment(daemon.names)
        done = read(runtime, 5)
        assert (done.returncode, len(done.stderr.splitlines())) == (0, 5), done.stderr
        sequences = [int(line.split()[0]) for line in done.stderr.splitlines()]
        assert sequences == sorted(set(sequences))
        with FrameReader("camera", runtime=runtime) as reader:
            frames = [reader.at(sequence).jpeg for sequence in sequences]
        assert done.stdout == b"".join(frames)
        assert segment(daemon.names) == ring
        assert ring.exists()
        assert children(daemon.pid) == []  # no tracker


def test_the_ring_stays_when_a_foreign_program_is_killed(runtime: Path, writer: RingWriter) -> None:
    with attached(READER, runtime / "camera.ring") as process:
        assert children(process.pid) == []  # nobody is left to unlink it
        process.kill()
        process.wait()
    assert writer.path.exists()


def test_who_lets_python_track_the_ring_is_the_one_who_removes_it(writer: RingWriter) -> None:
    """The trap that the example avoids."""
    with attached("-c", PLAIN, writer.path.name) as process:
        assert len(children(process.pid)) == 1
        process.kill()
        until(lambda: not writer.path.exists())


def test_the_ring_stays_when_a_foreign_program_cannot_map_it(
    runtime: Path, writer: RingWriter
) -> None:
    done = run("-c", UNMAPPABLE, READER, runtime / "camera.ring")
    assert b"Cannot allocate memory" in done.stderr
    assert writer.path.exists()


def test_a_foreign_program_goes_on_with_the_next_daemons_ring(
    runtime: Path, writer: RingWriter
) -> None:
    with attached(READER, runtime / "camera.ring") as process:
        writer.close()
        successor = RingWriter.create(CameraNames(runtime), capacity=1 << 16)
        publish(successor, b"another picture")
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"1 15 ")
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
        assert process.stderr.read() == b""
        assert successor.path.exists()
        successor.close()


def test_a_foreign_program_believes_no_directory_that_others_may_write(
    runtime: Path, writer: RingWriter
) -> None:
    runtime.chmod(0o770)
    done = read(runtime, 1)
    assert done.returncode == 1
    assert b"not this user's alone" in done.stderr
    assert done.stdout == b""
