"""What the app asks the worker that it runs in, about viewers: `Streams` of responses/takeover.py.

Any thread, but for what is told of here: counting is for the loop's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from web_workers.admission.rate_estimate import bytes_per_s
from web_workers.admission.viewer_limits import Admission, LimitReached, ViewerLimits
from web_workers.counts.shared_counts import SharedCounts
from web_workers.counts.worker_counts import (
    ALL_CAMERAS,
    FRAMES,
    REFUSED,
    STATES,
    Key,
    WorkerCounts,
)
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.worker_pids import worker_pids
from web_workers.feeds.worker_viewers import WorkerViewers
from web_workers.responses.takeover import FrameTicket, Ticket
from web_workers.settings import Cameras
from web_workers.wire.loop import StreamLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStreams:
    """One worker's."""

    loop: StreamLoop
    cameras: Cameras
    worker_viewers: WorkerViewers
    limits: ViewerLimits
    counts: SharedCounts
    refused: Callable[[Key, str], None]
    """Told in the loop's thread of a viewer that was not admitted, and why."""
    lost: Callable[[], int]
    """Counts how often viewers of any worker lost their connection because of it."""

    def admit(self, ticket: Ticket, address: str | None) -> Admission:
        """Admit a viewer; raises LimitReached."""
        frames = ticket if isinstance(ticket, FrameTicket) else None
        rate = 0
        if frames is not None and self.limits.of_rates:
            rate = bytes_per_s(self.cameras.names(frames.camera), frames.fps)
        try:
            return self.limits.admit(address, rate)
        except LimitReached as reached:
            camera = ticket.camera or ALL_CAMERAS
            key = (REFUSED, camera, FRAMES if frames else STATES, reached.reason.value)
            self.loop.call_from_thread(partial(self.refused, key, str(reached)))
            raise

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""
        fanout = self.worker_viewers.fanout(camera)
        return [] if fanout is None else viewer_documents(fanout, self.loop.clock())

    def worker_counts(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self.counts.read()

    def server(self) -> dict[str, object]:
        """Return the document of an event `server`."""
        return {"workers": worker_pids(), "lost": self.lost()}


def viewer_documents(fanout: Fanout, now: int) -> list[dict[str, object]]:
    """Return the counters of each viewer, as `/state` has them."""
    told: list[dict[str, object]] = []
    for viewer in fanout.viewers:
        delivery, age_ns = fanout.delivery(viewer), fanout.age_ns(viewer)
        seconds = (now - viewer.joined_ns) / 1e9
        fps = delivery.sent / max(1.0, seconds) if viewer.fps is None else viewer.fps
        told.append(
            {
                "peer": viewer.peer,
                "seconds": round(seconds, 3),
                "style": viewer.style.value,
                "dual_final_frames": viewer.dual_final,
                "fps": round(fps, 2),
                "age_s": None if age_ns is None else round(age_ns / 1e9, 3),
                "sent": delivery.sent,
                "skipped": delivery.skipped + delivery.waiting,
                "bytes": delivery.bytes,
            }
        )
    return told
