"""Why there are no frames: one cause, with a code for programs and two sentences for people.

The daemon names its own causes; what it cannot say itself (that it is dead, or was never there)
is found out here, from its lock file and its ring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from framebus.contract.causes import REMEDIES, Cause, Code
from framebus.contract.words import State
from framebus.errors import FramebusError, NoPermission, OutOfResources, Untrusted
from framebus.invocation.typed import for_camera
from framebus.listener import UNKNOWN_INTERVAL_S
from framebus.names import CameraNames


def fresh_for_ns(interval_ns: int) -> int:
    """Return how old the newest frame may be before a camera counts as away, nanoseconds."""
    return 3 * (interval_ns or round(UNKNOWN_INTERVAL_S * 1e9)) + 1_000_000_000


def explain(
    names: CameraNames,
    status: Mapping[str, object],
    *,
    attached: bool,
    trouble: FramebusError | None,
    holder: Callable[[], int],
) -> Cause:
    """Return why this camera gives no fresh frames.

    `status` is what its ring says (empty without one), `attached` whether there is a ring,
    `trouble` why the ring cannot be read, `holder` returns the pid of the living daemon or 0, or
    raises OutOfResources.
    """
    if trouble is not None:
        return Cause(_code(trouble), str(trouble))
    try:
        alive = holder() > 0
    except OutOfResources as shortage:
        return Cause(_code(shortage), str(shortage))
    if not alive:
        return _without_daemon(names.camera, attached)
    told = status.get("cause")
    if isinstance(told, Mapping):
        cause = Cause.told(told)
        return replace(cause, remedy=for_camera(cause.remedy, names.camera))
    return _by_state(names.camera, str(status.get("state", "")))


def _code(trouble: FramebusError) -> Code:
    match trouble:
        case Untrusted():
            return "untrusted"
        case NoPermission():
            return "no-permission"
        case OutOfResources():
            return "out-of-resources"
        case _:
            return "other-version"


def _without_daemon(camera: str, attached: bool) -> Cause:
    if attached:
        return Cause(
            "daemon-died",
            f"the capture daemon of {camera!r} has died",
            f"under framebus up it comes back by itself; else: framebus capture --name {camera}",
        )
    return Cause(
        "daemon-absent",
        f"no capture daemon runs for {camera!r}",
        f"start one: framebus capture --name {camera}",
    )


def _by_state(camera: str, state: str) -> Cause:
    if state == State.STOPPED:
        remedy = for_camera(REMEDIES["stopped"], camera)
        return Cause("stopped", f"the capture of {camera!r} is stopped", remedy)
    if state in ("", State.OPENING):
        return Cause("opening", f"the capture daemon of {camera!r} is opening its source")
    return Cause("no-frames", f"camera {camera!r} delivers no new frames (state: {state})")
