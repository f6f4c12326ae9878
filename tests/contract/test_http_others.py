"""Servers that send what is no picture, and keep the connection: the cause says what it is."""

from __future__ import annotations

import gzip

import pytest

from capture_daemon.sources.base import Interrupt, SourceError
from capture_daemon.sources.http.source import HttpSource
from tests.fakes.mjpeg_server import MULTIPART, Visit, part, serving
from tests.helpers.waiting import until
from tests.samples import pictures
from tests.samples.framings import SOUND


def failure_of(interrupt: Interrupt, answer: bytes) -> SourceError:
    """Open and read until the source fails; the server sends this and then nothing more."""

    def script(visit: Visit) -> None:
        visit.send(answer)
        visit.linger()

    failures: list[SourceError] = []
    with serving(script) as server:
        source = HttpSource(server.url(), interrupt, connect_s=0.2)

        def failed() -> bool:
            try:
                assert source.read(0.02) is None
            except SourceError as error:
                failures.append(error)
            return bool(failures)

        try:
            source.open()
        except SourceError as error:
            failures.append(error)
        else:
            until(failed, what="the cause")
        source.close()
    return failures[0]


@pytest.mark.parametrize(
    ("answer", "code", "named"),
    [
        (MULTIPART + SOUND + b"--seam\r\n", "not-multipart", "sound"),
        (MULTIPART + SOUND.replace(b"audio/basic", b"application/json"), "not-multipart", "json"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "not-multipart", "web page"),
        (b"HTTP/1.0 200 OK\r\n\r\nGIF89a", "not-jpeg", "GIF"),
    ],
)
def test_what_is_no_picture_is_named_and_not_called_a_silence(
    interrupt: Interrupt, answer: bytes, code: str, named: str
) -> None:
    failure = failure_of(interrupt, answer)
    assert failure.code == code
    assert named in failure.message


def test_who_compresses_pictures_is_told_not_to(interrupt: Interrupt) -> None:
    packed = gzip.compress(MULTIPART * 10)
    head = MULTIPART.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    assert "framebus asks for no compression" in failure_of(interrupt, head + packed).remedy


def test_a_placeholder_that_is_shown_once_is_an_absent_camera_and_no_silence(
    interrupt: Interrupt,
) -> None:
    shown = part(pictures.jpeg(), "X-UStreamer-Online: false")
    assert failure_of(interrupt, MULTIPART + shown).code == "camera-away"


@pytest.mark.parametrize("first", [b"", b"--seam\r\nX: "])
def test_a_head_without_end_is_a_failure_of_the_server_wherever_its_bytes_come(
    interrupt: Interrupt, first: bytes
) -> None:
    endless = MULTIPART + first + b"--seam\r\nX: " + b"x" * 40_000
    failure = failure_of(interrupt, endless)
    assert failure.code in ("unreachable", "stream-broken")
    assert "head is larger" in failure.message
