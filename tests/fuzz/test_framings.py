"""Whatever framing a server uses, and however it is cut: what goes in as pictures comes out."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capture_daemon.sources.http.body import BodyParser, NoPictures
from capture_daemon.sources.http.multipart.delimiters import boundary_of
from capture_daemon.sources.http.multipart.parser import MultipartParser
from capture_daemon.sources.http.response_parser import Head, WireError
from tests.samples import pictures
from tests.samples.framings import SOUND, Framing

PICTURES = [pictures.jpeg(number, 16, 16) for number in range(5)]
SIZES = st.lists(st.integers(1, 900), min_size=1, max_size=4)
FRAMINGS = st.builds(
    Framing,
    delimiter=st.sampled_from(["--seam", "--seam--", "----seam", "seam", "--seam  ", "--x"]),
    declared=st.sampled_from(["seam", "--seam", '"seam"', "", "other", "sea"]),
    line_end=st.sampled_from(["\r\n", "\n"]),
    headers=st.sampled_from(
        [("Content-Type: image/jpeg",), ("content-type:image/jpg", "X-Timestamp: 0.5"), ()]
    ),
    length_off=st.none() | st.integers(-400, 400) | st.just(0) | st.just(2),
    after_delimiter=st.integers(0, 2),
    before_body=st.integers(1, 2),
    after_body=st.sampled_from([None, "", "\r\n\r\n"]),
    preamble=st.sampled_from([b"", b"\r\n", b"some words\r\n"]),
    other=st.sampled_from([b"", SOUND]),
    last=st.booleans(),
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        pieces.append(data[at : at + sizes[len(pieces) % len(sizes)]])
        at += len(pieces[-1])
    return pieces


def is_clear(framing: Framing) -> bool:
    """Whether a reader without foreknowledge could tell pictures from the rest."""
    bare = not framing.delimiter.startswith("--")
    if bare and (framing.after_body == "" or framing.declared.strip('-"') != "seam"):
        return False
    headless = not framing.headers and framing.length_off is None
    if headless and (framing.after_delimiter or framing.before_body > 1):
        return False
    return not (framing.other and framing.delimiter.strip("- ") != "seam")


def is_right(found: list[bytes], framing: Framing) -> bool:
    """All; but nothing tells the last one's end, if its length is too large and nothing follows."""
    open_end = not framing.last and (framing.length_off or 0) > 0
    return found == PICTURES or (open_end and found == PICTURES[:-1])


@settings(max_examples=600, deadline=None)
@given(FRAMINGS, SIZES)
def test_pictures_come_out_of_any_framing_in_any_pieces(framing: Framing, sizes: list[int]) -> None:
    assume(is_clear(framing))
    parser = MultipartParser(boundary_of(framing.content_type))
    stream = framing.stream(PICTURES)
    found = [bytes(part.body) for piece in cut(stream, sizes) for part in parser.feed(piece)]
    assert is_right(found, framing)


@settings(max_examples=300, deadline=None)
@given(
    FRAMINGS,
    SIZES,
    st.sampled_from(["", "application/octet-stream", "video/x-motion-jpeg", "image/jpeg"]),
)
def test_a_stream_is_known_by_its_body_whatever_it_calls_itself(
    framing: Framing, sizes: list[int], content_type: str
) -> None:
    assume(framing.delimiter.startswith("--") and not framing.preamble.strip())
    assume(is_clear(framing))
    body = BodyParser(Head(200, {"content-type": content_type}), None)
    stream = framing.stream(PICTURES)
    found = [bytes(part.body) for piece in cut(stream, sizes) for part in body.feed(piece)]
    assert is_right(found, framing)
    assert body.is_multipart


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PICTURES), min_size=1, max_size=6),
    SIZES,
    st.sampled_from(["", "video/mjpeg"]),
)
def test_pictures_one_after_another_are_a_stream_too(
    shown: list[bytes], sizes: list[int], content_type: str
) -> None:
    body = BodyParser(Head(200, {"content-type": content_type}), None)
    found = [p.body for piece in cut(b"".join(shown), sizes) for p in body.feed(piece)]
    assert found + [bytes(part.body) for part in body.finish()] == shown


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=400), SIZES, st.sampled_from(["", "text/html", "multipart/x", "image/jpeg"])
)
def test_any_body_is_taken_or_refused(data: bytes, sizes: list[int], content_type: str) -> None:
    body = BodyParser(Head(200, {"content-type": content_type}), None)
    with suppress(NoPictures, WireError):
        for piece in cut(data, sizes):
            body.feed(piece)
        body.finish()
