"""What a daemon that is gone left in shared memory: frames to go on from, and its last words.

Only for a daemon that holds the camera's lock: then nobody writes the segment any more. A daemon
that ended cleanly leaves nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from framebus.errors import CameraAbsent, FrameGone, RingError
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring.reader import RingReader


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A dead daemon's segment."""

    ring: RingReader
    newest: Frame | None
    """Its last frame; None if it published none."""
    status: Mapping[str, object]
    """Its last status document; empty if it wrote none."""


@contextlib.contextmanager
def left_behind(names: CameraNames) -> Iterator[Predecessor | None]:
    """Yield what lies under the camera's name; None if nothing is there that can be used."""
    try:
        ring = RingReader.attach(names.segment_path)
    except (CameraAbsent, RingError):
        yield None
        return
    try:
        yield _examined(ring)
    finally:
        ring.close()


def _examined(ring: RingReader) -> Predecessor | None:
    try:
        return Predecessor(ring=ring, newest=ring.newest(), status=ring.status())
    except (FrameGone, ValueError):  # ValueError: a status that is no JSON
        return None
