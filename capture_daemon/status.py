"""Builds the status document: what `status` answers and the ring carries. Pure.

docs/control.md describes every key; all of them are always there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framebus.clocks import utc_offset_ns
from framebus.version import __version__

from capture_daemon.conductor import Conductor
from capture_daemon.counters import FrameCounters
from capture_daemon.current import CurrentSource
from capture_daemon.reports import Cause
from capture_daemon.sources.base import Granted, Request

Document = dict[str, object]

# The ring keeps 8 KiB for the document, and people, drivers and servers have a say in its texts:
# bytes of JSON that each may take. What is cut ends in "…".
_SPEC_MAX = 1500
_DEVICE_MAX = 1000
_MESSAGE_MAX = 1400
_REMEDY_MAX = 700
_RUNG_TEXT_MAX = 120


@dataclass(frozen=True, slots=True)
class Ring:
    """The ring's figures, which never change in a daemon's life."""

    path: str
    epoch: int
    size: int
    arena: int
    descriptors: int
    largest: int

    def document(self) -> Document:
        """Return the `ring` part."""
        return {
            "path": self.path,
            "size": self.size,
            "arena": self.arena,
            "frames": self.descriptors,
            "largest": self.largest,
        }


class Status:
    """Knows where every figure comes from. Main thread only."""

    def __init__(
        self,
        *,
        camera: str,
        pid: int,
        ring: Ring,
        conductor: Conductor,
        counters: FrameCounters,
        control: Callable[[], Mapping[str, object]],
        started_utc_ns: int,
    ) -> None:
        self._camera = camera
        self._pid = pid
        self._ring = ring
        self._conductor = conductor
        self._counters = counters
        self._control = control
        self._started_utc_ns = started_utc_ns

    def document(self, now_ns: int) -> Document:
        """Return the whole document; `now_ns` is CLOCK_MONOTONIC."""
        conductor = self._conductor
        to_utc_ns = utc_offset_ns()
        retry_ns = conductor.retries.due_ns
        return {
            "camera": self._camera,
            "pid": self._pid,
            "version": __version__,
            "epoch": f"{self._ring.epoch:016x}",
            "started_utc_ns": self._started_utc_ns,
            "state": conductor.state.value,
            "since_utc_ns": conductor.since_ns + to_utc_ns,
            "cause": _cause(conductor.cause(now_ns)),
            "incident": conductor.incident(),
            "attempts": conductor.retries.failures,
            "retry_utc_ns": None if retry_ns is None else retry_ns + to_utc_ns,
            "source": _source(conductor.source, _SPEC_MAX, _DEVICE_MAX),
            "frames": self._frames(now_ns, to_utc_ns),
            "ring": self._ring.document(),
            "control": dict(self._control()),
            "recovery": _recovery(conductor.retries.climber.document()),
        }

    def changes(self, now_ns: int) -> tuple[object, ...]:
        """Return what is worth telling at once when it differs from what it was."""
        conductor = self._conductor
        cause = conductor.cause(now_ns)
        return (
            conductor.state,
            conductor.source.plan,
            conductor.source.granted,
            conductor.retries.due_ns,
            conductor.retries.climber.document(),
            cause.code if cause else "",
        )

    def line(self, now_ns: int) -> str:
        """Return one line for `systemctl status`."""
        conductor = self._conductor
        cause = conductor.cause(now_ns)
        if cause is not None:
            return f"{conductor.state.value}: {cause.message}"
        granted = conductor.source.granted
        what = f" {granted.width}x{granted.height}" if granted else ""
        return f"{conductor.state.value}{what} from {conductor.source.plan.spec.text}"

    def _frames(self, now_ns: int, to_utc_ns: int) -> Document:
        counts = self._counters.counts(now_ns)
        return {
            "captured": counts.captured,
            "published": counts.published,
            "rejected": dict(counts.rejected),
            "missed": counts.missed,
            "fps": round(counts.fps, 2),
            "newest_utc_ns": counts.newest_ns + to_utc_ns if counts.newest_ns else None,
        }


def _source(source: CurrentSource, spec_max: int, device_max: int) -> Document:
    granted = source.granted
    return {
        "spec": brief(source.plan.spec.text, spec_max),
        "kind": source.kind,
        "device": brief(granted.device if granted else "", device_max),
        "requested": _requested(source.plan.request),
        "granted": _granted(granted),
        "note": granted.note if granted else "",
    }


def _cause(cause: Cause | None) -> Document | None:
    if cause is None:
        return None
    return {
        "code": cause.code,
        "message": brief(cause.message, _MESSAGE_MAX),
        "remedy": brief(cause.remedy, _REMEDY_MAX),
    }


def _recovery(document: Mapping[str, object]) -> Document:
    unavailable = document["unavailable"]
    assert isinstance(unavailable, list)  # noqa: S101  for mypy: climber.py builds it so
    return {
        **document,
        "unavailable": [
            {
                "rung": each["rung"],
                "reason": brief(each["reason"], _RUNG_TEXT_MAX),
                "remedy": brief(each["remedy"], _RUNG_TEXT_MAX),
            }
            for each in unavailable
        ],
    }


def brief(text: str, most: int) -> str:
    """Return `text`, or as much of its beginning as takes at most `most` bytes of JSON."""
    if len(json.dumps(text)) <= most:
        return text
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[:middle], most) else (low, middle - 1)
    return text[:low] + "…"


def _fits(text: str, most: int) -> bool:
    return len(json.dumps(text + "…")) <= most


def _requested(request: Request) -> Document:
    return {"width": request.width, "height": request.height, "fps": request.fps}


def _granted(granted: Granted | None) -> Document | None:
    if granted is None:
        return None
    return {
        "fourcc": granted.fourcc,
        "width": granted.width,
        "height": granted.height,
        "fps": granted.fps,
    }
