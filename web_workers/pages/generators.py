"""The same streams as generators, for servers without the worker's event loop, and for TLS.

One thread of the server a viewer, and a ring reader of its own: right, but dear. What a viewer
sees is the same as from feeds/feed.py: newest frame only, and at least one picture a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from framebus.contract.causes import Cause
from framebus.demand import matters
from framebus.errors import FrameTimeout, NoPermission, SegmentInvalid
from framebus.frame import Frame
from framebus.reader import FrameReader

from web_workers.cameras.observe import observe
from web_workers.cameras.waking import PATIENCE_NS, is_waking
from web_workers.feeds import events
from web_workers.feeds.notice import Notice
from web_workers.feeds.placeholder import paint
from web_workers.responses.takeover import EventTicket, FrameTicket, Streams
from web_workers.settings import Cameras
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.wire.multipart import Picture, opening, part

_QUIET_S = 0.85


def frames(ticket: FrameTicket, cameras: Cameras) -> Iterator[bytes]:
    """Yield the parts of a camera's stream for ever."""
    names = cameras.names(ticket.camera)
    rate_limiter = FrameRateLimiter(ticket.fps) if ticket.fps else None
    yield opening(ticket.style)
    with FrameReader(ticket.camera, runtime=names.runtime) as reader:
        last: Frame | None = None
        patient_until_ns = time.monotonic_ns() + PATIENCE_NS
        while True:
            frame = _next(reader)
            now_ns = time.monotonic_ns()
            if frame is not None and (last is None or frame.captured_ns > last.captured_ns):
                last = frame
            seen = observe(names, now_ns=now_ns)
            if seen.cause is not None and not seen.fresh:
                wakes = matters(seen.status) and is_waking(seen.cause)
                if wakes and now_ns < patient_until_ns:
                    continue
                yield part(placeholder(names.camera, seen.cause, last), ticket.style, now_ns)
            elif last is not None and (
                frame is None
                or rate_limiter is None
                or rate_limiter.admit(last.captured_ns, round((seen.interval_s or 0) * 1e9))
            ):
                yield part(Picture.of(last), ticket.style, now_ns)


def states(ticket: EventTicket, cameras: Cameras, streams: Streams | None) -> Iterator[bytes]:
    """Yield the states of a camera, or of all, every second for ever.

    `streams` is the worker's, which knows of the other workers; None under a server without one.
    """
    yield events.RETRY
    while True:
        if streams is not None:
            yield events.message(streams.server(), "server")
        wanted = cameras.known() if ticket.camera is None else [ticket.camera]
        for camera in wanted:
            seen = observe(cameras.names(camera), now_ns=time.monotonic_ns())
            yield events.message(seen.document())
        time.sleep(events.EVERY_NS / 1e9)


def placeholder(camera: str, cause: Cause, last: Frame | None) -> Picture:
    """Return what stands in for a frame of a camera that gives no fresh ones."""
    jpeg, age_s = (None, 0.0) if last is None else (last.jpeg, last.age_s)
    painted = paint(Notice.of(camera, cause, jpeg=jpeg, age_s=age_s))
    return Picture.stand_in(painted, cause.code, Picture.of(last) if last else None)


def _next(reader: FrameReader) -> Frame | None:
    try:
        return reader.next(_QUIET_S)
    except FrameTimeout:
        return None
    except (NoPermission, SegmentInvalid):
        time.sleep(_QUIET_S)  # a person must mend it; the placeholder says what
        return None
