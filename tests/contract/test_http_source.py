"""What only the http source does; the rest is in the source contract."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from capture_daemon.sources.base import (
    Interrupt,
    SourceError,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.http.source import HttpSource
from tests.contract.source_contract import PATIENCE_S, take
from tests.fakes.mjpeg_server import MULTIPART, Visit, part, serving
from tests.samples import pictures

FRAME = pictures.jpeg()


def one_frame(visit: Visit) -> None:
    visit.send(MULTIPART, part(FRAME))
    visit.linger()


def refusal(interrupt: Interrupt, answer: bytes, user: str = "") -> SourceError:
    with serving(lambda visit: visit.send(answer)) as server:
        source = HttpSource(server.url(user=user), interrupt)
        with pytest.raises(SourceError) as failure:
            source.open()
    return failure.value


def test_parts_are_passed_on_byte_for_byte(interrupt: Interrupt) -> None:
    frames = [pictures.jpeg(number) + b"\0" * number for number in range(5)]
    with serving(lambda visit: visit.send(MULTIPART, *map(part, frames))) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert [frame.data for frame in take(source, 5)] == frames
        with pytest.raises(SourceGone):
            take(source, 1)
        source.close()


def test_a_chunked_stream_without_lengths_is_read(interrupt: Interrupt) -> None:
    head = MULTIPART.replace(b"1.0", b"1.1").replace(
        b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = part(FRAME, length=False) + part(FRAME, length=False) + b"--seam\r\n"
    chunks = [
        b"%x\r\n%s\r\n" % (len(body[at : at + 99]), body[at : at + 99])
        for at in range(0, len(body), 99)
    ]

    def script(visit: Visit) -> None:
        visit.send(head, *chunks)
        visit.linger()

    with serving(script) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert [frame.data for frame in take(source, 2)] == [FRAME, FRAME]
        source.close()


def test_redirects_are_followed_and_the_password_stays_with_its_server(
    interrupt: Interrupt,
) -> None:
    with serving(one_frame) as target:

        def script(visit: Visit) -> None:
            if b"Authorization" not in visit.request:
                visit.send(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n")
                return
            location = "/here" if b"/stream" in visit.request else target.url("/there")
            visit.send(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode())

        with serving(script) as server:
            source = HttpSource(server.url(user="me:secret"), interrupt)
            granted = source.open()
            take(source, 1)
            source.close()
        assert granted.device == target.url("")
        assert [b"Authorization: Basic" in asked for asked in server.requests] == [
            *(False, True, True)
        ]
        assert server.requests[2].startswith(b"GET /here HTTP/1.1\r\n")
        assert b"Authorization" not in target.requests[0]


def test_endless_redirects_end(interrupt: Interrupt) -> None:
    error = refusal(interrupt, b"HTTP/1.1 301 Moved\r\nLocation: /again\r\n\r\n")
    assert error.code == "too-many-redirects"


@pytest.mark.parametrize(
    ("answer", "user", "code", "remedy"),
    [
        (
            b"HTTP/1.0 401 No\r\nWWW-Authenticate: Basic\r\n\r\n",
            "",
            "unauthorized",
            "NAME:PASSWORD",
        ),
        (
            b"HTTP/1.0 401 No\r\nWWW-Authenticate: Basic\r\n\r\n",
            "a:secret",
            "unauthorized",
            "check",
        ),
        (
            b"HTTP/1.0 401 No\r\nWWW-Authenticate: Digest x\r\n\r\n",
            "a:secret",
            "unauthorized",
            "ffmpeg",
        ),
        (b"HTTP/1.0 403 No\r\n\r\n", "", "forbidden", "right"),
        (b"HTTP/1.0 404 No\r\n\r\n", "a:secret", "not-found", "path"),
        (b"HTTP/1.0 503 Busy\r\n\r\n", "", "bad-status", "log"),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>Camera</body></html>",
            "a:secret",
            "not-multipart",
            "/stream",
        ),
        (b"HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "", "bad-url", "http://"),
        (b"220 ready\r\n\r\n", "", "unreachable", "curl"),
        (b"", "", "unreachable", "curl"),
    ],
)
def test_each_refusal_has_a_code_and_a_remedy_and_tells_no_secret(
    interrupt: Interrupt, answer: bytes, user: str, code: str, remedy: str
) -> None:
    error = refusal(interrupt, answer, user)
    assert error.code == code
    assert remedy in error.remedy
    assert "secret" not in error.message + error.remedy


def test_nobody_listening_is_refused(interrupt: Interrupt) -> None:
    with serving(one_frame) as server:
        url = server.url()
    with pytest.raises(SourceError) as failure:
        HttpSource(url, interrupt).open()
    assert failure.value.code == "refused"


def test_a_server_that_says_nothing_is_given_up(interrupt: Interrupt) -> None:
    with serving(Visit.linger) as server, pytest.raises(SourceError) as failure:
        HttpSource(server.url(), interrupt, connect_s=0.2).open()
    assert failure.value.code == "no-answer"


def test_a_server_that_says_nothing_does_not_hold_an_interrupted_open(
    interrupt: Interrupt,
) -> None:
    def script(visit: Visit) -> None:
        interrupt.set()
        visit.linger()

    with serving(script) as server:
        begun = time.monotonic()
        with pytest.raises(SourceGone) as failure:
            HttpSource(server.url(), interrupt, connect_s=60).open()
        assert time.monotonic() - begun < PATIENCE_S
    assert failure.value.code == "interrupted"


def test_a_trickle_that_makes_no_frame_does_not_hold_a_read(interrupt: Interrupt) -> None:
    def script(visit: Visit) -> None:
        visit.send(MULTIPART, b"--seam\r\nContent-Length: 1000000\r\n\r\n")
        while not visit.stopping.wait(0.005):
            visit.send(b"x")

    with serving(script) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        begun = time.monotonic()
        assert source.read(0.2) is None
        assert time.monotonic() - begun < PATIENCE_S
        source.close()


def test_the_servers_own_count_shows_what_was_lost_before_us(interrupt: Interrupt) -> None:
    said = ("7", "8", "12", "1", "2", "x", "9", "9" * 18)  # so many cannot have been lost
    parts = [part(FRAME, f"X-Sequence: {number}") for number in said]
    with serving(lambda visit: visit.send(MULTIPART, *parts)) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        numbers = [frame.captured.device_sequence for frame in take(source, len(said))]
        source.close()
    assert numbers == [1, 2, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("mark", ["X-Placeholder: no camera", "X-UStreamer-Online: false"])
def test_what_a_server_shows_in_place_of_its_camera_is_no_frame(
    interrupt: Interrupt, mark: str
) -> None:
    other = pictures.jpeg(7)
    script = [MULTIPART, part(FRAME), part(other, mark), part(FRAME, "X-UStreamer-Online: true")]
    with serving(lambda visit: visit.send(*script)) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert [frame.data for frame in take(source, 2)] == [FRAME, FRAME]
        source.close()


def test_the_servers_clock_says_when_a_frame_was_captured(interrupt: Interrupt) -> None:
    stamped = part(FRAME, f"X-Timestamp: {time.time() - 0.5:.3f}")
    with serving(lambda visit: visit.send(MULTIPART, stamped, part(FRAME))) as server:
        source = HttpSource(server.url(), interrupt)
        source.open()
        first, second = take(source, 2)
        source.close()
    assert first.returned_ns - first.captured.captured_ns >= 400_000_000
    assert second.captured.captured_ns > first.captured.captured_ns


def test_a_certificate_nobody_vouches_for_is_unusable(interrupt: Interrupt) -> None:
    with serving(one_frame, tls=True) as server:
        with pytest.raises(SourceUnusable) as failure:
            HttpSource(server.url(), interrupt).open()
        assert failure.value.code == "bad-certificate"
        assert f"?tls=sha256:{server.fingerprint()}" in failure.value.remedy


def test_frames_come_over_tls(interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(one_frame, tls=True) as server:
        assert server.certificate is not None
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        source = HttpSource(server.url(), interrupt)
        source.open()
        assert take(source, 1)[0].data == FRAME
        assert source.read(0.05) is None
        source.close()


def test_plain_http_where_tls_was_expected_is_said_so(interrupt: Interrupt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SourceError) as failure:
            HttpSource(f"https://127.0.0.1:{listener.getsockname()[1]}/", interrupt).open()
        thread.join()
    assert failure.value.code == "no-tls"
