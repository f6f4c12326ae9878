"""What some bytes are, and what a body is that is no stream of pictures."""

from __future__ import annotations

import pytest

from capture_daemon.sources.http.body import BodyParser, NoPictures
from capture_daemon.sources.http.response_parser import Head
from capture_daemon.sources.pictures.sniffing import is_picture, kind_of, kind_of_type
from tests.samples import pictures

PICTURE = pictures.jpeg()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PICTURE, "JPEG"),
        (b"\0\0\0\x01\x67\x42\xc0\x1f", "H.264"),
        (b"\0\0\x01\x09\xf0\0\0\0\x01\x67", "H.264"),
        (b"\0\0\0\x01\x65\x88\x84", "H.264"),
        (b"\0\0\0\x01\x40\x01\x0c", "H.265"),
        (b"\0\0\0\x01\x46\x01\x50", "H.265"),
        (b"\0\0\x01\xba\x44", "MPEG-PS"),
        (b"\0\0\0\x20ftypisom", "MP4"),
        (b"\0\0\0\x18moof\0\0\0\x10", "MP4"),
        (b"G\x40\x11\x10\0\x42", "MPEG-TS"),
        (b"G\x40\x00\x30\0\x42", "MPEG-TS"),
        (b"FLV\x01\x05", "FLV"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"\x1a\x45\xdf\xa3\x01", "Matroska or WebM"),
        (b"\x89PNG\r\n\x1a\n\0", "PNG"),
        (b"#EXTM3U\n", "an HLS playlist"),
        (b"\r\n <!DOCTYPE html>", "a web page"),
        (b"GET / HTTP/1.1", ""),
        (b"\0\0\0\x01\xff\xff", ""),
        (b"Good morning", ""),
        (b"", ""),
    ],
)
def test_formats_are_known_by_their_first_bytes(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


@pytest.mark.parametrize(
    ("content_type", "kind", "picture"),
    [
        ("video/H264", "H.264", True),
        ("video/hevc", "H.265", True),
        ("video/mp2t", "MPEG-TS", True),
        ("application/vnd.apple.mpegurl", "an HLS playlist", True),
        ("text/html; charset=utf-8", "a web page", False),
        ("audio/basic", "sound", False),
    ],
)
def test_a_type_says_it_too(content_type: str, kind: str, picture: bool) -> None:
    assert kind_of_type(content_type) == kind
    assert is_picture(kind) is picture


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("application/octet-stream", b"\0\0\0\x01\x67\x42\xc0\x1f" + b"x" * 20, "H.264"),
        ("multipart/x-mixed-replace;boundary=x", b"\0\0\0\x20ftypisom" + b"x" * 20, "MP4"),
        ("text/html", b"<html><body>Log in first</body></html>", "a web page"),
        ("application/json; charset=utf-8", b'{"error": "no-such-page"}', "application/json"),
        ("", b"Good morning, who are you?" * 400, "something that it gives no type for"),
        ("application/octet-stream", b"x" * 9000, "application/octet-stream"),
        (
            "multipart/x-mixed-replace;boundary=x",
            b"--x\r\nContent-Type: video/h264\r\n\r\n" + b"z" * 40,
            "H.264",
        ),
    ],
)
def test_a_body_without_pictures_is_called_by_its_name(
    content_type: str, body: bytes, kind: str
) -> None:
    with pytest.raises(NoPictures) as refusal:
        BodyParser(Head(200, {"content-type": content_type}), None).feed(body)
    assert str(refusal.value) == kind


def test_a_body_that_was_encoded_unasked_is_said_so() -> None:
    head = Head(200, {"content-type": "image/jpeg", "content-encoding": "br"})
    with pytest.raises(NoPictures, match="compressed"):
        BodyParser(head, None).feed(b"\x8b\x02" * 3000)


def test_an_empty_body_is_nothing() -> None:
    with pytest.raises(NoPictures, match="nothing"):
        BodyParser(Head(200, {"content-type": "image/jpeg"}), 0).finish()


def test_one_picture_with_a_length_is_passed_on_whole() -> None:
    body = PICTURE + b"\r\n\0\0"
    parser = BodyParser(Head(200, {"content-type": "image/jpeg"}), len(body))
    assert parser.feed(body[:100]) == []
    assert [part.body for part in parser.feed(body[100:])] == [body]
    assert parser.finish() == []


def test_pictures_behind_something_else_are_found() -> None:
    parser = BodyParser(Head(200, {}), None)
    assert [part.body for part in parser.feed(b"\0\0hello, camera here" + PICTURE)] == [PICTURE]
