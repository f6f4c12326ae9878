"""A viewer that goes to another worker is there what it was here."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.rigs.viewer_limits import viewer_limits
from web_workers.admission.origin import LOCAL
from web_workers.handover.codec import restored_viewer, viewer_fields
from web_workers.handover.viewer_state import ViewerState, decoded
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import Viewer
from web_workers.wire.multipart import Style


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    ours, theirs = socket.socketpair()
    viewer = Viewer(ours, peer="192.0.2.1", clock=lambda: 1, on_close=lambda _: None)
    yield viewer
    viewer.let_go()
    theirs.close()


def moved(viewer: Viewer, bytes_sent: int = 0) -> tuple[ViewerState, Viewer]:
    told = ViewerState(camera="front", states=False, **viewer_fields(viewer, bytes_sent))
    viewer_state = decoded(told.encoded())
    there = restored_viewer(
        socket.socket(fileno=os.dup(viewer.fileno())),
        viewer_state,
        bytes(viewer.rest or b""),
        clock=lambda: 999,
        on_close=lambda _: None,
    )
    there.let_go()
    return viewer_state, there


def test_all_that_is_known_of_a_viewer_goes_along(viewer: Viewer) -> None:
    viewer.admission = viewer_limits().admit("192.0.2.1", 5_000)
    viewer.joined_ns, viewer.moved_ns = 100, 200
    viewer.unwanted = 7
    viewer.style = Style.EXTRA
    viewer.rate_limiter = FrameRateLimiter(5.0, 300)
    viewer.dual_final = True
    viewer.fps = 4.5
    viewer.marked = (400, 50)
    viewer_state, there = moved(viewer, bytes_sent=6_000)
    assert (viewer_state.origin, viewer_state.rate, viewer_state.rest) == ("192.0.2.1", 5_000, 0)
    assert (there.peer, there.bytes_sent, there.unwanted) == ("192.0.2.1", 6_000, 7)
    assert (there.joined_ns, there.moved_ns) == (100, 200)
    assert there.style is Style.EXTRA
    assert there.rate_limiter is not None
    assert (there.rate_limiter.fps, there.rate_limiter.due_ns) == (5.0, 300)
    assert there.dual_final
    assert (there.fps, there.marked) == (4.5, (400, 50))


def test_a_viewer_of_which_little_is_known_gets_nothing_made_up(viewer: Viewer) -> None:
    viewer_state, there = moved(viewer)
    assert (viewer_state.origin, viewer_state.rate) == (LOCAL, 0)
    assert (there.rate_limiter, there.fps, there.style) == (None, None, Style.PLAIN)
    assert not there.dual_final
    assert there.joined_ns == viewer.joined_ns == 1
