"""A stream that stalls, starts late, slows down or is read too late."""

from __future__ import annotations

import time

from tests.guest.camera.client import PluggedCamera
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Handle


def test_a_silent_camera_is_seen_by_nothing_but_a_timeout(
    camera: PluggedCamera, handle: Handle
) -> None:
    handle.start()
    handle.dequeue()
    camera.arm("silent")
    while handle.poll(2.0):
        handle.dequeue()
    assert handle.attempt("DQBUF") == "EAGAIN"
    assert handle.attempt("G_FMT") == "ok"
    camera.clear("silent")
    assert handle.dequeue().whole


def test_a_slow_camera_gives_its_first_frame_after_three_seconds(
    camera: PluggedCamera, handle: Handle
) -> None:
    camera.arm("slow-start", 1)
    handle.start()
    started = time.monotonic()
    assert handle.dequeue().whole
    assert time.monotonic() - started >= 2.9


def test_in_the_dark_the_rate_drops_and_the_interval_still_says_thirty(
    camera: PluggedCamera, handle: Handle
) -> None:
    handle.set_format("MJPG", 320, 240)
    assert handle.rate() == 30
    camera.arm("dark")
    handle.start()
    first, *_, last = (handle.dequeue().stamp for _ in range(7))
    assert (last.taken_ns - first.taken_ns) / (last.counter - first.counter) >= 99e6
    assert handle.rate() == 30


def test_a_reader_that_slept_gets_old_frames_first(camera: PluggedCamera, handle: Handle) -> None:
    handle.set_format("MJPG", 320, 240)
    handle.start(4)
    handle.dequeue()
    time.sleep(2.0)  # this is the fault: a reader that is late
    late = [handle.dequeue() for _ in range(4)]
    newest = handle.dequeue()
    assert newest.timestamp_s - late[-1].timestamp_s > 1.0
    assert newest.sequence - late[-1].sequence > 1


def test_a_restart_begins_with_a_new_picture(camera: PluggedCamera, handle: Handle) -> None:
    handle.start()
    for _ in range(3):
        handle.dequeue()
    handle.stop()
    stopped_ns = time.monotonic_ns()
    handle.restart()
    frame = handle.dequeue()
    assert frame.stamp.taken_ns > stopped_ns
    assert frame.stamp.counter == 0


def test_an_interval_that_is_odd_is_granted_and_kept(plug: Plug) -> None:
    with Handle(plug().wait_node()) as handle:
        assert handle.set_format("MJPG", 426, 234) == ("MJPG", 426, 234)
        assert abs(handle.rate() - 12.345) < 0.001
        handle.start()
        stamps = [handle.dequeue().stamp for _ in range(5)]
    assert stamps[-1].taken_ns > stamps[0].taken_ns
