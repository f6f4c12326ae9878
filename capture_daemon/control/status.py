"""Builds the status document: what `status` answers and the ring carries. Pure.

docs/control.md describes every key; all of them are always there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from framebus.clocks import utc_offset_ns
from framebus.contract.causes import Cause
from framebus.contract.documents import (
    CauseDocument,
    ControlDocument,
    DemandDocument,
    FallbackDocument,
    FramesDocument,
    LeaseDocument,
    RecoveryDocument,
    RingDocument,
    SourceDocument,
    StatusDocument,
)
from framebus.contract.words import State
from framebus.ring.writer import RingWriter
from framebus.version import __version__

from capture_daemon.capturing.counters import FrameCounters, FrameCounts
from capture_daemon.control.truncate import truncate
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.demand import Demand
from capture_daemon.lifecycle.fallback import Fallback
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.table import OPEN_STATES
from capture_daemon.recovery.escalation import Progress


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of JSON that each text may take. What is cut ends in "…".

    The ring keeps 8 KiB for the document, and people, drivers and servers have a say in its texts.
    """

    spec: int
    device: int
    message: int
    remedy: int


_CAMERA = Limits(spec=1000, device=600, message=1200, remedy=600)
_FALLBACK = Limits(spec=600, device=200, message=400, remedy=200)
_RUNG_TEXT_MAX = 120
_LEASE_TO_MAX = 200


def ring_document(writer: RingWriter) -> RingDocument:
    """Return the figures of the ring that `writer` has made; they never change."""
    geometry = writer.geometry
    return {
        "path": str(writer.path),
        "size": geometry.size,
        "arena": geometry.capacity,
        "frames": geometry.count,
        "largest": geometry.largest,
        "note": writer.note,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Knows where every figure comes from. Main thread only."""

    camera: str
    pid: int
    epoch: int
    ring: RingDocument
    controller: CaptureController
    counters: FrameCounters
    fallback: Fallback
    fallback_counters: FrameCounters
    control: Callable[[], ControlDocument]
    started_ns: int

    def document(self, now_ns: int, *, operator: bool = False) -> StatusDocument:
        """Return the whole document; `now_ns` is CLOCK_MONOTONIC.

        An `operator` sees of a source's text what is known to be harmless, others only its kind,
        host and port.
        """
        camera = self.controller.snapshot(now_ns)
        to_utc_ns = utc_offset_ns()
        return {
            "camera": self.camera,
            "pid": self.pid,
            "version": __version__,
            "epoch": f"{self.epoch:016x}",
            "started_utc_ns": self.started_ns + to_utc_ns,
            "state": camera.state,
            "since_utc_ns": camera.since_ns + to_utc_ns,
            "cause": _cause(camera.cause, _CAMERA),
            "incident": camera.incident,
            "attempts": camera.attempts,
            "lease": _lease(camera.lease, to_utc_ns),
            "demand": _demand(self.controller.demand),
            "retry_utc_ns": None if camera.retry_ns is None else camera.retry_ns + to_utc_ns,
            "source": _source(camera.source, _CAMERA, operator=operator),
            "frames": _frames(self.counters.counts(now_ns), to_utc_ns, camera.state),
            "fallback": self._fallback_part(now_ns, to_utc_ns, operator=operator),
            "ring": self.ring,
            "control": self.control(),
            "recovery": _recovery(camera.recovery, to_utc_ns),
        }

    def changes(self, now_ns: int) -> tuple[object, ...]:
        """Return what is worth telling at once when it differs from what it was."""
        return self.controller.snapshot(now_ns).news, self.fallback.snapshot(now_ns).news

    def line(self, now_ns: int) -> str:
        """Return one line for `systemctl status`."""
        camera = self.controller.snapshot(now_ns)
        if camera.cause is not None:
            instead = "" if self.fallback.shown_ns is None else "; the fallback is shown"
            return f"{camera.state}: {camera.cause.message}{instead}"
        granted = camera.source.granted
        what = f" {granted.width}x{granted.height}" if granted else ""
        return f"{camera.state}{what} from {camera.source.request.spec.public}"

    def _fallback_part(
        self, now_ns: int, to_utc_ns: int, *, operator: bool
    ) -> FallbackDocument | None:
        fallback = self.fallback.snapshot(now_ns)
        if fallback.spec is None:
            return None
        own, shown_ns = fallback.own, fallback.shown_ns
        return {
            "shown": shown_ns is not None,
            "shown_since_utc_ns": None if shown_ns is None else shown_ns + to_utc_ns,
            "state": own.state,
            # While it is not wanted there is nothing to explain.
            "cause": _cause(own.cause, _FALLBACK) if fallback.wanted else None,
            "source": _source(own.source, _FALLBACK, operator=operator),
            "frames": _frames(self.fallback_counters.counts(now_ns), to_utc_ns, own.state),
        }


def _frames(counts: FrameCounts, to_utc_ns: int, state: State) -> FramesDocument:
    fps = counts.fps if state in OPEN_STATES else None
    return {
        "captured": counts.captured,
        "published": counts.published,
        "rejected": dict(counts.rejected),
        "missed": counts.missed,
        "fps": None if fps is None else round(fps, 2),
        "newest_utc_ns": counts.newest_ns + to_utc_ns if counts.newest_ns else None,
    }


def _source(source: CurrentSource, limits: Limits, *, operator: bool) -> SourceDocument:
    granted, spec = source.granted, source.request.spec
    return {
        "spec": truncate(spec.text if operator else spec.public, limits.spec),
        "kind": source.kind,
        "device": truncate(granted.device if granted else "", limits.device),
        "requested": source.request.format.document(),
        "granted": granted.document() if granted else None,
        "note": granted.note if granted else "",
    }


def _cause(cause: Cause | None, limits: Limits) -> CauseDocument | None:
    if cause is None:
        return None
    return {
        "code": cause.code,
        "message": truncate(cause.message, limits.message),
        "remedy": truncate(cause.remedy, limits.remedy),
    }


def _lease(lease: Lease | None, to_utc_ns: int) -> LeaseDocument | None:
    """Return to whom the camera is lent; the id is its holder's alone."""
    if lease is None:
        return None
    return {"to": truncate(lease.to, _LEASE_TO_MAX), "until_utc_ns": lease.until_ns + to_utc_ns}


def _demand(demand: Demand) -> DemandDocument | None:
    """Return whether anybody wants frames; None where nothing depends on that."""
    if not demand.matters:
        return None
    return {
        "watched": demand.watched,
        "idle_after_s": demand.idle_after_s or None,
        "idle_fps": demand.idle_fps,
    }


def _recovery(progress: Progress, to_utc_ns: int) -> RecoveryDocument:
    step = progress.step
    return {
        "rung": progress.rung,
        "next": step.rung if step else None,
        "next_utc_ns": step.due_ns + to_utc_ns if step else None,
        "tries": dict(progress.tries),
        "unavailable": [
            {
                "rung": each.rung,
                "reason": truncate(each.reason, _RUNG_TEXT_MAX),
                "remedy": truncate(each.remedy, _RUNG_TEXT_MAX),
            }
            for each in progress.unavailable
        ],
    }
