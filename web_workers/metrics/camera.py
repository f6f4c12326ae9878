"""A camera's metrics from its status document and its ring. Pure.

What only a living daemon knows is left out without one: its last words are in the ring, but a rate
or a state of then is not true of now.
"""

from __future__ import annotations

from framebus.contract.words import DROPS, Rung, State
from framebus.json_parts import object_at, objects_at

from web_workers.cameras.observe import ABSENT, Observation
from web_workers.metrics import frames
from web_workers.metrics.families import Labels, MetricFamilies, as_number, as_seconds, as_word

STATES = (*State, ABSENT)
"""The daemon's (docs/lifecycle.md), and what it is without one."""


def tell(families: MetricFamilies, seen: Observation) -> None:
    """Fill in what was seen of one camera."""
    camera = {"camera": seen.camera}
    families.gauge(
        "camera_online",
        "1 while the camera gives fresh frames, 0 while it does not.",
        int(seen.online),
        camera,
    )
    for state in dict.fromkeys((*STATES, seen.state)):
        families.gauge(
            "camera_state",
            "1 for the state that the capture is in, 0 for the others; absent: no daemon lives.",
            int(state == seen.state),
            {**camera, "state": as_word(state)},
        )
    if seen.cause is not None:
        families.gauge(
            "camera_cause",
            "1 for the reason why there are no fresh frames; no sample while there are.",
            1,
            {**camera, "code": as_word(seen.cause.code)},
        )
    families.gauge(
        "newest_frame_age_seconds",
        "Time since the newest frame was captured; no sample while there is none.",
        seen.age_s,
        camera,
    )
    families.gauge(
        "ring_sequence",
        "Number of the newest frame in the ring. It begins again when the ring is made anew.",
        seen.sequence,
        camera,
    )
    if seen.state != ABSENT:
        _tell_format(families, seen, camera)
        frames.tell(families, seen)
        _tell_daemon(families, seen, camera)
        _tell_recovery(families, seen, camera)


def _tell_format(families: MetricFamilies, seen: Observation, camera: Labels) -> None:
    families.gauge(
        "camera_frame_interval_seconds",
        "Time between two frames, as the camera granted it.",
        seen.interval_s,
        camera,
    )
    source = object_at(seen.status, "source")
    granted = object_at(source, "granted")
    if granted:
        texts = {
            key: str(number) if (number := as_number(granted.get(key))) is not None else ""
            for key in ("width", "height", "fps")
        }
        families.info(
            "camera_format",
            "The format that the camera granted, and the kind of source that it comes from.",
            camera,
            {
                "source": as_word(source.get("kind")),
                "fourcc": as_word(granted.get("fourcc")),
                **{key: text.removesuffix(".0") for key, text in texts.items()},
            },
        )


def _tell_daemon(families: MetricFamilies, seen: Observation, camera: Labels) -> None:
    status = seen.status
    ring, control = object_at(status, "ring"), object_at(status, "control")
    families.info(
        "daemon",
        "The capture daemon's version.",
        camera,
        {"version": as_word(status.get("version"))},
    )
    families.gauge(
        "daemon_start_timestamp_seconds",
        "When the capture daemon was started; each change is a restart.",
        as_seconds(status.get("started_utc_ns")),
        camera,
    )
    families.gauge(
        "camera_state_since_timestamp_seconds",
        "Since when the capture is in its state.",
        as_seconds(status.get("since_utc_ns")),
        camera,
    )
    families.gauge("ring_size_bytes", "Size of the ring in memory.", ring.get("size"), camera)
    families.gauge(
        "ring_frame_limit_bytes",
        "Size of the largest frame that the ring takes.",
        ring.get("largest"),
        camera,
    )
    families.counter(
        "control_answered",
        "Answers that the daemon sent on its control socket.",
        control.get("answered"),
        camera,
    )
    dropped = object_at(control, "dropped")
    for reason in dict.fromkeys((*DROPS, *dropped)):
        families.counter(
            "control_dropped",
            "What the daemon dropped on its control socket, by the reason.",
            dropped.get(reason, 0),
            {**camera, "reason": as_word(reason)},
        )


def _tell_recovery(families: MetricFamilies, seen: Observation, camera: Labels) -> None:
    status, recovery = seen.status, object_at(seen.status, "recovery")
    families.gauge(
        "incident_active",
        "1 while an incident goes on: frames are missing, and something is to blame for it.",
        int(status.get("incident") is not None),
        camera,
    )
    families.gauge(
        "camera_failures_in_a_row",
        "How often it failed since the stream was last well.",
        status.get("attempts"),
        camera,
    )
    families.gauge(
        "camera_retry_timestamp_seconds",
        "When the daemon tries again by itself; no sample when it need not.",
        as_seconds(status.get("retry_utc_ns")),
        camera,
    )
    tries = object_at(recovery, "tries")
    for rung in dict.fromkeys((*Rung, *tries)):
        families.counter(
            "recovery_tries",
            "How often each rung of the recovery ladder was begun, by itself or for a person.",
            tries.get(rung, 0),
            {**camera, "rung": as_word(rung)},
        )
    if recovery.get("rung") is not None:
        families.gauge(
            "recovery_rung",
            "1 for the rung that is being tried, or was tried last.",
            1,
            {**camera, "rung": as_word(recovery["rung"])},
        )
    refused = objects_at(recovery, "unavailable")
    for rung in dict.fromkeys(as_word(each.get("rung")) for each in refused):
        families.gauge(
            "recovery_rung_unavailable",
            "1 for each rung that cannot be used now; `framebus ctl status` says what grants it.",
            1,
            {**camera, "rung": rung},
        )
