"""`lend` and `give_back` as callers see them: who has the camera, until when, who may end it."""

from __future__ import annotations

from typing import Any

import pytest
from framebus.control.protocol import NOT_NOW, NOT_SUPPORTED

from capture_daemon.control.lending import lend
from capture_daemon.control.refusal import Refusal
from capture_daemon.lifecycle.controller import CaptureController
from tests.rigs.controllers import CAMERA, TEST, Notes, S, streaming


@pytest.fixture
def camera() -> CaptureController:
    return streaming(CAMERA, Notes())


def borrow(
    camera: CaptureController, now_ns: int, to: str = "cheese", lease: str | None = None
) -> dict[str, Any]:
    return lend(camera, now_ns=now_ns, seconds=60.0, to=to, lease=lease)


def test_the_borrower_is_told_the_device_the_lease_and_until_when(
    camera: CaptureController,
) -> None:
    told = borrow(camera, 10 * S)
    assert told.keys() == {"device", "lease", "until_utc_ns"}
    assert told["device"] == "a"
    assert camera.lease is not None
    assert (camera.lease.id, camera.lease.until_ns) == (told["lease"], 70 * S)


def test_a_second_borrower_is_told_who_has_it_and_for_how_long(camera: CaptureController) -> None:
    borrow(camera, 10 * S)
    with pytest.raises(Refusal, match=r"lent to cheese until ..:..:.. UTC, for 50 s more") as error:
        borrow(camera, 20 * S, to="fswebcam")
    assert error.value.code == NOT_NOW
    assert camera.lease is not None
    assert camera.lease.to == "cheese"


def test_its_holder_renews_it_by_its_id(camera: CaptureController) -> None:
    lease = borrow(camera, 10 * S)["lease"]
    again = borrow(camera, 20 * S, lease=lease)
    assert (again["lease"], again["device"], camera.deadline_ns()) == (lease, "a", 80 * S)


def test_a_lease_that_is_over_is_not_renewed(camera: CaptureController) -> None:
    lease = borrow(camera, 10 * S)["lease"]
    camera.start(20 * S)
    with pytest.raises(Refusal, match="over") as error:
        borrow(camera, 21 * S, lease=lease)
    assert error.value.code == NOT_NOW


def test_what_has_no_device_or_is_not_open_cannot_be_lent(camera: CaptureController) -> None:
    with pytest.raises(Refusal, match="no device") as error:
        borrow(streaming(TEST, Notes()), 10 * S)
    assert error.value.code == NOT_SUPPORTED
    camera.stop(10 * S)
    with pytest.raises(Refusal, match="no camera is open") as error:
        borrow(camera, 11 * S)
    assert error.value.code == NOT_NOW
