"""What a daemon takes over from the ring of the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.ring.predecessor import left_behind
from framebus.ring.writer import RingWriter

from capture_daemon.ownership.inherited_device import PredecessorState
from capture_daemon.sources.base import LastFrame


@pytest.mark.parametrize("shown", [True, False])
def test_a_fallback_that_viewers_saw_is_gone_on_with_and_is_not_the_cameras_last_frame(
    runtime: Path, shown: bool
) -> None:
    names = CameraNames(runtime, "camera")
    writer = RingWriter.create(names, capacity=1 << 20)
    try:
        writer.set_status({"fallback": {"shown": shown}})
        flags = FrameFlags.FALLBACK if shown else FrameFlags.NONE
        writer.publish(b"x", captured_ns=7, captured_utc_ns=8, device_sequence=9, flags=flags)
        with left_behind(names) as predecessor:
            predecessor_state = PredecessorState.of(predecessor)
        assert (predecessor_state.newest_ns, predecessor_state.given_up) == (7, shown)
        assert predecessor_state.last == (None if shown else LastFrame(7, 9))
    finally:
        writer.close()


@pytest.mark.parametrize("status", [{}, {"fallback": None}, {"fallback": {"shown": "yes"}}])
def test_where_nothing_was_shown_the_camera_gets_all_its_tries(status: dict[str, object]) -> None:
    assert not PredecessorState(status=status).given_up
    assert PredecessorState.of(None) == PredecessorState()
