"""Thirty frames on both kernels, by both kinds of endpoint."""

from __future__ import annotations

import pytest

from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Handle

KERNELS = ("stable", "newer")


@pytest.mark.parametrize("model", ["bulk", "isochronous"])
@pytest.mark.parametrize("fourcc", ["MJPG", "YUYV"])
def test_thirty_frames_come_in_order_and_whole(plug: Plug, model: str, fourcc: str) -> None:
    with Handle(plug(model).wait_node()) as handle:
        assert handle.set_format(fourcc, 320, 240) == (fourcc, 320, 240)
        handle.start()
        frames = [handle.dequeue() for _ in range(30)]
    assert not any(frame.faulty for frame in frames)
    counters = [frame.stamp.counter for frame in frames]
    assert counters == sorted(set(counters))
    taken = [frame.stamp.taken_ns for frame in frames]
    assert taken == sorted(taken)
    if fourcc == "MJPG":
        assert all(frame.whole for frame in frames)
    else:
        assert {len(frame.data) for frame in frames} == {320 * 240 * 2}


def test_two_cameras_stream_at_once(plug: Plug) -> None:
    one, other = plug("bulk", serial="ONE"), plug("isochronous", serial="OTHER")
    with Handle(one.wait_node()) as first, Handle(other.wait_node()) as second:
        for handle in (first, second):
            handle.set_format("MJPG", 320, 240)
            handle.start()
        for _ in range(10):
            assert first.dequeue().whole
            assert second.dequeue().whole
