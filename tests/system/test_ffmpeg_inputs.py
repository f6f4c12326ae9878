"""The `ffmpeg` source with the real ffmpeg: what it reads, how fast, and what others can see."""

from __future__ import annotations

import io
import os
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from capture_daemon.sources.base import Interrupt, Request, SourceGone
from capture_daemon.sources.ffmpeg.source import FfmpegSource
from tests.fakes.mjpeg_server import MULTIPART, Visit, part, serving
from tests.fakes.rtsp_server import rtsp
from tests.helpers.processes import children
from tests.samples.pictures import jpeg

PICTURES = [jpeg(number) for number in range(4)]


def taken(source: FfmpegSource, count: int) -> list[bytes]:
    frames = []
    for _ in range(count):
        captured = source.read(30)
        assert captured is not None
        frames.append(bytes(captured.data))
    return frames


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def arguments_of_children() -> str:
    """What `ps` shows of this process's children and theirs."""
    pids = children(os.getpid())
    pids += [pid for child in pids for pid in children(child)]
    return " ".join(
        Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids
    )


@pytest.mark.parametrize("transport", ["", "-rtsp_transport tcp "])
def test_a_name_and_password_reach_an_rtsp_camera_and_no_list_of_processes(
    interrupt: Interrupt, transport: str
) -> None:
    with rtsp(PICTURES, user="me:se:cret") as server:
        url = f"rtsp://me:se%3Acret@127.0.0.1:{server.port}/user=admin&password=hidden"
        source = FfmpegSource(f"{transport}-i {url}", Request(), interrupt)
        granted = source.open()
        try:
            shown = arguments_of_children()
            assert "hidden" not in shown
            assert "cret" not in shown
            assert len(taken(source, 5)) == 5
        finally:
            source.close()
        assert granted.device == f"rtsp://127.0.0.1:{server.port}"
        assert any("password=hidden RTSP" in request for request in server.requests)


@pytest.mark.parametrize("format_", ["", "-f mpjpeg ", "-f mjpeg -rw_timeout 9000000 "])
def test_headers_reach_an_http_server_and_no_list_of_processes(
    interrupt: Interrupt, format_: str
) -> None:
    def stream(visit: Visit) -> None:
        visit.send(MULTIPART)
        number = 0
        while not visit.stopping.wait(0.02):
            visit.send(part(PICTURES[number % 4]))
            number += 1

    with serving(stream) as server:
        url = server.url("/stream?token=hidden,;[x]:y", user="me:hidden")
        text = f"{format_}-headers \"X-Api-Key: it's hidden\" -i '{url}'"
        source = FfmpegSource(text, Request(), interrupt)
        source.open()
        try:
            assert "hidden" not in arguments_of_children()
            taken(source, 3)
        finally:
            source.close()
        assert b"X-Api-Key: it's hidden\r\n" in server.requests[0]
        assert b"/stream?token=hidden,;[x]:y HTTP" in server.requests[0]


def test_what_a_camera_answers_is_told_without_its_words(interrupt: Interrupt) -> None:
    with rtsp(PICTURES, status="404 hidden me") as server:
        source = FfmpegSource(
            f"rtsp://me:hidden@127.0.0.1:{server.port}/hidden", Request(), interrupt
        )
        with pytest.raises(SourceGone) as failure:
            source.open()
    assert "the server answers 404 Not Found" in failure.value.message
    assert "hidden" not in failure.value.message
    assert "name and password" in failure.value.remedy


@pytest.mark.parametrize("copy", [" -c copy", ""])
def test_motion_jpeg_over_rtsp_is_passed_on_as_it_is(interrupt: Interrupt, copy: str) -> None:
    originals = {pixels(picture) for picture in PICTURES}
    with rtsp(PICTURES) as server:
        url = f"rtsp://127.0.0.1:{server.port}/live"
        source = FfmpegSource(f"-rtsp_transport tcp -i {url}{copy}", Request(), interrupt)
        source.open()
        try:
            assert {pixels(frame) for frame in taken(source, 12)} == originals
        finally:
            source.close()


@pytest.mark.parametrize("text", ["{clip}", "-i {clip}", "-i {clip} -c:v copy"])
def test_motion_jpeg_of_a_recording_is_passed_on_as_it_is(
    interrupt: Interrupt, tmp_path: Path, text: str
) -> None:
    clip = tmp_path / "clip.mkv"
    made = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "mjpeg", "-r", "20", "-i", "-", "-c", "copy", str(clip)],
        input=b"".join(PICTURES),
        check=True,
        timeout=30,
    )
    assert made.returncode == 0
    source = FfmpegSource(text.format(clip=clip), Request(), interrupt)
    source.open()
    try:
        assert set(taken(source, 12)) == set(PICTURES)  # it loops, byte for byte
    finally:
        source.close()


def test_motion_jpeg_is_encoded_anew_where_something_else_is_asked_for(
    interrupt: Interrupt,
) -> None:
    with rtsp(PICTURES) as server:
        url = f"rtsp://127.0.0.1:{server.port}/live"
        source = FfmpegSource(f"-i {url}", Request(32, 24), interrupt)
        granted = source.open()
        source.close()
    assert (granted.width, granted.height) == (32, 24)


@pytest.mark.parametrize("text", ["-f lavfi -i testsrc2=size=64x48:rate=10", "-i {clip}"])
def test_what_has_no_rhythm_comes_at_its_own_rate(
    interrupt: Interrupt, tmp_path: Path, text: str
) -> None:
    clip = tmp_path / "clip.mp4"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10"),
            *("-t", "1", "-c:v", "libx264", str(clip)),
        ],
        check=True,
        timeout=30,
    )
    source = FfmpegSource(text.format(clip=clip), Request(), interrupt)
    source.open()
    try:
        before = time.monotonic()
        taken(source, 25)
        assert time.monotonic() - before > 1.5  # unpaced it takes some 20 ms
    finally:
        source.close()


def test_a_recording_that_ffmpeg_cannot_wind_back_begins_anew(
    interrupt: Interrupt, tmp_path: Path
) -> None:
    clip = tmp_path / "saved.mjpg"
    clip.write_bytes(b"".join(part(jpeg(number)) for number in range(30)))
    source = FfmpegSource(str(clip), Request(), interrupt)
    source.open()
    try:
        frames = taken(source, 75)
        assert frames[30:60] == frames[:30]
        assert len(set(frames)) == 30
    finally:
        source.close()


def test_a_recording_that_is_to_be_played_once_ends(interrupt: Interrupt, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(PICTURES))
    source = FfmpegSource(f"-stream_loop 0 -i {clip}", Request(), interrupt)
    source.open()
    with pytest.raises(SourceGone, match="ended with status 0"):
        taken(source, 9)
    source.close()


def test_an_absent_recording_is_looked_for_without_ffmpeg_until_it_is_there(
    interrupt: Interrupt, tmp_path: Path
) -> None:
    clip, program = tmp_path / "clip.mkv", tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\necho started >>"$0.log"\nexec ffmpeg "$@"\n')
    program.chmod(0o755)
    source = FfmpegSource(str(clip), Request(), interrupt, program=str(program))
    for _ in range(3):
        with pytest.raises(SourceGone, match="No such file or directory"):
            source.open()
    assert Path(f"{program}.log").read_text() == "started\n"
    record = [*("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=20")]
    subprocess.run([*record, "-t", "1", str(clip)], check=True, timeout=30)
    source.open()
    source.close()
