"""The `http` source on other programs' streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from framebus import FrameReader

from benchmarks import tools
from benchmarks.peers import Ustreamer
from benchmarks.task import Task
from tests.helpers.waiting import until
from tests.programs import picture_servers
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import WebTier
from tests.samples.pictures import decode

SIZE = tools.Size(640, 360)
VLC_MIME = "multipart/x-mixed-replace;boundary=7b3cc56e5f51db803f790dad720ed50a"


def need(*programs: str) -> None:
    """Leave a test out where its client is missing."""
    absent = picture_servers.absent(*programs)
    if absent:
        pytest.skip(f"not installed: {absent} (python tests/setup_system.py, as root on Debian)")


def test_the_http_source_reads_debians_ustreamer(runtime: Path, tmp_path: Path) -> None:
    need("ustreamer", "ffmpeg", "cc")
    clip = tools.clip(SIZE, tmp_path)
    task = Task(clip=clip, size=SIZE, fps=30, cores=(0,), tools=tmp_path)
    shown = clip.read_bytes()
    ustreamer = Ustreamer(task)
    try:
        url = f"http://127.0.0.1:{ustreamer.port}/stream"
        with DaemonProcess(runtime, "--source", url), FrameReader() as reader:
            frames = [reader.next(20) for _ in range(20)]
    finally:
        ustreamer.close()
    assert all(frame.jpeg in shown for frame in frames), "not byte for byte what ustreamer was fed"


MPJPEG = ("-c:v", "mjpeg", "-f", "mpjpeg")
MJPEG = ("-c:v", "mjpeg", "-f", "mjpeg")


@pytest.mark.parametrize(
    ("program", "serve"),
    [
        pytest.param("ffmpeg", lambda: picture_servers.ffmpeg(*MPJPEG), id="ffmpeg-mpjpeg"),
        pytest.param("ffmpeg", lambda: picture_servers.ffmpeg(*MJPEG), id="ffmpeg-mjpeg"),
        pytest.param("cvlc", picture_servers.vlc, id="vlc"),
        pytest.param("cvlc", lambda: picture_servers.vlc(VLC_MIME), id="vlc-with-type"),
        pytest.param("gst-launch-1.0", picture_servers.gstreamer, id="gstreamer"),
    ],
)
def test_streams_of_programs_that_do_not_say_what_they_send(
    runtime: Path, program: str, serve: Callable[[], AbstractContextManager[str]]
) -> None:
    need(program, "ffmpeg")
    with (
        serve() as url,
        DaemonProcess(runtime, "--source", url) as daemon,
        FrameReader() as reader,
    ):
        for _ in range(12):
            assert decode(reader.next(30).jpeg) == (160, 120)
        assert daemon.status()["frames"]["rejected"] == {}


H264 = ("-c:v", "libx264", "-tune", "zerolatency")


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ((*H264, "-f", "h264"), "H.264"),
        ((*H264, "-f", "mpegts"), "MPEG-TS"),
        ((*H264, "-movflags", "frag_keyframe+empty_moov", "-f", "mp4"), "MP4"),
        (("-c:v", "mjpeg", "-f", "matroska"), "Matroska"),
    ],
)
def test_what_is_sent_instead_of_jpeg_stays_the_cause_though_the_server_has_ended(
    runtime: Path, output: Sequence[str], kind: str
) -> None:
    need("ffmpeg")
    with (
        picture_servers.ffmpeg(*output) as url,
        DaemonProcess(runtime, "--source", url) as daemon,
    ):

        def tried_again() -> dict[str, Any]:
            status = daemon.status()
            return status if status.get("attempts", 0) >= 2 else {}

        cause = until(tried_again, what="a second try")["cause"]
    assert cause["code"] == "not-jpeg"
    assert kind in cause["message"]
    assert "ffmpeg:-i" in cause["remedy"]


def until_cause(daemon: DaemonProcess, code: str) -> dict[str, Any]:
    def there() -> dict[str, Any]:
        status = daemon.status()
        return status if (status.get("cause") or {}).get("code") == code else {}

    return until(there, what=f"the cause {code}")


@pytest.mark.parametrize("path", ["/stream", "/snapshot"])
def test_a_ustreamer_without_a_signal_gives_no_frames(runtime: Path, path: str) -> None:
    need("ustreamer")
    with (
        picture_servers.ustreamer_without_a_camera() as url,
        DaemonProcess(runtime, "--source", url + path) as daemon,
    ):
        status = until_cause(daemon, "camera-away")
    assert "no signal" in status["cause"]["message"]
    assert status["frames"]["captured"] == 0


@pytest.mark.parametrize("fallback", [False, True])
def test_a_framebus_whose_camera_is_away_gives_no_frames(runtime: Path, fallback: bool) -> None:
    away = ("--source", "file:/nowhere.mjpeg")
    other = ("--fallback-source", "test") if fallback else ()
    with (
        DaemonProcess(runtime, *away, *other, name="first"),
        closing(WebTier(runtime)) as web,
    ):
        url = f"http://127.0.0.1:{web.port}/cameras/first/stream"
        with DaemonProcess(runtime, "--source", url) as daemon:
            status = until_cause(daemon, "camera-away")
            assert "/state" in status["cause"]["remedy"]
            assert status["frames"]["captured"] == 0


@pytest.mark.parametrize("path", ["stream", "snapshot"])
def test_another_framebus_is_followed(runtime: Path, path: str) -> None:
    test = ("--source", "test", "--size", "160x120", "--fps", "10")
    with (
        DaemonProcess(runtime, *test, name="first"),
        closing(WebTier(runtime)) as web,
        FrameReader() as reader,
    ):
        url = f"http://127.0.0.1:{web.port}/cameras/first/{path}"
        with DaemonProcess(runtime, "--source", url) as daemon:
            for _ in range(4):
                assert decode(reader.next(30).jpeg) == (160, 120)
            daemon.until_state("streaming")
