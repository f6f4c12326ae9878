"""What an emulated camera offers, as data; and the models that the tests use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

TICKS_S = 10_000_000
"""UVC's unit of time is 100 ns."""


@dataclass(frozen=True, slots=True)
class FrameSize:
    """One frame size of a format; the first interval is the default."""

    width: int
    height: int
    intervals: tuple[int, ...]
    """Frame intervals in units of 100 ns."""


@dataclass(frozen=True, slots=True)
class Format:
    """One stream format."""

    fourcc: str
    """"MJPG" or "YUYV"."""
    sizes: tuple[FrameSize, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a unit: selector and layout by the UVC 1.1 specification, section 4.2.2."""

    name: str
    unit: int
    selector: int
    bit: int
    """Its bit in the unit's bmControls."""
    size: int
    """Bytes on the wire."""
    minimum: int
    maximum: int
    default: int
    step: int = 1
    signed: bool = False
    info: int = 0x03
    """GET_INFO: 1 GET, 2 SET."""


CAMERA_TERMINAL, PROCESSING_UNIT, EXTENSION_UNIT, OUTPUT_TERMINAL = 1, 2, 4, 3
"""Numbers of the units inside the camera."""
EXTENSION_GUID = bytes.fromhex("f4a8b7c2905e4d1b9d3c0e6a5f218b47")
"""Of the extension unit that carries the button."""

CONTROLS = (
    Control("exposure_auto", CAMERA_TERMINAL, 0x02, 1, 1, 0x01, 0x08, 0x08, step=0x09),
    Control("exposure_absolute", CAMERA_TERMINAL, 0x04, 3, 4, 3, 2047, 250),
    Control("brightness", PROCESSING_UNIT, 0x02, 0, 2, -64, 64, 0, signed=True),
    Control("contrast", PROCESSING_UNIT, 0x03, 1, 2, 0, 95, 32),
    Control("power_line_frequency", PROCESSING_UNIT, 0x05, 10, 1, 0, 2, 1),
    Control("button", EXTENSION_UNIT, 0x01, 0, 1, 0, 1, 0),
)

_RATES = tuple(TICKS_S // fps for fps in (30, 15, 5))
_STRANGE = FrameSize(426, 234, (810_045,))  # 12.345 fps; 234 is no multiple of 16, nor of 8


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of camera."""

    name: str = "Framebus Test Camera"
    serial: str = "FB0001"
    isochronous: bool = False
    formats: tuple[Format, ...] = (
        Format(
            "MJPG",
            (
                FrameSize(640, 480, _RATES),
                FrameSize(1280, 720, _RATES),
                FrameSize(320, 240, _RATES),
                _STRANGE,
            ),
        ),
        Format(
            "YUYV",
            (
                FrameSize(320, 240, _RATES),
                FrameSize(160, 120, _RATES),
                FrameSize(640, 480, _RATES[2:]),
                _STRANGE,
            ),
        ),
    )
    controls: tuple[Control, ...] = field(default=CONTROLS)


BULK = Model()
ISOCHRONOUS = Model(isochronous=True)
RAW_ONLY = replace(BULK, formats=BULK.formats[1:])
BARREN = replace(BULK, formats=())
"""Enumerates, and offers nothing."""
_SLOW_RATES = (TICKS_S, 2 * TICKS_S, 5 * TICKS_S)
SLOW = replace(BULK, formats=(Format("MJPG", (FrameSize(320, 240, _SLOW_RATES),)),))
"""A frame every second, two or five. A daemon takes 10 to 20 s to start in a guest, which is to a
machine's 0.4 s as two seconds are to some 20 frames a second; five are for a busy machine."""

MODELS = {
    "bulk": BULK,
    "isochronous": ISOCHRONOUS,
    "raw-only": RAW_ONLY,
    "barren": BARREN,
    "slow": SLOW,
}
