"""What to do about a source that is silent, by what kind of source it is.

A cable helps a camera that is plugged in here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedies:
    """One sentence for each way in which a source gives no frames without an error."""

    silent: str
    """It sends nothing."""
    garbage: str
    """All that it sends is rejected."""
    not_answering: str
    """It has not returned."""


_CAMERA = Remedies(
    silent="check the cable and what it leads to",
    garbage="check the cable, or try another format",
    not_answering="wait; if it stays so, plug the camera out and in",
)
_URL = Remedies(
    silent="look with a browser whether the address shows moving pictures now; if the camera is "
    "slow, say so with --fps (0.1: one in 10 s), or wait: each try waits longer",
    garbage="look with a browser whether the address shows whole pictures; "
    "--source 'ffmpeg:-i URL' decodes what is not plain MJPEG",
    not_answering="wait: a slow server is given more time at each try; `curl -v` tells whether it "
    "answers at all",
)
_BY_KIND: Mapping[str, Remedies] = {"http": _URL, "https": _URL}


def remedies_for(source: str) -> Remedies:
    """Return what helps `source`, given as people see it ("http://cam/…", "v4l2:/dev/video0")."""
    return _BY_KIND.get(source.partition(":")[0], _CAMERA)
