"""What all workers have counted of their viewers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from web_workers.admission.request_reader import DISPLACED, LATE
from web_workers.admission.response_drain import UNREAD
from web_workers.admission.viewer_limits import RefusalReason
from web_workers.counts import worker_counts
from web_workers.counts.tally import AGE_BOUNDS_S
from web_workers.counts.worker_counts import Closed, HandoverOutcome, WorkerCounts
from web_workers.metrics.families import MetricFamilies

_OF_NO_CAMERA = frozenset({worker_counts.DROPPED, worker_counts.HANDED_OVER})


def tell(
    families: MetricFamilies, cameras: Iterable[str], counted: WorkerCounts, workers: int
) -> None:
    """Fill in the counts for these cameras, and for any other that had viewers."""
    counts, now = Counter(counted.counts), Counter(counted.now)
    families.add("web_workers", workers)
    for why in (LATE, DISPLACED, UNREAD):
        families.add("connections_dropped", counts[worker_counts.DROPPED, why], reason=why)
    for end in HandoverOutcome:
        number = counts[worker_counts.HANDED_OVER, end.value]
        families.add("handovers", number, outcome=end.value)
    streams = {(camera, worker_counts.FRAMES) for camera in cameras}
    found = {(key[1], key[2]) for key in (*counts, *now) if key[0] not in _OF_NO_CAMERA}
    for of in sorted(streams | found):
        camera, kind = of
        labels = {"camera": camera, "kind": kind}
        families.add("viewers", now[worker_counts.VIEWERS, *of], **labels)
        families.add("viewers_accepted", counts[worker_counts.ACCEPTED, *of], **labels)
        families.add("viewer_sent_bytes", counts[worker_counts.BYTES, *of], **labels)
        for name, key, reasons in (
            ("viewers_closed", worker_counts.CLOSED, Closed),
            ("viewers_refused", worker_counts.REFUSED, RefusalReason),
        ):
            for reason in reasons:
                number = counts[key, *of, reason.value]
                families.add(name, number, **labels, reason=reason.value)
        if kind == worker_counts.FRAMES:
            sent, skipped = counts[worker_counts.SENT, *of], counts[worker_counts.SKIPPED, *of]
            families.add("viewer_frames_sent", sent, camera=camera)
            families.add("viewer_frames_skipped", skipped, camera=camera)
            families.add("viewer_frames_waiting", now[worker_counts.WAITING, *of], camera=camera)
            families.histogram(
                "frame_age_at_send_seconds",
                AGE_BOUNDS_S,
                [counts[worker_counts.AGE, *of, str(at)] for at in range(len(AGE_BOUNDS_S) + 1)],
                counts[worker_counts.AGE_NS, *of] / 1e9,
                camera=camera,
            )
