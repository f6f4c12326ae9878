"""What a session makes of a camera that fails, as tests over any camera; see the other contract."""

from __future__ import annotations

import errno

import pytest

from capture_daemon.sources.base import Interrupt, SourceError, SourceGone
from capture_daemon.v4l2 import controls
from capture_daemon.v4l2.session import Dequeued, Session
from tests.contract.v4l2_rig import NOTHING, Rig
from tests.contract.v4l2_session_contract import next_frame, start
from tests.helpers.waiting import until

SILENCE_S = 0.5
"""Without a frame for so long, a camera that sends 15 or more a second has stopped."""


def falls_silent(session: Session) -> bool:
    return session.dequeue(SILENCE_S) is None


class FaultContract:
    """Subclass it with a fixture `rig`."""

    def test_unplugged_camera_is_gone_and_nothing_of_it_is_kept(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        next_frame(session)
        rig.unplug()
        with pytest.raises(SourceGone) as gone:
            until(lambda: session.dequeue(1.0) is None and False)
        assert gone.value.code == "device-gone"
        assert gone.value.remedy
        for full in (False, True):
            with pytest.raises(SourceGone):
                session.restart(full=full)
        session.close()
        assert {error.code for error in session.release_errors} <= {"device-gone"}
        with pytest.raises(SourceError) as absent:
            start(rig, interrupt)
        assert absent.value.code == "device-absent"
        rig.plug()
        assert rig.held() == NOTHING
        again = start(rig, interrupt)
        next_frame(again)
        again.close()

    def test_silent_camera_times_out_and_can_be_restarted(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        next_frame(session)
        rig.arm("silent")
        until(lambda: falls_silent(session))
        rig.clear()
        session.restart()
        next_frame(session)
        session.close()

    def test_after_one_failed_transfer_frames_go_on(self, rig: Rig, interrupt: Interrupt) -> None:
        session = start(rig, interrupt, buffers=4)
        numbers = [next_frame(session).sequence]
        rig.arm("urb-protocol", 1)
        frames: list[Dequeued] = []

        def failed() -> bool:
            frames.append(next_frame(session))
            numbers.append(frames[-1].sequence)
            return frames[-1].faulty

        until(failed)
        until(lambda: not failed(), what="a good frame")
        session.close()
        assert numbers == sorted(numbers)

    def test_after_five_failed_transfers_only_a_restart_helps(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt, buffers=4)
        last = next_frame(session).sequence
        rig.arm("urb-protocol", 5)
        until(lambda: falls_silent(session))
        assert session.dequeue(SILENCE_S) is None
        session.restart()
        assert next_frame(session).sequence > last
        session.close()

    @pytest.mark.parametrize("fault", ["truncated", "garbage"])
    def test_damage_that_the_driver_does_not_see_is_passed_on(
        self, rig: Rig, interrupt: Interrupt, fault: str
    ) -> None:
        session = start(rig, interrupt)
        rig.arm(fault)
        until(lambda: not whole(frame := next_frame(session)) and not frame.faulty)
        rig.clear()
        until(lambda: whole(next_frame(session)))
        session.close()

    @pytest.mark.parametrize("fault", ["empty", "error-bit", "oversized"])
    def test_damage_that_the_driver_sees_is_flagged_or_a_gap(
        self, rig: Rig, interrupt: Interrupt, fault: str
    ) -> None:
        session = start(rig, interrupt, buffers=8)
        before = next_frame(session).sequence
        rig.arm(fault, 2)

        def seen() -> bool:
            nonlocal before
            frame = next_frame(session)
            step, before = frame.sequence - before, frame.sequence
            return frame.faulty or step > 1

        until(seen)
        until(lambda: not seen())
        session.close()

    def test_refused_probe_is_named_and_leaves_nothing(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        rig.arm("probe-refused")
        with pytest.raises(SourceError) as refusal:
            start(rig, interrupt)
        assert (refusal.value.code, refusal.value.operation) == ("refused-format", "S_FMT")
        assert refusal.value.errno == errno.EIO
        assert rig.held() == NOTHING
        rig.clear()
        session = start(rig, interrupt)
        next_frame(session)
        session.close()

    def test_refused_commit_is_named_and_a_restart_tries_again(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        rig.arm("commit-refused")
        with pytest.raises(SourceError) as refusal:
            session.restart()
        assert (refusal.value.code, refusal.value.operation) == ("refused-stream", "STREAMON")
        rig.clear()
        session.restart()
        next_frame(session)
        session.close()

    def test_refused_commit_on_the_way_in_leaves_nothing(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        rig.arm("commit-refused")
        with pytest.raises(SourceError) as refusal:
            start(rig, interrupt)
        assert refusal.value.code == "refused-stream"
        assert rig.held() == NOTHING

    def test_refused_control_is_named_and_frames_go_on(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        controls.describe(session.handle)  # uvcvideo asks the camera for ranges the first time
        rig.arm("control-refused")
        with pytest.raises(SourceError) as refusal:
            controls.set_controls(session.handle, {"brightness": 1})
        assert (refusal.value.code, refusal.value.errno) == ("control-refused", errno.EIO)
        assert "brightness" in refusal.value.message
        rig.clear()
        next_frame(session)
        session.close()


def whole(frame: Dequeued) -> bool:
    data = bytes(frame.view).rstrip(b"\0")
    return data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")
