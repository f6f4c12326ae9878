"""Readers of rings whose numbers are damaged: they say so, or read less; none of them ends."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from framebus.errors import FrameGone, SegmentInvalid
from framebus.ring.reader import RingReader

from tests.fuzz.ring_damage import FRAMES, damages, sound_ring

READER = Path(__file__).parents[2] / "examples" / "reader.c"
HARNESS = Path(__file__).with_name("reader_harness.c")
COUNT = 20_000


def test_c_reader_survives_damaged_numbers_under_sanitizers(runtime: Path, tmp_path: Path) -> None:
    program, ring = tmp_path / "harness", tmp_path / "ring"
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
    options = ("-std=c11", "-D_GNU_SOURCE", f'-DREADER="{READER}"', *sanitizers)
    subprocess.run(["cc", *options, "-o", str(program), str(HARNESS)], check=True)
    sound_ring(runtime, ring)
    lines = (
        " ".join(f"{word} {value}" for word, value in damage.items())
        for damage in damages(1, COUNT)
    )
    done = subprocess.run(
        [program, ring],
        input="\n".join(["", *lines, ""]),
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ERROR" not in done.stderr
    refused, frames = map(int, done.stdout.split())
    assert 0 < refused < COUNT, "the damage is of one kind only"
    assert frames > COUNT, "hardly a frame was read: nothing was tried"


@pytest.mark.parametrize("seed", range(4))
def test_python_reader_survives_damaged_numbers(runtime: Path, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ring"
    sound_ring(runtime, path)
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    read = refused = 0
    for damage in damages(seed, 1500):
        before = {word: os.pread(fd, 8, word * 8) for word in damage}
        for word, value in damage.items():
            os.pwrite(fd, value.to_bytes(8, "little"), word * 8)
        try:
            read += _use(path)
        except SegmentInvalid:
            refused += 1
        for word, bytes_ in before.items():
            os.pwrite(fd, bytes_, word * 8)
    os.close(fd)
    assert refused > 0
    assert read > 1500
    assert _use(path) == FRAMES, "the ring was not sound at the end"


def _use(path: Path) -> int:
    """Do with a ring all that its readers do; return how many frames could be read."""
    ring = RingReader.open(path, os.geteuid())
    read = 0
    try:
        assert isinstance(ring.status(), dict)
        assert ring.interval_ns <= 3600 * 10**9
        assert 0 <= ring.oldest <= ring.cursor
        for sequence in {ring.cursor, *range(FRAMES + 2)}:
            try:
                frame = ring.read(sequence)
            except FrameGone:
                continue
            read += sequence <= FRAMES
            assert frame.captured_ns <= time.monotonic_ns() + 10**9
        try:
            ring.newest()
            ring.check_left()
        except (FrameGone, SegmentInvalid):
            pass
    finally:
        ring.close()
    return read
