"""`lend`: the camera for another program, for a while.

A lease belongs to whoever was told its id: nobody else renews or ends it, but an operator's `start`
or `stop`.
"""

from __future__ import annotations

import os
import time

from framebus.clocks import utc_offset_ns
from framebus.control.protocol import NOT_NOW, NOT_SUPPORTED

from capture_daemon.control.refusal import Refusal
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.lease import Lease

_ID_BYTES = 8


def lend(
    camera: CaptureController, *, now_ns: int, seconds: float, to: str, lease: str | None = None
) -> dict[str, object]:
    """Lend the camera, or renew the `lease` of this id; return the result. Raises Refusal.

    `now_ns` is CLOCK_MONOTONIC.
    """
    present = camera.lease
    if present is not None and present.id != lease:
        raise Refusal(NOT_NOW, f"{told(present, now_ns)}; `framebus ctl start` takes it back")
    if present is None and lease is not None:
        raise Refusal(NOT_NOW, "that lease is over")
    source = camera.source
    device = present.device if present is not None else source.node or source.rested_node
    if not device:
        if not camera.source.on_device:
            what = camera.source.request.spec.public
            raise Refusal(NOT_SUPPORTED, f"{what} has no device that could be lent")
        raise Refusal(
            NOT_NOW,
            "no camera is open now, so there is none to lend: `framebus ctl start` opens it",
        )
    id_ = os.urandom(_ID_BYTES).hex() if present is None else present.id
    lent = Lease(id_, device, to, now_ns + round(seconds * 1e9))
    camera.lend(lent, now_ns)
    return {"device": device, "lease": id_, "until_utc_ns": lent.until_ns + utc_offset_ns()}


def told(lease: Lease, now_ns: int) -> str:
    """Return who has the camera, and until when."""
    until = time.strftime("%H:%M:%S", time.gmtime((lease.until_ns + utc_offset_ns()) / 1e9))
    left_s = (lease.until_ns - now_ns) / 1e9
    return f"the camera is lent to {lease.to} until {until} UTC, for {left_s:.0f} s more"
