"""What cameras offer."""

from __future__ import annotations

from fractions import Fraction

from capture_daemon.v4l2.formats import OfferedFormat, OfferedSize


def offer(fourcc: str, sizes: dict[tuple[int, int], tuple[int | Fraction, ...]]) -> OfferedFormat:
    return OfferedFormat(
        fourcc,
        fourcc,
        tuple(
            OfferedSize(width, height, tuple(map(Fraction, rates)))
            for (width, height), rates in sizes.items()
        ),
    )


YUYV = offer("YUYV", {(640, 480): (30, 15), (1280, 720): (10,), (320, 240): (30,)})
MJPG = offer(
    "MJPG", {(640, 480): (60, 30), (1280, 720): (30, 15), (1920, 1080): (30, 5), (800, 600): (20,)}
)
