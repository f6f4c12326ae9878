"""What a camera offers, and which of it to take for what a person asked: pure.

The choice, in this order:

1. MJPEG before anything else, since the camera has done the work; then YUYV, encoded here.
2. The size nearest to the one requested. None requested: the largest within 1280x720 that reaches
   the rate requested (none requested: 15 frames a second, so that an uncompressed format does not
   get its largest picture at a slide show's rate); if none does, the largest within 1280x720; if
   all are larger, the smallest.
3. The rate nearest to the one requested. None requested: the highest up to 30, else the lowest.

The driver has the last word: what it grants may differ again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capture_daemon.sources.base import Request, SourceUnusable

COMPRESSED = ("MJPG", "JPEG")
"""Frames of these formats are JPEG pictures already."""
ENCODABLE = ("YUYV",)
"""Frames of these formats are encoded here."""

_USUAL_WIDTH, _USUAL_HEIGHT = 1280, 720
_USUAL_FPS = Fraction(30)
_LEAST_FPS = Fraction(15)
_TOLERANCE = Fraction(101, 100)  # 30 is meant when a camera says 30.00003 (interval 333333)


@dataclass(frozen=True, slots=True)
class OfferedSize:
    """A frame size and its rates, frames a second; no rates if the driver names none."""

    width: int
    height: int
    rates: tuple[Fraction, ...] = ()

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class OfferedFormat:
    """A pixel format and its sizes."""

    fourcc: str
    description: str
    sizes: tuple[OfferedSize, ...]

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it, as control's `formats` answers."""
        return {
            "fourcc": self.fourcc,
            "description": self.description,
            "sizes": [
                {
                    "width": size.width,
                    "height": size.height,
                    "fps": [round(float(rate), 3) for rate in size.rates],
                }
                for size in self.sizes
            ],
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """What to ask the driver for. `rate` is in frames a second; None leaves it to the driver."""

    fourcc: str
    width: int
    height: int
    rate: Fraction | None = None


def choose(offers: Sequence[OfferedFormat], request: Request, device: str = "the camera") -> Choice:
    """Return what to ask for. Raises SourceUnusable when no format can become a JPEG."""
    for fourcc in (*COMPRESSED, *ENCODABLE):
        sizes = [size for offer in offers if offer.fourcc == fourcc for size in offer.sizes]
        if sizes:
            size = _choose_size(sizes, request)
            return Choice(fourcc, size.width, size.height, _choose_rate(size.rates, request.fps))
    offered = ", ".join(offer.fourcc for offer in offers) or "nothing"
    raise SourceUnusable(
        "no-usable-format",
        f"{device} offers {offered}; framebus takes {', '.join((*COMPRESSED, *ENCODABLE))}",
        remedy="use another camera, or `--source 'ffmpeg:-f v4l2 -i DEVICE'`, which converts",
    )


def _choose_size(sizes: Sequence[OfferedSize], request: Request) -> OfferedSize:
    fast = [size for size in sizes if _reaches(size, request.fps)]
    if request.width is not None or request.height is not None:
        return min(sizes, key=lambda size: (_distance(size, request), size not in fast, -size.area))
    for candidates in (fast, sizes):
        usual = [
            size
            for size in candidates
            if size.width <= _USUAL_WIDTH and size.height <= _USUAL_HEIGHT
        ]
        if usual:
            return max(usual, key=lambda size: size.area)
    return min(sizes, key=lambda size: size.area)


def _distance(size: OfferedSize, request: Request) -> int:
    across = 0 if request.width is None else abs(size.width - request.width)
    down = 0 if request.height is None else abs(size.height - request.height)
    return across + down


def _reaches(size: OfferedSize, fps: float | None) -> bool:
    wanted = _LEAST_FPS if fps is None else Fraction(fps)
    return not size.rates or max(size.rates) * _TOLERANCE >= wanted


def _choose_rate(rates: Iterable[Fraction], fps: float | None) -> Fraction | None:
    ordered = sorted(rates)
    if not ordered:
        return None if fps is None else Fraction(fps).limit_denominator(1000)
    if fps is not None:
        wanted = Fraction(fps)
        return min(ordered, key=lambda rate: (abs(rate - wanted), -rate))
    usual = [rate for rate in ordered if rate <= _USUAL_FPS * _TOLERANCE]
    return usual[-1] if usual else ordered[0]
