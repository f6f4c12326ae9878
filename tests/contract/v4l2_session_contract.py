"""What a session promises, as tests over any camera.

class TestMine(SessionContract):
    @pytest.fixture
    def rig(self): ...
"""

from __future__ import annotations

import errno
import os
import threading

import pytest

from capture_daemon.sources.base import Interrupt, Request, SourceError
from capture_daemon.v4l2 import controls, query
from capture_daemon.v4l2.formats import Choice, choose
from capture_daemon.v4l2.ops import DeviceOps
from capture_daemon.v4l2.session import Dequeued, Session
from tests.contract.v4l2_rig import NOTHING, Rig
from tests.fakes.faulty_ops import Fault, FaultyOps
from tests.helpers.waiting import until

FEW = 2
"""Buffers, where their number does not matter: a real camera maps slowly in the guest."""


def start(
    rig: Rig, interrupt: Interrupt, *, ops: DeviceOps | None = None, buffers: int = FEW
) -> Session:
    return Session.open(
        rig.ops if ops is None else ops,
        rig.device,
        lambda offers: [choose(offers, Request(width=640, height=480))],
        interrupt=interrupt,
        buffers=buffers,
    )


def next_frame(session: Session) -> Dequeued:
    frames: list[Dequeued] = []

    def got_one() -> bool:
        frame = session.dequeue(1.0)
        if frame is None:
            return False
        frames.append(frame)
        return True

    until(got_one, what="a frame")
    return frames[0]


def abandon(session: Session) -> None:
    """What the kernel does for a process that dies: descriptor and mappings go, nothing else."""
    for mapping in session._buffers._mappings:
        mapping.unmap()
    session.handle.close()


class SessionContract:
    """Subclass it with a fixture `rig`."""

    def test_open_streams_whole_frames_in_order(self, rig: Rig, interrupt: Interrupt) -> None:
        session = start(rig, interrupt, buffers=16)
        assert session.format.fourcc == "MJPG"
        assert (session.format.width, session.format.height) == (640, 480)
        assert session.rate is not None
        assert 1 < session.buffers <= 16
        numbers, times = [], []
        for _ in range(8):
            frame = next_frame(session)
            assert bytes(frame.view[:2]) == b"\xff\xd8"
            assert not frame.faulty
            assert not frame.stale
            numbers.append(frame.sequence)
            times.append(frame.captured_ns)
        session.close()
        assert numbers == sorted(set(numbers))
        assert times == sorted(times)
        assert session.release_errors == []

    def test_close_lets_the_next_one_in_and_may_be_repeated(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        for _ in range(3):
            session = start(rig, interrupt)
            session.close()
            session.close()
            assert rig.held() == NOTHING

    def test_close_stops_unmaps_frees_and_closes_in_that_order(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        ops = FaultyOps(rig.ops)
        session = start(rig, interrupt, ops=ops)
        ops.calls.clear()
        session.close()
        assert ops.calls == ["STREAMOFF", "REQBUFS", "close"]
        assert session.release_errors == []

    def test_second_opener_is_told_device_busy_and_the_first_streams_on(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        first = start(rig, interrupt)
        before = rig.held()
        with pytest.raises(SourceError) as refusal:
            start(rig, interrupt)
        assert refusal.value.code == "device-busy"
        assert refusal.value.errno == errno.EBUSY
        assert refusal.value.operation in ("S_FMT", "REQBUFS")
        assert rig.held() == before
        next_frame(first)
        first.close()

    @pytest.mark.parametrize("full", [False, True])
    def test_restart_on_the_same_descriptor_goes_on_counting(
        self, rig: Rig, interrupt: Interrupt, full: bool
    ) -> None:
        session = start(rig, interrupt)
        last = next_frame(session).sequence
        descriptor = session.handle.fileno()
        for _ in range(3):
            session.restart(full=full)
            number = next_frame(session).sequence
            assert number > last
            last = number
        assert session.handle.fileno() == descriptor
        session.close()

    def test_adopted_descriptor_streams_on_from_where_it_was(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        first = start(rig, interrupt, buffers=8)
        last = next_frame(first).sequence
        kept = os.dup(first.handle.fileno())
        abandon(first)
        second = Session.adopt(rig.ops, kept, rig.device, interrupt=interrupt)
        assert second.buffers == 8
        assert second.format.fourcc == "MJPG"
        numbers = [next_frame(second).sequence for _ in range(12)]
        assert numbers[0] > last
        assert numbers == sorted(set(numbers))
        second.restart(full=True)
        assert next_frame(second).sequence > numbers[-1]
        second.close()
        third = start(rig, interrupt)
        third.close()

    def test_adopting_a_descriptor_that_does_not_stream_is_refused_and_closes_it(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        descriptor = rig.ops.open(rig.device)
        with pytest.raises(SourceError) as refusal:
            Session.adopt(rig.ops, descriptor, rig.device, interrupt=interrupt)
        assert refusal.value.code == "not-streaming"
        assert rig.held() == NOTHING

    def test_interrupt_wakes_a_dequeue(self, rig: Rig, interrupt: Interrupt) -> None:
        session = start(rig, interrupt)
        interrupt.set()
        assert session.dequeue(60.0) is None
        interrupt.clear()
        next_frame(session)
        session.close()

    def test_view_kept_too_long_does_not_keep_the_device(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        view = next_frame(session).view
        session.close()
        assert rig.held() == NOTHING
        assert bytes(view[:2]) == b"\0\0"
        again = start(rig, interrupt)
        again.close()

    def test_controls_are_set_while_it_streams(self, rig: Rig, interrupt: Interrupt) -> None:
        session = start(rig, interrupt)
        known = {item["name"]: item for item in controls.documents(session.handle)}
        brightness = known["brightness"]
        wanted = brightness["max"]
        assert controls.set_controls(session.handle, {"brightness": wanted}) == {
            "brightness": wanted
        }
        next_frame(session)
        controls.set_controls(session.handle, {"brightness": brightness["value"]})
        session.close()

    def test_formats_are_listed_while_another_streams(self, rig: Rig, interrupt: Interrupt) -> None:
        session = start(rig, interrupt)
        offers = query.formats(session.handle)
        assert "MJPG" in [offer.fourcc for offer in offers]
        assert all(size.rates for offer in offers for size in offer.sizes)
        session.close()

    def test_close_waits_for_a_control_call_of_another_thread(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        answered = threading.Event()
        ops = FaultyOps(rig.ops, [Fault("G_CTRL", release=answered)])
        session = start(rig, interrupt, ops=ops)
        outcome: list[object] = []

        def ask() -> None:
            try:
                outcome.append(controls.documents(session.handle))
            except SourceError as error:
                outcome.append(error.code)

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: "G_CTRL" in ops.calls)
        closing = threading.Thread(target=session.close)
        closing.start()
        until(lambda: ops.calls[-1] == "REQBUFS")
        assert "close" not in ops.calls
        answered.set()
        asking.join(30)
        closing.join(30)
        assert outcome == ["not-open"]
        assert ops.calls[-1] == "close"

    def test_adopted_stream_keeps_its_choice_for_a_full_restart(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        session = start(rig, interrupt)
        assert session.rate is not None
        expected = Choice("MJPG", 640, 480, session.rate)
        buffers = session.buffers
        kept = os.dup(session.handle.fileno())
        abandon(session)
        adopted = Session.adopt(rig.ops, kept, rig.device, interrupt=interrupt)
        assert adopted.rate == expected.rate
        adopted.restart(full=True)
        assert adopted.buffers == buffers
        granted = adopted.format
        assert Choice(granted.fourcc, granted.width, granted.height, adopted.rate) == expected
        adopted.close()
