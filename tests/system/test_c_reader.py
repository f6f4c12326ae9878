from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.writer import RingWriter

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
            "-O2",
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
            [program, names.segment_path, "200"], capture_output=True, timeout=50, check=True
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


def test_c_program_names_what_is_not_a_ring(program: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(8192))
    wrong = subprocess.run([program, tmp_path / "x", "1"], capture_output=True, timeout=30)
    missing = subprocess.run([program, tmp_path / "y", "1"], capture_output=True, timeout=30)
    assert (wrong.returncode, missing.returncode) == (2, 1)
    assert b"no framebus ring" in wrong.stderr
