"""`lend` and `give_back`: the camera for another program, for a while, and back again.

A lease belongs to whoever was told its id: nobody else renews or ends it, but an operator's `start`
or `stop`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from framebus.clocks import utc_offset_ns
from framebus.control.protocol import INVALID_PARAMS, NOT_NOW, NOT_SUPPORTED

from capture_daemon.control.refusal import Refusal
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.lease import LONGEST_S, Lease

_ID_BYTES = 8


def lend(camera: CaptureController, params: Mapping[str, object], now_ns: int) -> dict[str, object]:
    """Lend the camera, or renew the lease that `params` names; return the result. Raises Refusal.

    `now_ns` is CLOCK_MONOTONIC.
    """
    seconds, id_ = params.get("seconds"), params.get("lease")
    to = params.get("to", "another program")
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_S or seconds is True:
        raise Refusal(INVALID_PARAMS, f"seconds is a number up to {LONGEST_S:g}")
    if not isinstance(to, str) or not 0 < len(to) <= 200:
        raise Refusal(INVALID_PARAMS, "to is a text that names who has the camera meanwhile")
    present = camera.lease
    if present is not None and present.id != id_:
        raise Refusal(NOT_NOW, f"{told(present, now_ns)}; `framebus ctl start` takes it back")
    if present is None and id_ is not None:
        raise Refusal(NOT_NOW, "that lease is over")
    device = camera.source.node if present is None else present.device
    if not device:
        if not camera.source.on_device:
            what = camera.source.request.spec.public
            raise Refusal(NOT_SUPPORTED, f"{what} has no device that could be lent")
        raise Refusal(NOT_NOW, "no camera is open now, so there is none to lend")
    id_ = os.urandom(_ID_BYTES).hex() if present is None else present.id
    lease = Lease(id_, device, to, now_ns + round(seconds * 1e9))
    camera.lend(lease, now_ns)
    return {"device": device, "lease": id_, "until_utc_ns": lease.until_ns + utc_offset_ns()}


def give_back(
    camera: CaptureController, params: Mapping[str, object], now_ns: int
) -> dict[str, object]:
    """End the lease that `params` names; return whether it was out. Raises Refusal."""
    id_ = params.get("lease")
    if not isinstance(id_, str):
        raise Refusal(INVALID_PARAMS, "lease is the id that `lend` has returned")
    return {"given_back": camera.give_back(id_, now_ns)}


def told(lease: Lease, now_ns: int) -> str:
    """Return who has the camera, and until when."""
    until = time.strftime("%H:%M:%S", time.gmtime((lease.until_ns + utc_offset_ns()) / 1e9))
    left_s = (lease.until_ns - now_ns) / 1e9
    return f"the camera is lent to {lease.to} until {until} UTC, for {left_s:.0f} s more"
