"""`framebus tap` and `framebus snapshot` as processes, on a ring that is being written."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from framebus.frame import FrameFlags

from tests.helpers.locks import lock_held
from tests.rigs.bus import Bus
from tests.rigs.numbered_frames import picture, publishing

COUNTS = re.compile(rb"(\d+) delivered, (\d+) skipped, (\d+) lapped")


def command(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "framebus", *arguments]


def finish(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), capture_output=True, timeout=30)


def numbers(stream: bytes) -> list[int]:
    """The frames in a stream, each checked to be whole."""
    found = []
    while stream:
        number = int(stream[8:14])
        assert stream.startswith(picture(number))
        found.append(number)
        stream = stream[len(picture(number)) :]
    return found


def test_tap_writes_whole_frames_in_order_and_tells_the_counts(runtime: Path) -> None:
    with publishing(runtime):
        done = finish("tap", "--count", "5", "--every")
    assert done.returncode == 0
    found = numbers(done.stdout)
    assert found == list(range(found[0], found[0] + 5))
    counts = COUNTS.search(done.stderr)
    assert counts is not None
    assert counts.groups() == (b"5", b"0", b"0")


def test_tap_writes_a_file_for_each_frame_with_names_that_sort(
    runtime: Path, tmp_path: Path
) -> None:
    with publishing(runtime):
        done = finish("tap", "--count", "4", "--output-dir", tmp_path)
    assert done.returncode == 0
    assert done.stdout == b""
    files = sorted(tmp_path.iterdir())
    found = [numbers(file.read_bytes())[0] for file in files]
    assert len(found) == 4
    assert found == sorted(set(found))
    assert all(re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-\d{9}\.jpg", file.name) for file in files)


def test_tap_ends_normally_when_its_reader_has_enough(runtime: Path) -> None:
    with (
        publishing(runtime),
        subprocess.Popen(command("tap"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(2) == b"\xff\xd8"
        process.stdout.close()
        assert process.wait(30) == 0
        assert COUNTS.search(process.stderr.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tap_ends_normally_on_a_signal(runtime: Path, number: signal.Signals) -> None:
    with (
        publishing(runtime),
        subprocess.Popen(command("tap"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        process.stdout.read(2)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert COUNTS.search(said)
        assert b"Traceback" not in said


def test_tap_waits_for_a_camera_and_says_so(runtime: Path) -> None:
    with subprocess.Popen(
        command("tap", "--count", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert b"waiting: no camera runs" in process.stderr.readline()
        with publishing(runtime):
            stream, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert len(numbers(stream)) == 1


TAKING = [("tap", "--count", "1"), ("snapshot", "-o", "-")]
"""Both commands that take frames; for the same thing they end with the same code."""


@pytest.mark.parametrize("taking", TAKING)
@pytest.mark.parametrize("name", [(), ("--name", "front")])
def test_no_camera_is_69_and_says_how_to_start_one(
    runtime: Path, taking: tuple[str, ...], name: tuple[str, ...]
) -> None:
    done = finish(*taking, "--timeout", "0.2", *name)
    assert done.returncode == os.EX_UNAVAILABLE
    assert " ".join(("framebus up", *name)).encode() in done.stderr


@pytest.mark.parametrize("taking", TAKING)
def test_no_frame_in_time_is_75(runtime: Path, taking: tuple[str, ...]) -> None:
    bus = Bus(runtime)
    try:
        with lock_held(bus.names):
            done = finish(*taking, "--timeout", "0.2")
    finally:
        bus.close()
    assert done.returncode == os.EX_TEMPFAIL
    assert b"no new frame" in done.stderr


@pytest.mark.parametrize("taking", TAKING)
def test_what_a_dead_daemon_left_is_no_camera(runtime: Path, taking: tuple[str, ...]) -> None:
    bus = Bus(runtime)
    try:
        done = finish(*taking, "--timeout", "0.2")
    finally:
        bus.close()
    assert done.returncode == os.EX_UNAVAILABLE


@pytest.mark.parametrize("taking", TAKING)
def test_a_name_that_is_none_is_64(runtime: Path, taking: tuple[str, ...]) -> None:
    assert finish(*taking, "--name", "Front").returncode == os.EX_USAGE


@pytest.mark.parametrize("taking", TAKING)
def test_a_reader_that_has_enough_is_no_failure(runtime: Path, taking: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with publishing(runtime):
            done = subprocess.run(
                command(*taking), stdout=writing, stderr=subprocess.PIPE, timeout=30
            )
    finally:
        os.close(writing)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


@pytest.mark.parametrize(
    "taking", [("tap", "--output-dir", "{}"), ("snapshot", "-o", "{}/now.jpg")]
)
def test_a_missing_directory_is_74_before_a_frame_is_waited_for(
    runtime: Path, tmp_path: Path, taking: tuple[str, ...]
) -> None:
    missing = tmp_path / "none"
    done = finish(*(each.format(missing) for each in taking))
    assert done.returncode == os.EX_IOERR
    assert f"mkdir -p {missing}".encode() in done.stderr


@pytest.mark.parametrize("taking", TAKING)
def test_a_full_disk_is_74(runtime: Path, taking: tuple[str, ...]) -> None:
    with publishing(runtime), open("/dev/full", "wb") as full:
        done = subprocess.run(command(*taking), stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == os.EX_IOERR
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("taking", TAKING)
def test_a_terminal_is_refused(runtime: Path, taking: tuple[str, ...]) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command(*taking), stdout=theirs, stderr=subprocess.PIPE, timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == os.EX_USAGE
    assert b"this terminal" in done.stderr


def test_snapshot_is_a_fresh_whole_frame(runtime: Path, tmp_path: Path) -> None:
    target = tmp_path / "now.jpg"
    target.write_bytes(b"old")
    before_ns = time.time_ns()
    with publishing(runtime):
        done = finish("snapshot", "-o", target, "--timeout", "25")
    assert done.returncode == 0, done.stderr
    assert len(numbers(target.read_bytes())) == 1
    assert target.stat().st_mtime_ns >= before_ns - 1_000_000_000
    assert os.listdir(tmp_path) == ["now.jpg"]


def test_snapshot_goes_to_standard_output(runtime: Path) -> None:
    with publishing(runtime):
        done = finish("snapshot", "-o", "-", "--timeout", "25")
    assert len(numbers(done.stdout)) == 1
    assert b"fallback" not in done.stderr


def test_snapshot_says_that_it_is_of_the_fallback(runtime: Path) -> None:
    with publishing(runtime, flags=FrameFlags.FALLBACK):
        done = finish("snapshot", "-o", "-", "--timeout", "25")
    assert len(numbers(done.stdout)) == 1
    assert b"not of the camera" in done.stderr


def test_snapshot_of_no_camera_is_69_and_leaves_the_old_file(runtime: Path, tmp_path: Path) -> None:
    target = tmp_path / "now.jpg"
    target.write_bytes(b"old")
    done = finish("snapshot", "-o", target, "--timeout", "0.1")
    assert done.returncode == os.EX_UNAVAILABLE
    assert b"framebus up" in done.stderr
    assert target.read_bytes() == b"old"
