"""Between a Viewer and the document that it travels as: what it knows itself, whatever it views."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from web_workers.admission.origin import LOCAL
from web_workers.handover.carried import Carried
from web_workers.viewers.thinning import Thinner
from web_workers.viewers.viewer import Viewer
from web_workers.wire.parts import Style


def packed_by(viewer: Viewer, bytes_sent: int) -> dict[str, Any]:
    """Return those fields of a `Carried` that any viewer has; `bytes_sent` its audience counts."""
    thinner = viewer.thinner
    marked_ns, marked_sent = viewer.marked
    return {
        "peer": viewer.peer,
        "joined_ns": viewer.joined_ns,
        "moved_ns": viewer.moved_ns,
        "bytes_sent": bytes_sent,
        "unwanted": viewer.unwanted,
        "origin": viewer.place.origin if viewer.place is not None else LOCAL,
        "rate": viewer.place.rate if viewer.place is not None else 0,
        "rest": len(viewer.rest) if viewer.rest is not None else 0,
        "style": viewer.style.value,
        "fps": thinner.fps if thinner is not None else None,
        "due_ns": thinner.due_ns if thinner is not None else 0,
        "dual_final": viewer.dual_final,
        "measured_fps": viewer.fps,
        "marked_ns": marked_ns,
        "marked_sent": marked_sent,
    }


def unpacked_as(
    sock: socket.socket,
    carried: Carried,
    rest: bytes,
    *,
    clock: Callable[[], int],
    on_close: Callable[[int], None],
) -> Viewer:
    """Return the viewer that has come with `sock`. Raises OSError when its socket is no more."""
    viewer = Viewer(sock, peer=carried.peer, clock=clock, on_close=on_close)
    viewer.joined_ns = carried.joined_ns
    viewer.moved_ns = carried.moved_ns
    viewer.bytes_sent = carried.bytes_sent
    viewer.unwanted = carried.unwanted
    viewer.rest = memoryview(rest) if rest else None
    viewer.style = Style(carried.style)
    viewer.thinner = Thinner(carried.fps, carried.due_ns) if carried.fps else None
    viewer.dual_final = carried.dual_final
    viewer.fps = carried.measured_fps
    viewer.marked = (carried.marked_ns, carried.marked_sent)
    return viewer
