"""What a daemon that is gone left in shared memory: frames to go on from, and its last words.

Only for a daemon that holds the camera's lock: then nobody writes the segment any more. A daemon
that ended cleanly leaves nothing.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from framebus.errors import CameraAbsent, RingError
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE, RingReader

_log = logging.getLogger(__name__)


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
    """Yield what is told of under the camera's name; None if that is nothing that can be used.

    It is used only if it belongs to us, as the runtime directory does, and all of it is plausible.
    """
    try:
        ring = RingReader.attach(names)
    except (CameraAbsent, *UNREADABLE) as error:
        if not isinstance(error, CameraAbsent):
            _log.warning("not going on from what an earlier daemon left: %s", error)
        yield None
        return
    try:
        yield _examined(ring)
    finally:
        ring.close()


def _examined(ring: RingReader) -> Predecessor | None:
    try:
        ring.check_left()
        return Predecessor(ring=ring, newest=ring.newest(), status=ring.status())
    except RingError as error:
        _log.warning("not going on from a damaged ring: %s", error)
        return None
