"""Ask a device what it is and offers, and agree on a format: ioctls in, plain values out.

uvcvideo answers the enumerations from its own tables, without a word to the camera. Nothing here
keeps a descriptor or decides anything.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from linuxpy.video import raw
from linuxpy.video.raw import IOC

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.v4l2.formats import Choice, OfferedFormat, OfferedSize
from capture_daemon.v4l2.handle import Handle

CAPTURE = raw.BufType.VIDEO_CAPTURE

# Of a size or rate given as a range, the members that people use.
_USUAL_SIZES = (
    (320, 240), (640, 360), (640, 480), (800, 600), (960, 540), (1024, 768), (1280, 720),
    (1280, 960), (1600, 1200), (1920, 1080), (2560, 1440), (3840, 2160),
)  # fmt: skip
_USUAL_RATES = (1, 5, 10, 15, 20, 24, 25, 30, 50, 60, 90, 120)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What the driver granted."""

    fourcc: str
    width: int
    height: int
    bytes_per_line: int


def identify(handle: Handle) -> str:
    """Return the camera's name for people. Raises SourceUnusable when it cannot stream pictures."""
    answer = raw.v4l2_capability()
    handle.ioctl(IOC.QUERYCAP, answer)
    capabilities = answer.capabilities
    if capabilities & raw.Capability.DEVICE_CAPS:
        capabilities = answer.device_caps
    needed = raw.Capability.VIDEO_CAPTURE | raw.Capability.STREAMING
    if capabilities & needed != needed:
        raise SourceUnusable(
            "not-a-camera",
            f"{handle.device} ({text(answer.card)}) does not stream pictures",
            remedy="a camera often has a second node for metadata: `framebus devices` lists "
            "those that stream",
        )
    return text(answer.card)


def formats(handle: Handle) -> list[OfferedFormat]:
    """Return every pixel format that the device offers, with sizes and rates."""
    found: list[OfferedFormat] = []
    for index in count():
        answer = raw.v4l2_fmtdesc(index=index, type=CAPTURE)
        if not handle.enumerate(IOC.ENUM_FMT, answer):
            return found
        sizes = tuple(
            OfferedSize(width, height, tuple(_rates(handle, answer.pixelformat, width, height)))
            for width, height in _sizes(handle, answer.pixelformat)
        )
        found.append(OfferedFormat(_fourcc(answer.pixelformat), text(answer.description), sizes))
    return found


def _sizes(handle: Handle, pixel_format: int) -> Iterator[tuple[int, int]]:
    for index in count():
        answer = raw.v4l2_frmsizeenum(index=index, pixel_format=pixel_format)
        if not handle.enumerate(IOC.ENUM_FRAMESIZES, answer):
            return
        if answer.type == raw.Frmsizetypes.DISCRETE:
            yield answer.discrete.width, answer.discrete.height
            continue
        limits = answer.stepwise
        for width, height in _USUAL_SIZES:
            if (
                limits.min_width <= width <= limits.max_width
                and limits.min_height <= height <= limits.max_height
            ):
                yield width, height
        return


def _rates(handle: Handle, pixel_format: int, width: int, height: int) -> Iterator[Fraction]:
    for index in count():
        answer = raw.v4l2_frmivalenum(
            index=index, pixel_format=pixel_format, width=width, height=height
        )
        if not handle.enumerate(IOC.ENUM_FRAMEINTERVALS, answer):
            return
        if answer.type == raw.Frmivaltypes.DISCRETE:
            rate = _rate(answer.discrete)
            if rate is not None:
                yield rate
            continue
        slowest, fastest = _rate(answer.stepwise.max), _rate(answer.stepwise.min)
        for usual in map(Fraction, _USUAL_RATES):
            if slowest is not None and fastest is not None and slowest <= usual <= fastest:
                yield usual
        return


def set_format(handle: Handle, choice: Choice) -> PixelFormat:
    """Ask for a format and size; return what is granted, which may be another size.

    Raises SourceError, also when the driver grants another pixel format than the one asked for.
    """
    form = raw.v4l2_format(type=CAPTURE)
    form.fmt.pix.width = choice.width
    form.fmt.pix.height = choice.height
    form.fmt.pix.pixelformat = fourcc_number(choice.fourcc)
    form.fmt.pix.field = raw.Field.ANY
    handle.ioctl(IOC.S_FMT, form)
    granted = _pixel_format(form)
    if granted.fourcc != choice.fourcc:
        raise SourceError(
            "refused-format",
            f"S_FMT on {handle.device}: asked for {choice.fourcc}, granted {granted.fourcc}",
            remedy="choose what `framebus devices --formats DEVICE` lists",
            operation="S_FMT",
        )
    return granted


def get_format(handle: Handle) -> PixelFormat:
    """Return the format that is set."""
    form = raw.v4l2_format(type=CAPTURE)
    handle.ioctl(IOC.G_FMT, form)
    return _pixel_format(form)


def set_rate(handle: Handle, rate: Fraction | None) -> Fraction | None:
    """Ask for a rate (None: leave it) and return the one granted; None if the driver has none.

    Must come after set_format, which puts the rate back to the camera's default.
    """
    if rate is None:
        return get_rate(handle)
    parameters = raw.v4l2_streamparm(type=CAPTURE)
    parameters.parm.capture.timeperframe.numerator = rate.denominator
    parameters.parm.capture.timeperframe.denominator = rate.numerator
    return _parameters(handle, IOC.S_PARM, parameters)


def get_rate(handle: Handle) -> Fraction | None:
    """Return the rate that is set, frames a second; None if the driver has none."""
    return _parameters(handle, IOC.G_PARM, raw.v4l2_streamparm(type=CAPTURE))


def _parameters(handle: Handle, request: IOC, parameters: raw.v4l2_streamparm) -> Fraction | None:
    try:
        handle.ioctl(request, parameters)
    except SourceError as error:
        if error.errno == errno.ENOTTY:
            return None
        raise
    return _rate(parameters.parm.capture.timeperframe)


def claim_priority(handle: Handle) -> None:
    """Keep other programs from changing format and controls while we stream, if the driver can."""
    try:
        handle.ioctl(IOC.S_PRIORITY, raw.u32(raw.Priority.RECORD))
    except SourceError as error:
        if error.errno != errno.ENOTTY:
            raise


def text(value: bytes) -> str:
    """Return a kernel string as text."""
    return value.decode("utf-8", "replace")


def _pixel_format(form: raw.v4l2_format) -> PixelFormat:
    pix = form.fmt.pix
    return PixelFormat(_fourcc(pix.pixelformat), pix.width, pix.height, pix.bytesperline)


def _rate(interval: raw.v4l2_fract) -> Fraction | None:
    if not interval.numerator or not interval.denominator:
        return None
    return Fraction(interval.denominator, interval.numerator)


def _fourcc(number: int) -> str:
    return (number & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1").rstrip()


def fourcc_number(fourcc: str) -> int:
    """Return a fourcc as V4L2's number."""
    return int.from_bytes(fourcc.ljust(4).encode("latin-1"), "little")
