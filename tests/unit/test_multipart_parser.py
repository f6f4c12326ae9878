"""The multipart parser on what cameras send, cut anywhere."""

from __future__ import annotations

import pytest

from capture_daemon.sources.http.multipart.delimiters import boundary_of
from capture_daemon.sources.http.multipart.parser import LARGEST_PART_HEAD, MultipartParser
from capture_daemon.sources.http.response_parser import WireError
from tests.samples import pictures
from tests.samples.framings import FRAMINGS, SOUND, Framing

PICTURES = [pictures.jpeg(number) for number in range(4)]
CUTS = (1, 2, 7, 61, 1000, 1 << 20)


def bodies(parser: MultipartParser, stream: bytes, cut: int) -> list[bytes]:
    pieces = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    return [bytes(part.body) for piece in pieces for part in parser.feed(piece)]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", FRAMINGS)
def test_pictures_come_out_of_every_framing_however_it_is_cut(name: str, cut: int) -> None:
    framing = FRAMINGS[name]
    parser = MultipartParser(boundary_of(framing.content_type))
    assert bodies(parser, framing.stream(PICTURES), cut) == PICTURES


@pytest.mark.parametrize("name", ["plain", "line-feeds", "sound-between"])
def test_a_picture_whose_length_is_right_is_not_held_back_for_the_next_delimiter(
    name: str,
) -> None:
    framing = FRAMINGS[name]
    parser = MultipartParser("seam")
    part = framing.part(PICTURES[0])
    end = part.index(PICTURES[0]) + len(PICTURES[0])
    assert not parser.feed(part[: end - 1])
    assert [each.body for each in parser.feed(part[end - 1 : end])] == PICTURES[:1]


def test_it_tells_how_much_of_a_picture_is_missing() -> None:
    framing = FRAMINGS["plain"]
    parser = MultipartParser("seam")
    part = framing.part(PICTURES[0])
    at = part.index(PICTURES[0])
    assert parser.missing == 1
    parser.feed(part[: at + 10])
    assert parser.missing == len(PICTURES[0]) - 10
    parser.feed(part[at + 10 : at + 30])
    assert parser.missing == len(PICTURES[0]) - 30
    parser.feed(part[at + 30 :])
    assert parser.missing == 1


def test_pictures_that_came_at_once_do_not_overwrite_one_another() -> None:
    large = [pictures.jpeg(number, 640, 480, 95) for number in range(4)]
    stream = FRAMINGS["plain"].stream(large)
    parser = MultipartParser("seam")
    head = 5000
    assert not parser.feed(stream[:head])
    assert [part.body for part in parser.feed(stream[head:])] == large


def test_a_picture_without_a_length_is_not_held_back_either() -> None:
    part = FRAMINGS["no-length"].part(PICTURES[0]).removesuffix(b"\r\n")
    assert [each.body for each in MultipartParser("seam").feed(part)] == PICTURES[:1]


@pytest.mark.parametrize("name", FRAMINGS)
def test_large_pictures_in_large_pieces(name: str) -> None:
    large = [pictures.jpeg(number, 640, 480, 95) for number in range(3)]
    framing = FRAMINGS[name]
    parser = MultipartParser(boundary_of(framing.content_type))
    assert bodies(parser, framing.stream(large), 65536) == large


def test_padding_within_the_length_is_passed_on() -> None:
    padded = [picture + b"\0" * 9 for picture in PICTURES]
    assert bodies(MultipartParser("seam"), Framing().stream(padded), 100) == padded


def test_a_cut_picture_is_handed_on_as_it_is_and_costs_no_other() -> None:
    sent = [PICTURES[0], PICTURES[1][:300], PICTURES[2]]
    for length_off in (0, None, 50):
        framing = Framing(length_off=length_off)
        assert bodies(MultipartParser("seam"), framing.stream(sent), 64) == sent


def test_headers_are_those_of_their_part() -> None:
    first = Framing(headers=("Content-Type: image/jpeg", "X-Timestamp: 1.5"))
    stream = first.part(PICTURES[0]) + Framing().stream(PICTURES[1:2])
    parts = MultipartParser("seam").feed(stream)
    assert [part.headers.get("x-timestamp") for part in parts] == ["1.5", None]


def test_what_is_no_picture_is_passed_over_and_named() -> None:
    parser = MultipartParser("seam")
    assert parser.feed(SOUND + b"--seam\r\n") == []
    assert (parser.others, parser.passed_over) == ("sound", 1)
    assert parser.feed(b"Content-Type: x/y\r\n\r\n\0\0\0\x01\x67\x42\0\x1f" + b"y" * 20) == []
    assert (parser.others, parser.passed_over) == ("H.264", 2)


def test_an_empty_part_is_no_picture() -> None:
    stream = b"--seam\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n"
    parser = MultipartParser("seam")
    assert bodies(parser, stream * 3 + Framing().stream(PICTURES), 10) == PICTURES
    assert parser.passed_over == 0


def test_garbage_that_says_it_is_a_picture_is_handed_on_to_be_rejected() -> None:
    sent = [b"no picture at all, but it says so", PICTURES[0]]
    assert bodies(MultipartParser("seam"), Framing().stream(sent), 9) == sent


def test_a_delimiter_within_a_picture_does_not_cut_it() -> None:
    comment = b"\r\n--seam\r\n"
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    picture = PICTURES[0][:2] + segment + PICTURES[0][2:]
    assert bodies(MultipartParser("seam"), Framing().stream([picture] * 2), 7) == [picture] * 2


@pytest.mark.parametrize(
    "stream",
    [
        b"--seam\r\n" + b"X: y\r\n" * LARGEST_PART_HEAD,
        b"--seam\r\nX: " + b"y" * 2 * LARGEST_PART_HEAD,
        b"--seam\r\n\r\n\xff\xd8\xff" + b"x" * 200_000,
        b"x" * 200_000,
        b"--seam\r\nContent-Type: audio/x\r\n\r\n" + b"x" * 200_000,
    ],
)
@pytest.mark.parametrize("boundary", ["seam", ""])
def test_what_has_no_end_is_an_error(stream: bytes, boundary: str) -> None:
    parser = MultipartParser(boundary, largest=100_000)
    with pytest.raises(WireError, match="larger"):
        bodies(parser, stream, 4096)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=seam", "seam"),
        ('multipart/x-mixed-replace;boundary="a b"; x=1', "a b"),
        ("multipart/x-mixed-replace; BOUNDARY = --x", "--x"),
        ("multipart/x-mixed-replace; boundary=", ""),
        ("multipart/x-mixed-replace", ""),
        ("multipart/x-mixed-replace; boundary=" + "x" * 300, ""),
        ("", ""),
    ],
)
def test_the_boundary_that_a_type_names(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary
