"""A session is one transaction: whatever fails, nothing of the device is left; over any camera."""

from __future__ import annotations

import errno

import pytest

from capture_daemon.sources.base import Interrupt, SourceError
from tests.contract.v4l2_rig import NOTHING, Rig
from tests.contract.v4l2_session_contract import next_frame, start
from tests.fakes.faulty_ops import ANY, Fault, FaultyOps


class TransactionContract:
    """Subclass it with a fixture `rig`."""

    def test_whatever_fails_on_the_way_in_nothing_is_left(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        counter = FaultyOps(rig.ops)
        start(rig, interrupt, ops=counter).close()
        way_in = counter.calls.index("STREAMON") + 1
        for call in range(1, way_in + 1):
            for number in (errno.EIO, errno.ENODEV, errno.EBUSY):
                ops = FaultyOps(rig.ops, [Fault(ANY, number, first=call)])
                with pytest.raises(SourceError) as failure:
                    start(rig, interrupt, ops=ops)
                assert rig.held() == NOTHING, f"after {ops.calls[call - 1]} failed"
                assert failure.value.errno == number
                assert failure.value.operation == ops.calls[call - 1]
                assert failure.value.remedy
        start(rig, interrupt).close()

    def test_whatever_fails_from_some_point_on_nothing_is_left(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        counter = FaultyOps(rig.ops)
        start(rig, interrupt, ops=counter).close()
        for call in range(1, len(counter.calls) + 1):
            ops = FaultyOps(rig.ops, [Fault(ANY, errno.EIO, first=call, times=10_000)])
            try:
                start(rig, interrupt, ops=ops).close()
            except SourceError:
                assert call <= counter.calls.index("STREAMON") + 1
            assert rig.held() == NOTHING, f"after all failed from {ops.calls[call - 1]} on"
        start(rig, interrupt).close()

    def test_restart_that_fails_anywhere_can_be_tried_again(
        self, rig: Rig, interrupt: Interrupt
    ) -> None:
        for operation in (
            "STREAMOFF",
            "REQBUFS",
            "S_FMT",
            "S_PARM",
            "QUERYBUF",
            "QBUF",
            "STREAMON",
        ):
            ops = FaultyOps(rig.ops)
            session = start(rig, interrupt, ops=ops)
            ops.faults.append(Fault(operation, errno.EIO, first=ops.calls.count(operation) + 1))
            with pytest.raises(SourceError):
                session.restart(full=True)
            session.restart(full=True)
            next_frame(session)
            session.close()
            assert rig.held() == NOTHING
