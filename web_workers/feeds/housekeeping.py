"""What is done for a feed's viewers once a second, and what is told of them.

`housekeep` runs in the worker's main thread, `viewer_documents` in any.
"""

from __future__ import annotations

from web_workers.feeds.fanout import Fanout

FPS_NS = 5_000_000_000
"""Over how long a viewer's frames a second are measured, at least."""


def housekeep(fanout: Fanout, now: int, *, rates: bool) -> None:
    """Close who has stalled and measure the others; with `rates` their bytes a second too.

    What is done for each viewer each time is as dear as a few frames, and so it is hardly anything.
    """
    fanout.close_stalled(now)
    newest = fanout.newest
    for viewer in fanout.viewers:
        since_ns, before = viewer.marked
        if now - since_ns >= FPS_NS:
            sent = fanout.delivery(viewer).sent
            viewer.fps = (sent - before) * 1e9 / (now - since_ns)
            viewer.marked = (now, sent)
            if newest is not None:
                viewer.limit_unsent(newest.size)
        if rates and viewer.admission is not None:
            viewer.admission.measured(now, fanout.delivery(viewer).bytes)


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
