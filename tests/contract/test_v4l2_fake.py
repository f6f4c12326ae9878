"""The contracts of the V4L2 session over the fake camera, as two kernels behave.

tests/guest runs the same over the real uvcvideo driver.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
