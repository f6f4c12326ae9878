"""A camera's metrics from its status document and its ring. Pure.

What only a living daemon knows is left out without one: its last words are in the ring, but a rate
or a state of then is not true of now. What has a fixed list of words is told of each from the
start, so that a rate sees the first.
"""

from __future__ import annotations

from collections.abc import Mapping

from framebus.contract.words import DROPS, REJECTIONS, Rung, State
from framebus.json_parts import object_at, objects_at

from web_workers.cameras.observe import ABSENT, Observation
from web_workers.metrics.families import MetricFamilies, as_number, as_seconds, as_word

STATES = (*State, ABSENT)
"""The daemon's (docs/lifecycle.md), and what it is without one."""


def tell(families: MetricFamilies, seen: Observation) -> None:
    """Fill in what was seen of one camera."""
    camera = {"camera": seen.camera}
    families.add("camera_online", int(seen.online), **camera)
    for state in dict.fromkeys((*STATES, seen.state)):
        families.add("camera_state", int(state == seen.state), **camera, state=state)
    if seen.cause is not None:
        families.add("camera_cause", 1, **camera, code=seen.cause.code)
    families.add("newest_frame_age_seconds", seen.age_s, **camera)
    families.add("ring_sequence", seen.sequence, **camera)
    if seen.state != ABSENT:
        _tell_format(families, seen)
        _tell_frames(families, seen.status, camera)
        _tell_daemon(families, seen.status, camera)
        _tell_recovery(families, seen.status, camera)


def _tell_format(families: MetricFamilies, seen: Observation) -> None:
    families.add("camera_frame_interval_seconds", seen.interval_s, camera=seen.camera)
    source = object_at(seen.status, "source")
    granted = object_at(source, "granted")
    if granted:
        numbers = {key: as_number(granted.get(key)) for key in ("width", "height", "fps")}
        texts = {
            "source": source.get("kind"),
            "fourcc": granted.get("fourcc"),
            **{key: n if n is None else str(n).removesuffix(".0") for key, n in numbers.items()},
        }
        families.info("camera_format", texts, camera=seen.camera)


def _tell_frames(
    families: MetricFamilies, status: Mapping[str, object], camera: Mapping[str, str]
) -> None:
    _tell_origin(families, object_at(status, "frames"), {**camera, "origin": "camera"})
    fallback = object_at(status, "fallback")
    if fallback:
        families.add("fallback_shown", int(fallback.get("shown") is True), **camera)
        _tell_origin(families, object_at(fallback, "frames"), {**camera, "origin": "fallback"})


def _tell_origin(
    families: MetricFamilies, frames: Mapping[str, object], labels: Mapping[str, str]
) -> None:
    families.add("source_frames_per_second", frames.get("fps"), **labels)
    for key in ("captured", "published", "missed"):
        families.add(f"frames_{key}", frames.get(key), **labels)
    rejected = object_at(frames, "rejected")
    for reason in dict.fromkeys((*REJECTIONS, *rejected)):
        families.add("frames_rejected", rejected.get(reason, 0), **labels, reason=reason)


def _tell_daemon(
    families: MetricFamilies, status: Mapping[str, object], camera: Mapping[str, str]
) -> None:
    ring, control = object_at(status, "ring"), object_at(status, "control")
    families.info("daemon", {"version": status.get("version")}, **camera)
    started, since = (
        as_seconds(status.get("started_utc_ns")),
        as_seconds(status.get("since_utc_ns")),
    )
    families.add("daemon_start_timestamp_seconds", started, **camera)
    families.add("camera_state_since_timestamp_seconds", since, **camera)
    families.add("ring_size_bytes", ring.get("size"), **camera)
    families.add("ring_frame_limit_bytes", ring.get("largest"), **camera)
    if demand := object_at(status, "demand"):
        families.add("camera_watched", int(demand.get("watched") is True), **camera)
    families.add("control_answered", control.get("answered"), **camera)
    dropped = object_at(control, "dropped")
    for reason in dict.fromkeys((*DROPS, *dropped)):
        families.add("control_dropped", dropped.get(reason, 0), **camera, reason=reason)


def _tell_recovery(
    families: MetricFamilies, status: Mapping[str, object], camera: Mapping[str, str]
) -> None:
    recovery = object_at(status, "recovery")
    families.add("incident_active", int(status.get("incident") is not None), **camera)
    families.add("camera_failures_in_a_row", status.get("attempts"), **camera)
    retry = as_seconds(status.get("retry_utc_ns"))
    families.add("camera_retry_timestamp_seconds", retry, **camera)
    tries = object_at(recovery, "tries")
    for rung in dict.fromkeys((*Rung, *tries)):
        families.add("recovery_tries", tries.get(rung, 0), **camera, rung=rung)
    if recovery.get("rung") is not None:
        families.add("recovery_rung", 1, **camera, rung=recovery["rung"])
    refused = objects_at(recovery, "unavailable")
    for rung in dict.fromkeys(as_word(each.get("rung")) for each in refused):
        families.add("recovery_rung_unavailable", 1, **camera, rung=rung)
