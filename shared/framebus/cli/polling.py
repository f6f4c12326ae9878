"""Calls that may take longer than the daemon's 100 ms: made, then looked at until they are done.

The daemon answers within 100 ms whatever the camera does. `pending` in its reply names controls
that the camera has not acknowledged yet; `controls` tells when none of them is pending any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from framebus.control.client import ControlClient
from framebus.control.protocol import CAMERA_REFUSED, NOT_NOW
from framebus.errors import CommandRefused, ControlTimeout
from framebus.json_parts import list_at, objects_at

TIMEOUT_S = 6.0
"""Seconds to wait for a camera: a control transfer that it never answers takes five to fail."""
_LOOK_EVERY_S = 0.2


def set_controls(
    client: ControlClient,
    wanted: Mapping[str, object],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> object:
    """Set controls and return the daemon's reply, one with nothing pending.

    Raises ControlTimeout when the camera has not acknowledged after TIMEOUT_S seconds, and
    CommandRefused when it then has another value than a number that was asked for.
    """
    reply = client.call("set_controls", wanted)
    pending = _pending(reply)
    if not pending:
        return reply
    deadline_s = clock() + TIMEOUT_S
    while clock() < deadline_s:
        sleep(_LOOK_EVERY_S)
        reply = client.call("controls")
        if not pending & _pending(reply):
            return {"applied": _applied(reply, wanted), "pending": []}
    raise ControlTimeout(
        f"the camera has not acknowledged {', '.join(sorted(pending))} within {TIMEOUT_S:g} s; "
        "it may still: look with `framebus ctl controls`"
    )


def configure(
    client: ControlClient,
    wanted: Mapping[str, object],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> object:
    """Change the request and return the reply, waiting for a source that takes long to look at.

    Raises CommandRefused when it was not looked at after TIMEOUT_S seconds, or does not fit.
    """
    deadline_s = clock() + TIMEOUT_S
    while True:
        try:
            return client.call("configure", wanted)
        except CommandRefused as refused:
            if refused.code != NOT_NOW or clock() >= deadline_s:
                raise
        sleep(_LOOK_EVERY_S)


def holders(
    client: ControlClient,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> object:
    """Return who has the camera's device, as seen just now; after TIMEOUT_S, what is known.

    With thousands of processes the daemon may take longer to look than it may take to answer.
    """
    deadline_s = clock() + TIMEOUT_S
    while True:
        reply = client.call("holders")
        if not isinstance(reply, Mapping) or reply.get("fresh") or clock() >= deadline_s:
            return reply
        sleep(_LOOK_EVERY_S)


def _pending(reply: object) -> set[str]:
    return {str(name) for name in list_at(reply, "pending")}


def _applied(reply: object, wanted: Mapping[str, object]) -> dict[str, object]:
    """Return the wanted controls' values, by name, from a reply of `controls`."""
    applied: dict[str, object] = {}
    for control in objects_at(reply, "controls"):
        for key in (str(control.get("name")), str(control.get("id"))):
            if key in wanted:
                value, asked = control.get("value"), wanted[key]
                if isinstance(asked, int) and isinstance(value, int) and asked != value:
                    raise CommandRefused(
                        f"{key} is {value}, not {asked}: the camera refused it, or has its own "
                        "idea of it",
                        CAMERA_REFUSED,
                    )
                applied[key] = value
    return applied
