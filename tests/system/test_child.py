"""The ffmpeg source's child: what becomes of it when things end badly."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from capture_daemon.sources.base import Interrupt, Request, SourceGone, SourceUnusable
from capture_daemon.sources.ffmpeg.source import FfmpegSource
from capture_daemon.sources.programs.child import Child
from capture_daemon.sources.programs.start_spacing import FREE
from tests.helpers.processes import alive, name_of
from tests.helpers.waiting import until
from tests.samples import pictures

Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Writes a shell script that stands in for ffmpeg; returns its path."""

    def write(script: str) -> str:
        path = tmp_path / "stand-in"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return write


def written(path: Path) -> int:
    """The number that a stand-in writes into a file, once it has."""
    return until(lambda: int(path.read_text() or 0) if path.exists() else 0, what=str(path))


PARENT = """
import sys, time
from capture_daemon.sources.programs.child import Child
child = Child(sys.argv[1:])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_the_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, "sleep", "60"], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        until(lambda: name_of(pid) == "sleep")
        parent.kill()
        until(lambda: not alive(pid), what="the child's death")


def test_the_child_dies_with_the_thread_that_started_it() -> None:
    started: list[Child] = []

    def start() -> None:
        started.append(Child(["sleep", "60"]))
        until(lambda: name_of(started[0].pid) == "sleep")

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    try:
        until(lambda: not alive(started[0].pid), what="the child's death")
    finally:
        started[0].close()


def test_a_child_that_ignores_term_is_killed_with_its_own_children(
    tmp_path: Path, program: Program
) -> None:
    inner = tmp_path / "inner"
    child = Child([program(f"trap '' TERM; sleep 60 & echo $! > {inner}; wait; wait")])
    grandchild = written(inner)
    child.close()
    assert not Path(f"/proc/{child.pid}").exists()
    until(lambda: not alive(grandchild), what="the grandchild's death")


def test_the_child_leads_a_group_and_hears_nothing() -> None:
    child = Child(["sleep", "60"])
    try:
        until(lambda: name_of(child.pid) == "sleep")
        assert os.getpgid(child.pid) == child.pid
        assert os.readlink(f"/proc/{child.pid}/fd/0") == "/dev/null"
        folder = f"/proc/{child.pid}/fd"  # more while its libraries are loaded
        until(lambda: sorted(os.listdir(folder)) == ["0", "1", "2"], what="only the three")
    finally:
        child.close()
        child.close()


def test_the_end_comes_with_its_last_words(program: Program, interrupt: Interrupt) -> None:
    script = (
        "for n in 1 2 3 4 5 6 7 8 9; do echo line $n >&2; done; "
        "echo rtsp://u:secret@x: Connection refused >&2; exit 3"
    )
    source = FfmpegSource("x", Request(), interrupt, program=program(script))
    with pytest.raises(SourceGone) as failure:
        source.open()
    message = failure.value.message
    assert "ended with status 3" in message
    assert message.endswith("status 3: Connection refused")


@pytest.mark.parametrize(
    "said",
    [
        "method DESCRIBE failed: 401 Unauthorized",
        "Server returned 403 Forbidden (access denied)",
    ],
)
def test_a_server_that_does_not_let_it_in_is_not_to_be_asked_again_soon(
    program: Program, interrupt: Interrupt, said: str
) -> None:
    source = FfmpegSource("x", Request(), interrupt, program=program(f"echo '{said}' >&2; exit 1"))
    with pytest.raises(SourceUnusable, match="ended with status 1") as failure:
        source.open()
    assert failure.value.code == "unauthorized"
    assert "password" in failure.value.remedy


def test_a_child_that_is_killed_while_streaming_is_gone(
    tmp_path: Path, program: Program, interrupt: Interrupt
) -> None:
    (tmp_path / "one.jpg").write_bytes(pictures.jpeg())
    said = tmp_path / "pid"
    script = f"echo $$ > {said}; cat {tmp_path}/one.jpg {tmp_path}/one.jpg; exec sleep 60"
    source = FfmpegSource("x", Request(), interrupt, program=program(script))
    source.open()
    assert source.read(30) is not None
    os.kill(written(said), signal.SIGKILL)
    assert source.read(30) is not None  # what had come before
    with pytest.raises(SourceGone, match="killed by signal 9"):
        source.read(30)
    source.close()


def test_a_child_that_shows_nothing_is_given_up(program: Program, interrupt: Interrupt) -> None:
    source = FfmpegSource(
        "x", Request(), interrupt, program=program("exec sleep 60"), first_frame_s=0.1
    )
    with pytest.raises(SourceGone) as failure:
        source.open()
    assert failure.value.code == "no-picture"


def test_an_interrupt_ends_the_wait_for_the_first_picture(
    program: Program, interrupt: Interrupt
) -> None:
    source = FfmpegSource("x", Request(), interrupt, program=program("exec sleep 60"))
    interrupt.set()
    with pytest.raises(SourceGone) as failure:
        source.open()
    assert failure.value.code == "interrupted"


def test_a_chatty_child_does_not_block_on_its_standard_error(
    tmp_path: Path, program: Program, interrupt: Interrupt
) -> None:
    (tmp_path / "one.jpg").write_bytes(pictures.jpeg())
    script = f"head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; cat {tmp_path}/one.jpg; exec sleep 60"
    source = FfmpegSource("x", Request(), interrupt, program=program(script))
    source.open()
    assert source.read(30) is not None
    source.close()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("times", ["trunc(N/3)*3", "N/2", "N"])
def test_frames_at_one_time_are_all_passed_on(interrupt: Interrupt, times: str) -> None:
    """Three by three, closer than the nominal rate, and as they should be."""
    lavfi = f"testsrc2=size=64x48:rate=50:duration=0.8,setpts={times}"
    source = FfmpegSource(f"-f lavfi -i {lavfi}", Request(), interrupt)
    source.open()
    try:
        for _ in range(30):
            assert source.read(30) is not None
    finally:
        source.close()


def test_a_program_that_is_missing_is_unusable(interrupt: Interrupt) -> None:
    source = FfmpegSource("x", Request(), interrupt, program="no-such-ffmpeg")
    with pytest.raises(SourceUnusable) as failure:
        source.open()
    assert failure.value.remedy == "apt install ffmpeg"


def test_a_program_that_cannot_run_says_so(tmp_path: Path, interrupt: Interrupt) -> None:
    path = tmp_path / "broken"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    source = FfmpegSource("x", Request(), interrupt, program=str(path))
    with pytest.raises(SourceGone, match=r"status 127: .*No such file"):
        source.open()


MAPPED = "  Stream #0:0 -> #0:0 (mjpeg (native) -> mjpeg (native))"


def test_jpegs_that_cannot_be_copied_are_encoded_the_next_time(
    tmp_path: Path, program: Program, interrupt: Interrupt
) -> None:
    """A camera that lets nobody in twice in a row: the second start, which would copy, fails."""
    (tmp_path / "one.jpg").write_bytes(pictures.jpeg())
    stream = f"echo '{MAPPED}' >&2; cat {tmp_path}/one.jpg; exec sleep 60"
    script = f'case "$*" in *copy*) exit 1;; *) {stream};; esac'
    source = FfmpegSource(f"{tmp_path}/one.jpg", Request(), interrupt, program=program(script))
    with pytest.raises(SourceGone):
        source.open()
    source.open()
    assert source.read(30) is not None
    source.close()


def test_a_stream_that_was_copied_is_copied_at_once_the_next_time(
    tmp_path: Path, program: Program, interrupt: Interrupt
) -> None:
    (tmp_path / "one.jpg").write_bytes(pictures.jpeg())
    starts = tmp_path / "starts"
    stream = f"echo '{MAPPED}' >&2; cat {tmp_path}/one.jpg; exec sleep 60"
    script = f'case "$*" in *copy*) echo c >>{starts};; *) echo e >>{starts};; esac; {stream}'
    source = FfmpegSource("x", Request(), interrupt, program=program(script))
    for _ in range(2):
        source.open()
        source.close()
    assert starts.read_text().split() == ["e", "c", "c"]


def test_what_ends_each_time_is_not_started_at_each_try(
    tmp_path: Path, program: Program, interrupt: Interrupt
) -> None:
    starts = tmp_path / "starts"
    source = FfmpegSource(
        "http://127.0.0.1/x", Request(), interrupt, program=program(f"echo >>{starts}; exit 1")
    )
    for _ in range(10):
        with pytest.raises(SourceGone, match="ended with status 1"):
            source.open()
    assert len(starts.read_text()) == FREE
