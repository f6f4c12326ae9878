"""What all workers have counted of their viewers. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from web_workers.admission.request_reader import DISPLACED, LATE
from web_workers.admission.response_drain import UNREAD
from web_workers.admission.viewer_limits import RefusalReason
from web_workers.counts import worker_counts
from web_workers.counts.tally import AGE_BOUNDS_S
from web_workers.counts.worker_counts import Closed, HandoverOutcome, WorkerCounts
from web_workers.metrics.families import Labels, MetricFamilies

_OF_NO_CAMERA = frozenset({worker_counts.DROPPED, worker_counts.HANDED_OVER})


def tell(
    families: MetricFamilies, cameras: Iterable[str], counted: WorkerCounts, workers: int
) -> None:
    """Fill in the counts for these cameras, and for any other that had viewers."""
    families.gauge("web_workers", "Worker processes of the web tier.", workers, {})
    streams = {(camera, worker_counts.FRAMES) for camera in cameras}
    for why in (LATE, DISPLACED, UNREAD):
        families.counter(
            "connections_dropped",
            "Connections that were given up besides viewers: their request was not there in time "
            "(late), there were too many of them (displaced), they did not take their response "
            "(unread).",
            counted.counts.get((worker_counts.DROPPED, why), 0),
            {"reason": why},
        )
    for end in HandoverOutcome:
        families.counter(
            "handovers",
            "Viewers that were to go from one worker to another, by what became of them: done, or "
            "lost, because no worker took them in time (no-room), or could (the others).",
            counted.counts.get((worker_counts.HANDED_OVER, end.value), 0),
            {"outcome": end.value},
        )
    keys = (*counted.counts, *counted.now)
    found = {(key[1], key[2]) for key in keys if key[0] not in _OF_NO_CAMERA}
    for camera, kind in sorted(streams | found):
        _tell_connections(families, camera, kind, counted)
        if kind == worker_counts.FRAMES:
            _tell_frames(families, camera, counted)


def _tell_connections(
    families: MetricFamilies, camera: str, kind: str, counted: WorkerCounts
) -> None:
    of = (camera, kind)
    labels = {"camera": camera, "kind": kind}
    families.gauge(
        "viewers",
        "Viewers connected now: of frames (stream) or of states (events, where the camera * is "
        "all of them).",
        counted.now.get((worker_counts.VIEWERS, *of), 0),
        labels,
    )
    families.counter(
        "viewers_accepted",
        "Viewers that were let in.",
        counted.counts.get((worker_counts.ACCEPTED, *of), 0),
        labels,
    )
    for why in Closed:
        families.counter(
            "viewers_closed",
            "Viewers that are gone: left, stalled (took nothing for too long), unwanted (said too "
            "much), failed, ended (their worker ended), worker-died (it was killed).",
            counted.counts.get((worker_counts.CLOSED, *of, why.value), 0),
            {**labels, "reason": why.value},
        )
    for reason in RefusalReason:
        families.counter(
            "viewers_refused",
            "Viewers that were not let in, since there were too many or they took too much.",
            counted.counts.get((worker_counts.REFUSED, *of, reason.value), 0),
            {**labels, "reason": reason.value},
        )
    families.counter(
        "viewer_sent_bytes",
        "Bytes handed to the kernel for viewers.",
        counted.counts.get((worker_counts.BYTES, *of), 0),
        labels,
    )


def _tell_frames(families: MetricFamilies, camera: str, counted: WorkerCounts) -> None:
    of = (camera, worker_counts.FRAMES)
    labels: Labels = {"camera": camera}
    families.counter(
        "viewer_frames_sent",
        "Frames sent to viewers: each counts once for each viewer that it was sent to.",
        counted.counts.get((worker_counts.SENT, *of), 0),
        labels,
    )
    families.counter(
        "viewer_frames_skipped",
        "Frames that a viewer was not sent, because it was slower or asked for fewer. Sent, "
        "skipped and waiting are together what was published since each viewer joined.",
        counted.counts.get((worker_counts.SKIPPED, *of), 0),
        labels,
    )
    families.gauge(
        "viewer_frames_waiting",
        "Newest frames that a viewer may still get: it receives an older one now.",
        counted.now.get((worker_counts.WAITING, *of), 0),
        labels,
    )
    places = range(len(AGE_BOUNDS_S) + 1)
    families.histogram(
        "frame_age_at_send_seconds",
        "Age of each frame, from its capture until a worker had handed it to all of its viewers "
        "that could take it.",
        AGE_BOUNDS_S,
        [counted.counts.get((worker_counts.AGE, *of, str(place)), 0) for place in places],
        counted.counts.get((worker_counts.AGE_NS, *of), 0) / 1e9,
        labels,
    )
