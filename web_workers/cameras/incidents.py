"""A camera's losses of frames, as its daemon tells those who may ask it and not command it.

What anybody may see on the page: why, how long, what helped. Which processes ran on the machine and
what its kernel said stays with those who may use the control socket (`framebus ctl incidents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.json_parts import objects_at
from framebus.names import CameraNames

TIMEOUT_S = 1.0
_KEYS = (
    "id",
    "state",
    "began_utc_ns",
    "ended_utc_ns",
    "away_s",
    "cause",
    "causes",
    "cured_by",
    "fallback_utc_ns",
)


def incidents(names: CameraNames, limit: int) -> dict[str, Any]:
    """Return the newest `limit` incidents, newest first; none, and why, while no daemon answers.

    Blocks for up to `TIMEOUT_S`.
    """
    try:
        return told(ask(names, limit, TIMEOUT_S))
    except FramebusError as error:
        return {"incidents": [], "left_off": 0, "trouble": str(error)}


def ask(names: CameraNames, limit: int, timeout_s: float) -> object:
    """Return the daemon's own reply; raises FramebusError when there is none."""
    with ControlClient(names, timeout_s=timeout_s, asks_only=True) as client:
        return client.call("incidents", {"limit": limit})


def told(reply: object) -> dict[str, Any]:
    """Return what a daemon's reply says that anybody may see; a part that is missing is null."""
    return {
        "incidents": [_public(each) for each in objects_at(reply, "incidents")],
        "left_off": reply.get("left_off", 0) if isinstance(reply, Mapping) else 0,
        "trouble": None,
    }


def _public(incident: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: incident.get(key) for key in _KEYS},
        "tried": [each.get("rung") for each in objects_at(incident, "tried")],
    }
