"""Between a Viewer and the document that it travels as: what it knows itself, whatever it views."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from web_workers.admission.origin import LOCAL
from web_workers.handover.viewer_state import ViewerState
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import Viewer
from web_workers.wire.multipart import Style


def viewer_fields(viewer: Viewer, bytes_sent: int) -> dict[str, Any]:
    """Return those fields of a `ViewerState` that any viewer has; its owner counts `bytes_sent`."""
    rate_limiter = viewer.rate_limiter
    marked_ns, marked_sent = viewer.marked
    return {
        "peer": viewer.peer,
        "joined_ns": viewer.joined_ns,
        "moved_ns": viewer.moved_ns,
        "bytes_sent": bytes_sent,
        "unwanted": viewer.unwanted,
        "origin": viewer.admission.origin if viewer.admission is not None else LOCAL,
        "rate": viewer.admission.rate if viewer.admission is not None else 0,
        "rest": len(viewer.rest) if viewer.rest is not None else 0,
        "style": viewer.style.value,
        "fps": rate_limiter.fps if rate_limiter is not None else None,
        "due_ns": rate_limiter.due_ns if rate_limiter is not None else 0,
        "dual_final": viewer.dual_final,
        "measured_fps": viewer.fps,
        "marked_ns": marked_ns,
        "marked_sent": marked_sent,
    }


def restored_viewer(
    sock: socket.socket,
    viewer_state: ViewerState,
    rest: bytes,
    *,
    clock: Callable[[], int],
    on_close: Callable[[int], None],
) -> Viewer:
    """Return the viewer that has come with `sock`. Raises OSError when its socket is no more."""
    viewer = Viewer(sock, peer=viewer_state.peer, clock=clock, on_close=on_close)
    viewer.joined_ns = viewer_state.joined_ns
    viewer.moved_ns = viewer_state.moved_ns
    viewer.bytes_sent = viewer_state.bytes_sent
    viewer.unwanted = viewer_state.unwanted
    viewer.rest = memoryview(rest) if rest else None
    viewer.style = Style(viewer_state.style)
    viewer.rate_limiter = (
        FrameRateLimiter(viewer_state.fps, viewer_state.due_ns) if viewer_state.fps else None
    )
    viewer.dual_final = viewer_state.dual_final
    viewer.fps = viewer_state.measured_fps
    viewer.marked = (viewer_state.marked_ns, viewer_state.marked_sent)
    return viewer
