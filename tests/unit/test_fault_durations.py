"""A fault that is over is over: however long it lasted, whatever it was and whatever came before.

The controller, its retries and the ladder over simulated time; tests/guest/recovery/durations.py is
the same on the real driver.
"""

from __future__ import annotations

import itertools
import random

from framebus.contract.words import Rung
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capture_daemon.recovery.budget import MOST, SPACING_NS, WINDOW_NS
from capture_daemon.recovery.rungs import RESETS
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from tests.fakes.faulty_camera import Fault, S, World

CAMERA = CaptureRequest(spec.parse("v4l2:/dev/video0"))
NETWORK = CaptureRequest(spec.parse("http://192.0.2.1/stream"))
ATTEMPT_S = 5.0
SILENCE_S = 5.2
"""A stream that gives no frame is waited for this long; then something else is tried."""
RUNG_S = 0.5
"""And that may be a rung that takes so long."""
BACK_S = 6.0
OWN_S = 5.1
"""A request that was made just before the fault's end is not answered for so long."""
DURATIONS = st.sampled_from([0.5, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0]) | st.floats(0.1, 400.0)
FAULTS = st.sampled_from([fault for fault in Fault if fault is not Fault.DENIED])
HISTORIES = st.lists(st.tuples(FAULTS, DURATIONS, st.floats(0.0, 60.0)), max_size=4)


def world(request: CaptureRequest, seed: int) -> World:
    chance = random.Random(seed)
    camera = World(request, jitter=chance.random)
    camera.controller.start(camera.now_ns)
    assert camera.run(20, camera.streams)
    return camera


def live(camera: World, history: list[tuple[Fault, float, float]]) -> None:
    """Let one fault follow another; the pause between may be too short to come back."""
    for fault, lasts_s, pause_s in history:
        camera.fail(fault)
        camera.run(lasts_s)
        camera.mend()
        camera.run(pause_s)


def check_touched_within_bounds(camera: World) -> None:
    for rungs in (RESETS, {Rung.REBIND}):
        times = [at for rung, at in camera.carried_out if rung in rungs]
        assert all(later - earlier >= SPACING_NS for earlier, later in itertools.pairwise(times))
        assert all(b - a >= WINDOW_NS for a, b in zip(times, times[MOST:], strict=False))


@settings(max_examples=80, deadline=None)
@given(history=HISTORIES, fault=FAULTS, lasts_s=DURATIONS, seed=st.integers(0, 1000))
@example(history=[], fault=Fault.REFUSED, lasts_s=10.0, seed=0)
@example(history=[], fault=Fault.REFUSES_ITS_DRIVER, lasts_s=300.0, seed=0)
@example(history=[(Fault.SILENT, 300.0, 0.0)], fault=Fault.AWAY, lasts_s=30.0, seed=0)
def test_a_fault_that_is_over_is_over_whatever_came_before(
    history: list[tuple[Fault, float, float]], fault: Fault, lasts_s: float, seed: int
) -> None:
    camera = world(NETWORK if fault is Fault.UNREACHABLE else CAMERA, seed)
    live(camera, history)
    camera.fail(fault)
    camera.run(lasts_s)
    over_ns = camera.now_ns
    pending_ns = max((each.done_ns for each in camera.attempts), default=0) - over_ns
    camera.mend()
    own_s = max(0.0, pending_ns / S)
    assert own_s <= OWN_S
    rung_s = RUNG_S if fault is Fault.SILENT else 0.0
    assert camera.run(own_s + BACK_S + rung_s, camera.streams), camera.controller.state
    later = [each.at_ns for each in camera.attempts if each.at_ns >= over_ns]
    if later:  # else it came back on what was open
        limit_s = own_s + (SILENCE_S if fault is Fault.SILENT else ATTEMPT_S)
        assert min(later) - over_ns <= (limit_s + 0.001) * S
    check_touched_within_bounds(camera)


@settings(max_examples=12, deadline=None)
@given(fault=FAULTS, seed=st.integers(0, 1000))
def test_a_camera_that_stays_broken_is_hardly_touched(fault: Fault, seed: int) -> None:
    camera = world(CAMERA, seed)
    camera.fail(fault)
    camera.run(60)
    camera.attempts.clear()
    camera.run(3600)
    opens = [each.at_ns for each in camera.attempts if each.what == "open"]
    for begin_ns in range(camera.now_ns - 3600 * S, camera.now_ns, 60 * S):
        in_a_minute = sum(begin_ns <= at < begin_ns + 60 * S for at in opens)
        assert 5 <= in_a_minute <= 30
    assert len(opens) <= 3600 / 3 + 100
    check_touched_within_bounds(camera)
    if fault is Fault.UNANSWERED:
        ends = [each.done_ns for each in camera.attempts]
        asked = sum(each.done_ns - each.at_ns for each in camera.attempts)
        assert asked <= 0.6 * (ends[-1] - camera.attempts[0].at_ns)


def test_a_server_that_refuses_the_password_is_not_asked_every_few_seconds() -> None:
    camera = world(NETWORK, 0)
    camera.fail(Fault.DENIED)
    camera.run(1)
    camera.attempts.clear()
    camera.run(1800)
    assert 6 <= len(camera.attempts) <= 12
