"""A camera model as USB descriptors: USB 2.0 chapter 9, UVC 1.1 sections 3 and the MJPEG payload.

Pure. Configuration 1: an interface association, VideoControl (interface 0), VideoStreaming
(interface 1; alternate setting 1 carries the endpoint of an isochronous camera).
"""

from __future__ import annotations

import struct

from tests.guest.camera.model import (
    CAMERA_TERMINAL,
    EXTENSION_GUID,
    EXTENSION_UNIT,
    OUTPUT_TERMINAL,
    PROCESSING_UNIT,
    Format,
    FrameSize,
    Model,
)

VENDOR, PRODUCT = 0x1209, 0x0001
"""pid.codes' numbers for private testing."""
STREAM_ENDPOINT = 1
CONTROL_INTERFACE, STREAMING_INTERFACE = 0, 1
PACKET = 1024
"""Bytes a packet of the isochronous endpoint."""
_IN = 0x80
_YUYV_GUID = b"YUY2" + bytes.fromhex("00001000800000aa00389b71")
_STRINGS = {1: "framebus"}
"""Fixed strings by index; 2 is the model's name, 3 its serial number."""


def _pack(layout: str, *fields: int | bytes) -> bytes:
    """Pack little-endian fields behind the length byte that every descriptor starts with."""
    body = struct.pack("<" + layout, *fields)
    return bytes([len(body) + 1]) + body


def device() -> bytes:
    """Return the device descriptor: class EF/02/01, for the interface association."""
    strings = (1, 2, 3)
    return _pack("BHBBBBHHHBBBB", 1, 0x200, 0xEF, 2, 1, 64, VENDOR, PRODUCT, 0x100, *strings, 1)


def string(model: Model, index: int) -> bytes | None:
    """Return a string descriptor, None when there is no such string."""
    if index == 0:
        return _pack("BH", 3, 0x0409)
    text = {**_STRINGS, 2: model.name, 3: model.serial}.get(index)
    return None if text is None else _pack(f"B{2 * len(text)}s", 3, text.encode("utf-16-le"))


def configuration(model: Model) -> bytes:
    """Return the configuration descriptor and all that belongs to it."""
    body = (
        _pack("BBBBBBB", 0x0B, CONTROL_INTERFACE, 2, 0x0E, 3, 0, 2)
        + _interface(CONTROL_INTERFACE, 0, endpoints=0, subclass=1)
        + _control_part(model)
        + _streaming_part(model)
    )
    return _pack("BHBBBBB", 2, len(body) + 9, 2, 1, 0, 0x80, 250) + body


def _interface(number: int, alternate: int, *, endpoints: int, subclass: int) -> bytes:
    return _pack("BBBBBBBB", 4, number, alternate, endpoints, 0x0E, subclass, 0, 0)


def _bits(model: Model, unit: int) -> int:
    return sum(1 << control.bit for control in model.controls if control.unit == unit)


def _control_part(model: Model) -> bytes:
    camera = _bits(model, CAMERA_TERMINAL).to_bytes(3, "little")
    units = (
        _pack("BBBHBBHHHB3s", 0x24, 2, CAMERA_TERMINAL, 0x201, 0, 0, 0, 0, 0, 3, camera)
        + _pack(
            "BBBBHBHBB",
            *(0x24, 5, PROCESSING_UNIT, CAMERA_TERMINAL, 0, 2),
            *(_bits(model, PROCESSING_UNIT), 0, 0),
        )
        + _pack(
            "BBB16sBBBBBB",
            *(0x24, 6, EXTENSION_UNIT, EXTENSION_GUID, 1, 1),
            *(PROCESSING_UNIT, 1, _bits(model, EXTENSION_UNIT), 0),
        )
        + _pack("BBBHBBB", 0x24, 3, OUTPUT_TERMINAL, 0x101, 0, EXTENSION_UNIT, 0)
    )
    clock_hz = 48_000_000
    return (
        _pack("BBHHIBB", 0x24, 1, 0x110, len(units) + 13, clock_hz, 1, STREAMING_INTERFACE) + units
    )


def _streaming_part(model: Model) -> bytes:
    formats = b"".join(_format(one, number) for number, one in enumerate(model.formats, 1))
    count = len(model.formats)
    header = _pack(
        f"BBBHBBBBBBB{count}s",
        *(0x24, 1, count, len(formats) + 13 + count, _IN | STREAM_ENDPOINT, 0, OUTPUT_TERMINAL),
        *(0, 0, 0, 1, bytes(count)),
    )
    first = _interface(STREAMING_INTERFACE, 0, endpoints=0 if model.isochronous else 1, subclass=2)
    if not model.isochronous:
        return first + header + formats + _pack("BBBHB", 5, _IN | STREAM_ENDPOINT, 2, 512, 0)
    second = _interface(STREAMING_INTERFACE, 1, endpoints=1, subclass=2)
    endpoint = _pack("BBBHB", 5, _IN | STREAM_ENDPOINT, 5, PACKET, 1)
    return first + header + formats + second + endpoint


def _format(one: Format, number: int) -> bytes:
    subtype = 7 if one.fourcc == "MJPG" else 5
    sizes = b"".join(_size(size, i, subtype) for i, size in enumerate(one.sizes, 1))
    colour = _pack("BBBBB", 0x24, 0x0D, 1, 1, 4)
    if one.fourcc == "MJPG":
        head = _pack("BBBBBBBBBB", 0x24, 6, number, len(one.sizes), 1, 1, 0, 0, 0, 0)
    else:
        head = _pack(
            "BBBB16sBBBBBB", 0x24, 4, number, len(one.sizes), _YUYV_GUID, 16, 1, 0, 0, 0, 0
        )
    return head + sizes + colour


def _size(size: FrameSize, number: int, subtype: int) -> bytes:
    largest = picture_limit(size)
    slowest, fastest = (
        largest * 8 * 10_000_000 // ticks for ticks in (max(size.intervals), min(size.intervals))
    )
    return _pack(
        f"BBBBHHIIIIB{len(size.intervals)}I",
        *(0x24, subtype, number, 0, size.width, size.height, slowest, fastest, largest),
        *(size.intervals[0], len(size.intervals), *size.intervals),
    )


def picture_limit(size: FrameSize) -> int:
    """Return the most bytes that a picture of this size may have: a raw one's."""
    return size.width * size.height * 2
