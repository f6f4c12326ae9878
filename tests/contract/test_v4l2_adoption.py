"""What becomes of the buffers that a dead process had, and of timestamps, over the fake camera."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from capture_daemon.sources.base import Interrupt, LastFrame
from capture_daemon.v4l2.session import Session
from tests.contract.v4l2_rig import Rig, fake_rig
from tests.contract.v4l2_session_contract import abandon, next_frame, start
from tests.fakes.faulty_ops import FaultyOps


@pytest.fixture(params=["6.1", "7.2"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with fake_rig(newer=request.param == "7.2") as rig:
        yield rig


@pytest.mark.parametrize("published", [True, False])
def test_a_frame_in_a_dead_process_hands_comes_first_unless_it_was_published(
    rig: Rig, interrupt: Interrupt, published: bool
) -> None:
    first = start(rig, interrupt, buffers=4)
    held = next_frame(first)
    kept = os.dup(first.handle.fileno())
    abandon(first)
    ops = FaultyOps(rig.ops)
    last = LastFrame(held.captured_ns - (not published) * 1000, held.sequence - (not published))
    second = Session.adopt(ops, kept, rig.device, interrupt=interrupt, last=last)
    assert ops.calls.count("QBUF") == published, "given back at once, if it is no news"
    found = next_frame(second)
    assert (found.captured_ns == held.captured_ns) is not published
    assert found.captured_ns >= held.captured_ns
    second.close()


def test_a_timestamp_that_lies_ahead_is_not_believed(rig: Rig, interrupt: Interrupt) -> None:
    session = start(rig, interrupt)
    session._now_ns = lambda: 5
    assert next_frame(session).captured_ns == 5
    session.close()
