from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.writer import RingWriter

from tests.samples.planted_files import KINDS, put
from tests.stress.ring_stress import payload

SOURCE = Path(__file__).parents[2] / "examples" / "reader.c"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("c") / "reader"
    subprocess.run(
        [
            "cc",
            "-std=c11",
            "-D_GNU_SOURCE",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-O1",
            "-g",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            "-o",
            path,
            SOURCE,
        ],
        check=True,
    )
    return path


def test_c_program_reads_a_live_ring(program: Path, runtime: Path) -> None:
    names = CameraNames(runtime)
    writer = RingWriter.create(names, capacity=layout.SMALLEST_CAPACITY)
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.001):
            sequence = writer.cursor + 1
            writer.publish(
                payload(sequence), captured_ns=time.monotonic_ns(), captured_utc_ns=time.time_ns()
            )

    thread = threading.Thread(target=write)
    thread.start()
    try:
        result = subprocess.run(
            [program, names.ring_file, "200"], capture_output=True, timeout=50, check=True
        )
    finally:
        stop.set()
        thread.join()
        writer.close()
    lines = [line.split() for line in result.stderr.decode().splitlines()]
    sequences = [int(line[0]) for line in lines]
    assert len(sequences) == 200
    assert sequences == sorted(set(sequences))
    assert result.stdout == b"".join(payload(sequence) for sequence in sequences)
    assert all(0 <= float(line[2]) < 60_000 for line in lines)


def run(program: Path, path: Path, count: str = "1") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, path, count], capture_output=True, timeout=30)


def test_c_program_names_what_is_not_a_ring(program: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(8192))
    wrong, missing = run(program, tmp_path / "x"), run(program, tmp_path / "y")
    assert (wrong.returncode, missing.returncode) == (2, 1)
    assert b"no framebus ring" in wrong.stderr


def test_c_program_reads_a_segment_of_ones_own_by_its_path_too(
    program: Path, runtime: Path
) -> None:
    with closing(RingWriter.create(CameraNames(runtime), capacity=1 << 16)) as writer:
        writer.publish(b"x", captured_ns=time.monotonic_ns(), captured_utc_ns=time.time_ns())
        done = run(program, writer.path)
    assert (done.returncode, done.stdout) == (0, b"x")


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"../../etc/passwd\n", b"framebus-x\n"])
def test_c_program_refuses_a_ring_file_that_names_no_ring(
    program: Path, runtime: Path, content: bytes
) -> None:
    (runtime / "camera.ring").write_bytes(content)
    done = run(program, runtime / "camera.ring")
    assert done.returncode == 1
    assert b"does not name a ring" in done.stderr


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
def test_c_program_refuses_a_directory_that_others_may_write(
    program: Path, runtime: Path, mode: int
) -> None:
    names = CameraNames(runtime)
    with closing(RingWriter.create(names, capacity=1 << 16)):
        runtime.chmod(mode)
        assert run(program, names.ring_file).returncode == 1


@pytest.mark.parametrize("kind", KINDS)
def test_c_program_refuses_what_others_could_have_made_and_waits_for_nothing(
    program: Path, runtime: Path, kind: str
) -> None:
    names = CameraNames(runtime)
    with closing(RingWriter.create(names, capacity=1 << 16)) as writer:
        for path in (writer.path, names.ring_file):
            put(kind, path)
            done = run(program, path)
            assert done.returncode == 1, done.stderr
            assert done.stderr
            path.rmdir() if kind == "directory" else path.unlink()


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give files away")
def test_c_program_refuses_a_ring_of_another_user_than_the_directorys(
    program: Path, runtime: Path
) -> None:
    names = CameraNames(runtime)
    with closing(RingWriter.create(names, capacity=1 << 16)) as writer:
        os.chown(writer.path, 65534, 65534)
        done = run(program, names.ring_file)
    assert done.returncode == 1
    assert b"another user" in done.stderr
