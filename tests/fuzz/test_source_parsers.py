"""Whatever bytes come: the parsers raise only what they say, lose no memory, and come to an end."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress

from framebus.errors import UsageError
from hypothesis import given, settings
from hypothesis import strategies as st

from capture_daemon.settings.spec import parse
from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.sources.file.avi import AviError, AviReader
from capture_daemon.sources.http.auth import Credentials, challenges, digest, preferred
from capture_daemon.sources.http.multipart.delimiters import boundary_of
from capture_daemon.sources.http.multipart.parser import MultipartParser
from capture_daemon.sources.http.response_parser import ResponseParser, WireError
from capture_daemon.sources.http.target import Target
from capture_daemon.sources.http.trust import taken_from
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.markers import read_header
from capture_daemon.sources.pictures.splitter import JpegSplitter
from capture_daemon.sources.redact import redact
from tests.samples import pictures

PICTURE = pictures.jpeg(0, 16, 16)


def mixed(*tokens: bytes) -> st.SearchStrategy[bytes]:
    """Bytes made of pieces that mean something, pieces of them, and noise."""
    pieces = st.sampled_from(tokens)
    cut = st.tuples(pieces, st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
    return st.lists(pieces | cut | st.binary(max_size=12), max_size=40).map(b"".join)


JPEGS = mixed(
    PICTURE, b"\xff\xd8", b"\xff\xd9", b"\xff\xd8\xff", b"\xff\xda\x00\x08", b"\xff\xe0\xff\xff"
)
PARTS = mixed(
    b"--seam\r\n",
    b"--seam--\r\n",
    b"seam",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Type: image/jpeg",
    PICTURE,
)
RESPONSES = mixed(
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 100 Go\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n",
    b"Content-Length: 3\r\n",
    b"5\r\n",
    b"0\r\n\r\n",
    b"ffffffff\r\n",
    b"hello",
)
AVIS = mixed(
    b"RIFF\x10\x00\x00\x00AVI ",
    b"LIST\x00\x00\x00\x00hdrl",
    b"LIST\x40\x00\x00\x00strl",
    b"movi",
    b"strh\x38\x00\x00\x00vids",
    b"strf\x28\x00\x00\x00",
    b"MJPG",
    b"00dc\x05\x00\x00\x00",
    b"\0" * 28,
    b"LIST\xff\xff\xff\xff",
)
SIZES = st.lists(st.integers(1, 50), min_size=1, max_size=4)


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    cut: list[bytes] = []
    at = 0
    while at < len(data):
        cut.append(data[at : at + sizes[len(cut) % len(sizes)]])
        at += len(cut[-1])
    return cut


@settings(max_examples=400, deadline=None)
@given(JPEGS)
def test_jpeg_functions_never_raise(data: bytes) -> None:
    reason = jpeg.examine(data).reason
    assert reason in (None, "empty", "no-soi", "bad-header", "no-eoi")
    mended = jpeg.with_huffman_tables(data)
    assert not read_header(mended).lacks_tables
    assert jpeg.examine(mended).reason == reason
    assert jpeg.size(mended) == jpeg.size(data)


@settings(max_examples=400, deadline=None)
@given(JPEGS, SIZES)
def test_splitter_gives_the_same_frames_however_the_bytes_come(
    data: bytes, sizes: list[int]
) -> None:
    whole, piecewise = JpegSplitter(), JpegSplitter()
    frames = whole.feed(data)
    assert [frame for piece in pieces(data, sizes) for frame in piecewise.feed(piece)] == frames
    assert piecewise.flush() == whole.flush()
    at = 0
    for frame in frames:  # in order, and nothing that was not there
        at = data.index(frame, at) + len(frame)
        assert frame.startswith(b"\xff\xd8\xff")


@settings(max_examples=400, deadline=None)
@given(PARTS, SIZES)
def test_multipart_raises_only_its_own_error(data: bytes, sizes: list[int]) -> None:
    parser = MultipartParser("seam", largest=1000)
    with suppress(WireError):
        for piece in pieces(data, sizes):
            for part in parser.feed(piece):
                assert part.body in data


@settings(max_examples=400, deadline=None)
@given(RESPONSES, SIZES)
def test_response_gives_the_same_body_however_the_bytes_come(data: bytes, sizes: list[int]) -> None:
    def outcome(cut: list[bytes]) -> object:
        parser = ResponseParser()
        body = io.BytesIO()
        try:
            for piece in cut:
                body.write(parser.feed(piece))
        except WireError:
            return "error"
        return parser.head, body.getvalue(), parser.ended

    assert outcome(pieces(data, sizes)) == outcome([data] if data else [])


@settings(max_examples=400, deadline=None)
@given(AVIS)
def test_avi_raises_only_its_own_error(data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with suppress(AviError):
            for _, frame in AviReader(file).frames():
                assert frame is None or frame in data


@settings(max_examples=400, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(
            ["Digest ", "Basic", "realm=", '"x"', "nonce=", ", ", "qop=auth", '"', "\\", "=", "a-1"]
        ),
        max_size=20,
    ).map("".join)
)
def test_challenges_are_answered_in_one_line_or_not_at_all(header: str) -> None:
    offered = challenges([header, header])
    challenge = preferred(offered)
    if challenge is not None and challenge.scheme == "digest":
        me = Credentials("me", "secret")
        answer = digest(me, challenge, target="/", client_nonce="1")
        assert answer.isprintable()
        assert "secret" not in answer or "secret" in header


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("tls=sha256:&insecure0f%3A?"), max_size=90))
def test_only_our_own_key_is_taken_from_a_query(query: str) -> None:
    with suppress(SourceUnusable):
        rest, trust = taken_from(query)
        assert trust.verified == (len(rest) == len(query))


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.text(st.sampled_from("htp:/@[]?#.%0u \r\n"), max_size=40))
def test_texts_are_parsed_or_refused(text: str) -> None:
    redact(text)
    for prefix in ("", "http://", "https://u:p@", "ffmpeg:", "file:"):
        with suppress(UsageError):
            parse(prefix + text)
        with suppress(SourceError):
            assert b"\n" not in Target.parse(prefix + text).request().replace(b"\r\n", b"")
    with suppress(WireError):
        MultipartParser(boundary_of("multipart/x;boundary=" + text)).feed(b"--" + text.encode())
