"""The rpicam source over a stand-in for its program, which behaves as that one's source says."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from capture_daemon.sources.base import Interrupt, Request, SourceError, SourceGone, SourceUnusable
from capture_daemon.sources.rpicam.source import RpicamSource
from tests.contract.source_contract import take
from tests.fakes import rpicam_vid
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.samples import pictures


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that has rpicam-vid; set RPICAM_FAULT in it."""
    rpicam_vid.put(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return monkeypatch


def programs() -> list[int]:
    """The rpicam-vid that this process has started; other tests' children may be left."""
    return [
        pid
        for pid in children(os.getpid())
        if b"rpicam-vid" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def refused(source: RpicamSource) -> SourceError:
    with pytest.raises(SourceError) as raised:
        source.open()
    assert not programs()
    return raised.value


def test_pictures_come_as_they_are_made_and_none_waits_for_the_next(
    board: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    source = RpicamSource("", Request(160, 128, 2), interrupt)
    try:
        granted = source.open()
        assert (granted.fourcc, granted.width, granted.height) == ("MJPG", 160, 128)
        assert [frame.data for frame in take(source, 2)] == [
            pictures.jpeg(number, 160, 128) for number in range(2)
        ]
    finally:
        source.close()
    assert not programs()


def test_what_a_source_may_say_reaches_the_program(
    board: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    assert "selected camera is not available" in str(
        refused(RpicamSource("--camera 7 --hflip", Request(), interrupt))
    )


@pytest.mark.parametrize(
    ("fault", "code", "remedy"),
    [("absent", "device-absent", "ribbon cable"), ("held", "device-busy", "another program")],
)
def test_what_it_says_is_the_cause_and_has_a_remedy(
    board: pytest.MonkeyPatch, interrupt: Interrupt, fault: str, code: str, remedy: str
) -> None:
    board.setenv("RPICAM_FAULT", fault)
    error = refused(RpicamSource("", Request(), interrupt))
    assert error.code == code
    assert not error.permanent
    assert remedy in error.remedy


def test_without_the_program_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceUnusable, match="rpicam-vid is not installed") as raised:
        RpicamSource("", Request(), interrupt).open()
    assert "apt install rpicam-apps" in raised.value.remedy


def test_its_old_name_will_do(
    tmp_path: Path, board: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    (tmp_path / "rpicam-vid").rename(tmp_path / "libcamera-vid")
    source = RpicamSource("", Request(), interrupt)
    source.open()
    source.close()


def test_one_that_breaks_while_it_streams_ends_the_source_with_its_words(
    board: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    board.setenv("RPICAM_FAULT", "breaks")
    source = RpicamSource("", Request(), interrupt)
    source.open()
    with pytest.raises(SourceGone, match="ended with status 255: failed to queue request"):
        take(source, 9)
    source.close()


def test_a_first_picture_that_does_not_come_in_time_is_said(
    board: pytest.MonkeyPatch, interrupt: Interrupt
) -> None:
    board.setenv("RPICAM_FAULT", "slow")
    error = refused(RpicamSource("", Request(), interrupt, first_frame_s=0.3))
    assert error.code == "no-picture"


def test_a_camera_that_stops_and_one_that_is_killed_come_back_by_the_ladder(
    board: pytest.MonkeyPatch, runtime: Path
) -> None:
    board.setenv("RPICAM_FAULT", "stalls")
    with DaemonProcess(runtime, "--source", "rpicam:--camera=0") as daemon:
        daemon.until_state("streaming")
        first = children(daemon.pid)
        until(lambda: children(daemon.pid) not in ([], first), within_s=50, what="another child")
        until(lambda: daemon.status()["frames"]["published"] > 3, within_s=50, what="frames of it")
        second = children(daemon.pid)
        for pid in second:
            os.kill(pid, signal.SIGKILL)
        until(lambda: children(daemon.pid) not in ([], second), within_s=50, what="a third child")


def test_its_frames_reach_the_ring(board: pytest.MonkeyPatch, runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "rpicam", "--size", "64x48", "--fps", "20") as daemon:
        status = daemon.until_state("streaming")
        assert status["source"]["kind"] == "rpicam"
        assert status["source"]["granted"]["width"] == 64
        until(lambda: daemon.status()["frames"]["published"] > 20, what="frames")
        assert daemon.status()["frames"]["rejected"] == {}
