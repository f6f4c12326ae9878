"""The contracts of the V4L2 session over the fake camera, as two kernels behave.

tests/guest runs the same over the real uvcvideo driver.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import pytest

from capture_daemon.sources.base import Interrupt, SourceError
from capture_daemon.v4l2.formats import Choice
from capture_daemon.v4l2.session import Session
from tests.contract.v4l2_fault_contract import FaultContract
from tests.contract.v4l2_rig import Rig, fake_rig
from tests.contract.v4l2_session_contract import SessionContract
from tests.contract.v4l2_transaction_contract import TransactionContract


@pytest.fixture(params=["6.1", "7.2"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with fake_rig(newer=request.param == "7.2") as rig:
        yield rig


class TestSession(SessionContract):
    pass


class TestTransaction(TransactionContract):
    pass


class TestFaults(FaultContract):
    pass


@pytest.mark.parametrize(("takes_s", "granted"), [(0.1, True), (5.1, False)])
def test_less_is_asked_for_after_a_refusal_but_not_after_a_request_without_an_answer(
    rig: Rig, takes_s: float, granted: bool
) -> None:
    rig.arm("probe-refused", 1)
    moments = itertools.count(0, round(takes_s * 1e9))
    interrupt = Interrupt()
    choices = [Choice("MJPG", 640, 480, None), Choice("MJPG", 320, 240, None)]
    with contextlib.ExitStack() as stack:
        stack.callback(interrupt.close)
        if not granted:
            stack.enter_context(pytest.raises(SourceError, match="S_FMT"))
        session = Session.open(
            rig.ops,
            rig.device,
            lambda _: choices,
            interrupt=interrupt,
            goes_on_after=("refused-format",),
            now_ns=lambda: next(moments),
        )
        stack.callback(session.close)
        assert session.tried == 1
