"""A daemon's frames, the camera's and those of its fallback, from its status document. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from framebus.contract.words import REJECTIONS
from framebus.json_parts import object_at

from web_workers.cameras.observe import Observation
from web_workers.metrics.families import Labels, MetricFamilies, as_word


def tell(families: MetricFamilies, seen: Observation) -> None:
    """Fill in what a living daemon says of its frames."""
    camera = {"camera": seen.camera}
    _tell_origin(families, {**camera, "origin": "camera"}, object_at(seen.status, "frames"))
    fallback = object_at(seen.status, "fallback")
    if fallback:
        families.gauge(
            "fallback_shown",
            "1 while viewers see the fallback, 0 while they do not; no sample without a fallback.",
            int(fallback.get("shown") is True),
            camera,
        )
        _tell_origin(families, {**camera, "origin": "fallback"}, object_at(fallback, "frames"))


def _tell_origin(families: MetricFamilies, labels: Labels, frames: Mapping[str, object]) -> None:
    families.gauge(
        "source_frames_per_second",
        "Valid frames a second, as measured over the last ones.",
        frames.get("fps"),
        labels,
    )
    families.counter(
        "frames_captured",
        "Frames that the source gave: all that were published or rejected.",
        frames.get("captured"),
        labels,
    )
    families.counter(
        "frames_published", "Frames put into the ring.", frames.get("published"), labels
    )
    rejected = object_at(frames, "rejected")
    # Each is told from the start, so that a rate sees the first.
    for reason in dict.fromkeys((*REJECTIONS, *rejected)):
        families.counter(
            "frames_rejected",
            "Frames that the source gave and that were not published, by the reason.",
            rejected.get(reason, 0),
            {**labels, "reason": as_word(reason)},
        )
    families.counter(
        "frames_missed",
        "Frames that never reached the daemon: gaps in the source's own numbering.",
        frames.get("missed"),
        labels,
    )
