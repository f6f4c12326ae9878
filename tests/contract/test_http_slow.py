"""Servers that are slow, for good or by malice, and those whose own camera is away."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from capture_daemon.sources.base import Captured, Granted, Interrupt, SourceError
from capture_daemon.sources.http.source import HttpSource
from tests.contract.source_contract import PATIENCE_S, take
from tests.fakes.mjpeg_server import MULTIPART, Script, Visit, part, serving
from tests.helpers.waiting import until
from tests.samples import pictures

FRAME = pictures.jpeg()
OTHER = pictures.jpeg(7)


class Follower:
    """Opens and reads a source as the capture thread does, for as long as it takes."""

    def __init__(self, source: HttpSource) -> None:
        self.source = source
        self.failures: list[SourceError] = []
        self.granted: list[Granted] = []
        self.open = False

    def frame(self) -> Captured | None:
        try:
            if not self.open:
                self.granted.append(self.source.open())
                self.open = True
            return self.source.read(0.02)
        except SourceError as error:
            self.failures.append(error)
            self.source.close()
            self.open = False
            return None

    def stalled(self) -> None:
        """What the lifecycle does after a silence."""
        self.source.close()
        self.open = False


def after(delay_s: float, *pieces: bytes) -> Script:
    """Answer so late, and go on for ever."""

    def script(visit: Visit) -> None:
        if not visit.stopping.wait(delay_s):
            visit.send(*pieces)
        visit.linger()

    return script


def test_an_answer_is_waited_for_longer_at_each_try(interrupt: Interrupt) -> None:
    with serving(after(0.6, MULTIPART, part(FRAME))) as server:
        follower = Follower(HttpSource(server.url(), interrupt, connect_s=0.1))
        until(follower.frame, what="a frame of a server that takes 0.6 s to answer")
        follower.source.close()
    assert {failure.code for failure in follower.failures} == {"no-answer"}
    assert server.visits > 1


def test_what_a_late_answer_says_is_heeded_like_any_other(interrupt: Interrupt) -> None:
    with serving(after(0.6, b"HTTP/1.0 404 Gone\r\n\r\n")) as server:
        follower = Follower(HttpSource(server.url(), interrupt, connect_s=0.1))

        def refused() -> bool:
            follower.frame()
            return follower.failures[-1:] != [] and follower.failures[-1].code == "not-found"

        until(refused, what="its refusal")
        follower.source.close()


def test_a_first_frame_is_granted_longer_at_each_try(interrupt: Interrupt) -> None:
    with serving(after(0, MULTIPART)) as server:
        follower = Follower(HttpSource(server.url(), interrupt, connect_s=0.3))
        for _ in range(2):
            until(lambda: follower.frame() or follower.open, what="an answer")
            granted_s = follower.granted[-1].first_frame_timeout_s
            waited_out = time.monotonic() + granted_s
            while time.monotonic() < waited_out:
                assert follower.frame() is None
            follower.stalled()
    first, *_, last = (granted.first_frame_timeout_s for granted in follower.granted)
    assert last >= 4 * first


def test_a_rate_below_one_a_second_is_what_the_stream_is_known_to_give(
    interrupt: Interrupt,
) -> None:
    with serving(after(0, MULTIPART, part(FRAME))) as server:
        for fps, granted in ((0.25, 0.25), (15.0, 0.0), (None, 0.0)):
            source = HttpSource(server.url(), interrupt, fps=fps)
            assert source.open().fps == granted
            source.close()


def test_pictures_in_place_of_the_camera_are_no_frames_and_name_the_cause(
    interrupt: Interrupt,
) -> None:
    def script(visit: Visit) -> None:
        visit.send(MULTIPART, part(FRAME))
        while not visit.stopping.wait(0.02):
            visit.send(part(OTHER, "X-Placeholder: device-gone"))

    with serving(script) as server:
        follower = Follower(HttpSource(server.url(user="a:secret"), interrupt, connect_s=0.2))
        frame = until(follower.frame, what="the frame")
        assert frame is not None
        assert frame.data == FRAME
        until(lambda: follower.frame() or follower.failures, what="the cause")
        follower.source.close()
    error = follower.failures[0]
    assert error.code == "camera-away"
    assert "device-gone" in error.message
    assert f"http://127.0.0.1:{server.port}/state" in error.remedy
    assert "secret" not in error.message + error.remedy


@pytest.mark.parametrize(
    "mark",
    ["X-Placeholder: silent", "X-UStreamer-Online: false", "X-Fallback: true\r\nX-Sequence: 4"],
)
def test_the_camera_is_back_over_the_same_connection(interrupt: Interrupt, mark: str) -> None:
    shown = [part(OTHER, mark)] * 3 + [part(FRAME, "X-UStreamer-Online: true")]
    with serving(after(0, MULTIPART, *shown)) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert take(source, 1)[0].data == FRAME
        source.close()
    assert server.visits == 1


def test_ustreamer_is_asked_whether_it_has_a_signal_and_no_other_server_is(
    interrupt: Interrupt,
) -> None:
    cookie = MULTIPART.replace(b"\r\n\r\n", b"\r\nSet-Cookie: stream_client=0/1; path=/\r\n\r\n")
    for head, asked in (
        (cookie, [b"GET /stream HTTP", b"GET /stream?extra_headers=1 HTTP"]),
        (MULTIPART, [b"GET /stream HTTP"]),
    ):
        with serving(after(0, head, part(FRAME))) as server:
            source = HttpSource(server.url(), interrupt)
            source.open()
            take(source, 1)
            source.close()
        assert [
            request[: len(what)] for request, what in zip(server.requests, asked, strict=True)
        ] == asked


@pytest.mark.parametrize(
    "answer",
    [
        b"\0\0\0\x01\x67\x42\0\x1f" + b"x" * 20,
        b"--seam\r\nContent-Type: video/H264\r\n\r\n" + b"y" * 40,
    ],
)
def test_what_is_sent_instead_stays_the_cause_when_the_server_ends_with_its_connection(
    interrupt: Interrupt, answer: bytes
) -> None:
    with serving(after(0, MULTIPART + answer)) as server:
        follower = Follower(HttpSource(server.url(), interrupt, connect_s=0.2))
        until(lambda: follower.frame() or follower.failures, what="the refusal")
    follower.frame()
    first, second = follower.failures
    assert (first.code, second.code) == ("not-jpeg", "not-jpeg")
    assert "H.264" in second.message
    assert "ffmpeg:-i" in second.remedy


def trickle(data: bytes, every_s: float) -> Script:
    """Send `data` byte by byte, over and over."""

    def script(visit: Visit) -> None:
        while True:
            for byte in data:
                if visit.stopping.wait(every_s):
                    return
                visit.send(bytes([byte]))

    return script


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", "no-answer"),
        (b"X-Header: and so on\r\n", "unreachable"),
    ],
)
def test_a_head_that_trickles_without_end_meets_its_deadline(
    interrupt: Interrupt, data: bytes, code: str
) -> None:
    with serving(trickle(data, 0.01)) as server:
        begun = time.monotonic()
        with pytest.raises(SourceError) as failure:
            HttpSource(server.url(), interrupt, connect_s=0.2).open()
        assert time.monotonic() - begun < PATIENCE_S
    assert failure.value.code in (code, "no-answer")


def flood(head: bytes, data: bytes) -> Script:
    def script(visit: Visit) -> None:
        visit.send(head)
        while not visit.stopping.is_set():
            visit.send(data)

    return script


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n" * 4000,
        b"--seam\r\nContent-Type: audio/x\r\nContent-Length: 4\r\n\r\nbeep\r\n" * 20,
        part(OTHER, "X-Placeholder: silent") * 20,
    ],
)
def test_a_flood_without_a_frame_does_not_hold_a_read(interrupt: Interrupt, data: bytes) -> None:
    with serving(flood(MULTIPART, data)) as server:
        source = HttpSource(server.url(), interrupt)
        begun = time.monotonic()
        with suppress(SourceError):  # a thousand parts are enough to tell
            source.open()
            assert source.read(0.1) is None
        assert time.monotonic() - begun < PATIENCE_S
        source.close()


def test_a_flood_in_place_of_a_head_does_not_hold_an_open(interrupt: Interrupt) -> None:
    with serving(flood(b"", b"\r\n" * 4000)) as server, pytest.raises(SourceError) as failure:
        HttpSource(server.url(), interrupt, connect_s=0.2).open()
    assert failure.value.code == "no-answer"


def test_redirects_that_each_take_their_time_meet_one_deadline(interrupt: Interrupt) -> None:
    def script(visit: Visit) -> None:
        if not visit.stopping.wait(0.15):
            visit.send(b"HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\n\r\n")

    with serving(script) as server:
        with pytest.raises(SourceError) as failure:
            HttpSource(server.url(), interrupt, connect_s=0.2).open()
        assert failure.value.code == "no-answer"
    assert len(server.requests) < 5


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "unreachable"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, "unreachable"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"
            + b"\0" * 5000,
            "not-multipart",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5;" + b"x" * 5000,
            "unreachable",
        ),
    ],
)
def test_what_has_no_end_is_given_up_at_once(
    interrupt: Interrupt, answer: bytes, code: str
) -> None:
    with serving(after(0, answer)) as server, pytest.raises(SourceError) as failure:
        HttpSource(server.url(), interrupt, connect_s=PATIENCE_S).open()
    assert failure.value.code == code


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"ICY 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\nContent-Type: application/octet-stream\n\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=seam\r\n"
        b"Content-Length: 0\r\n\r\n",
    ],
)
def test_odd_heads_are_those_of_a_stream_all_the_same(interrupt: Interrupt, head: bytes) -> None:
    with serving(after(0, head, part(FRAME), part(OTHER))) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert [frame.data for frame in take(source, 2)] == [FRAME, OTHER]
        source.close()
