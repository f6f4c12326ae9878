"""JPEGs of every kind that a camera, a phone or a program writes, and what may follow one."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from tests.samples import pictures

EOI = b"\xff\xd9"


def image(mode: str = "RGB") -> Image.Image:
    """A picture with a pattern that costs some bytes."""
    return Image.linear_gradient("L").resize((64, 48)).rotate(30).convert(mode)


def encoded(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    image(mode).save(out, "JPEG", **options)
    return out.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def with_segment(picture: bytes, marker: int, content: bytes) -> bytes:
    """`picture` with a segment right after its SOI."""
    return picture[:2] + segment(marker, content) + picture[2:]


def segments(picture: bytes) -> list[int]:
    """Offsets of the header's markers, SOS included."""
    found = [2]
    while picture[found[-1] + 1] != 0xDA:
        length = int.from_bytes(picture[found[-1] + 2 : found[-1] + 4], "big")
        found.append(found[-1] + 2 + length)
    return found


def filled(picture: bytes, count: int = 3) -> bytes:
    """`picture` with fill bytes before each marker of its header and before EOI."""
    for at in reversed(segments(picture)):
        picture = picture[:at] + b"\xff" * count + picture[at:]
    return picture[:-2] + b"\xff" * count + EOI


def before_the_end(picture: bytes, added: bytes) -> bytes:
    """`picture` with `added` between its coded data and its EOI."""
    return picture[:-2] + added + EOI


@cache
def kinds() -> dict[str, bytes]:
    """One picture of each kind."""
    plain = pictures.jpeg()
    thumbnail = pictures.jpeg(1, 16, 16)
    height = (48).to_bytes(2, "big")
    return {
        "baseline": plain,
        "grey": encoded("L"),
        "four colours": encoded("CMYK"),
        "progressive": encoded(progressive=True),
        "optimised": encoded(optimize=True),
        "no subsampling": encoded(subsampling=0, quality=98),
        "restart markers": encoded(restart_marker_blocks=1),
        "restart markers, progressive": encoded(restart_marker_rows=1, progressive=True),
        "a comment that ends like a picture": with_segment(plain, 0xFE, b"hello" + EOI),
        "a thumbnail": with_segment(plain, 0xE1, b"Exif\0\0" + thumbnail),
        "two thumbnails": with_segment(
            with_segment(plain, 0xE2, thumbnail * 2), 0xE1, b"Exif\0\0" + thumbnail
        ),
        "an empty segment": with_segment(plain, 0xEF, b""),
        "many segments": with_segment(plain, 0xE2, bytes(60_000)).replace(
            b"\xff\xdb", segment(0xE2, bytes(100)) * 250 + b"\xff\xdb", 1
        ),
        "fill bytes": filled(plain),
        "fill bytes, progressive": filled(encoded(progressive=True), 9),
        "number of lines": before_the_end(plain, segment(0xDC, height)),
        "a comment after the scan": before_the_end(plain, segment(0xFE, b"late")),
        "restart interval of 0": with_segment(plain, 0xDD, b"\0\0"),
    }


@cache
def multi_picture() -> tuple[bytes, bytes]:
    """A file of two pictures (MPO), and the first of them."""
    out = io.BytesIO()
    image().save(out, "MPO", save_all=True, append_images=[image().rotate(90)])
    whole = out.getvalue()
    second = whole.index(b"\xff\xd8\xff", 2)
    return whole, whole[:second].rstrip(b"\0")


@cache
def trailers() -> dict[str, bytes]:
    """What is found after the end of a picture."""
    return {
        "nothing": b"",
        "a line end": b"\r\n",
        "blank lines": b"\r\n\r\n\n",
        "zeros": bytes(10_000),
        "one byte": b"\1",
        "a maker's trailer": b"mkr0\x59\x19\x01\x00",
        "text": b"trailer" * 100,
        "another end": EOI,
        "fill bytes": b"\xff" * 7,
        "a second picture": pictures.jpeg(5),
        "half a second picture": pictures.jpeg(5)[:300],
        "a film": b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40,
        "the next boundary": b"\r\n--seam\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0",
    }
