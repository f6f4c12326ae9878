"""What a worker counts for /metrics: names, numbers, and how several workers' add up. Pure.

A key is a name, a camera, what is viewed (FRAMES or STATES), and for some names one thing more; but
for HANDED_OVER.
`counts` only ever grow, over all workers that there were; `now` is true of a living worker alone.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Key = tuple[str, ...]

FRAMES, STATES = "stream", "events"
ALL_CAMERAS = "*"
"""In place of a camera, for viewers of the states of all; no camera can have that name."""

ACCEPTED, CLOSED, SENT, SKIPPED, BYTES = "accepted", "closed", "sent", "skipped", "bytes"
AGE, AGE_NS = "age", "age_ns"
"""Frames by the bucket of their age (one thing more: its number), and the sum of ages."""
HANDED_OVER = "handed_over"
"""Hand-overs of viewers between workers: no camera, and one thing more, how they ended."""
VIEWERS, WAITING = "viewers", "waiting"
"""Of `now`: viewers connected, and newest frames that a viewer may still get."""
REFUSED = "refused"
"""Viewers that were not let in (one thing more: why)."""
DROPPED = "dropped"
"""Connections that were given up before or after their request: a key of this and why."""


class Closed(enum.Enum):
    """Why a viewer is no longer there."""

    LEFT = "left"
    """It closed the connection, or reset it."""
    STALLED = "stalled"
    """It took nothing for too long."""
    UNWANTED = "unwanted"
    """It said more after its request than any viewer has to."""
    FAILED = "failed"
    """The connection broke for another reason."""
    ENDED = "ended"
    """The worker ended and no other one took it."""
    DIED = "worker-died"
    """The worker was killed, or crashed."""


class HandoverOutcome(enum.Enum):
    """What became of a viewer that was to go to another worker."""

    DONE = "done"
    NO_ROOM = "no-room"
    """No worker took it in time."""
    FAILED = "failed"
    """It could not be put on its way."""
    OTHER_VERSION = "other-version"
    """It came from a worker of code whose word for it this one does not know."""
    NOT_SERVED = "not-served"
    """The worker that took it could not serve it."""
    UNREADABLE = "unreadable"
    """What came was none."""


@dataclass(frozen=True, slots=True)
class WorkerCounts:
    """The numbers of one worker, or of several together."""

    counts: Mapping[Key, int] = field(default_factory=dict)
    now: Mapping[Key, int] = field(default_factory=dict)

    def settled(self) -> WorkerCounts:
        """Return what they come to when their worker is dead.

        Its viewers were closed by that, and what they were waiting for they never got.
        """
        counts = Counter(self.counts)
        for (name, *rest), number in self.now.items():
            if name == VIEWERS:
                counts[(CLOSED, *rest, Closed.DIED.value)] += number
            elif name == WAITING:
                counts[(SKIPPED, *rest)] += number
        return WorkerCounts(counts)

    def text(self) -> bytes:
        """Return them as `parsed` reads them."""
        rows = [
            [[*key, number] for key, number in part.items()] for part in (self.counts, self.now)
        ]
        return json.dumps(rows, separators=(",", ":")).encode()


def parsed(text: bytes) -> WorkerCounts:
    """Return the counts whose `text` this is."""
    counts, now = ({tuple(key): number for *key, number in rows} for rows in json.loads(text))
    return WorkerCounts(counts, now)


def total(several: Iterable[WorkerCounts]) -> WorkerCounts:
    """Return all of them added up."""
    counts: Counter[Key] = Counter()
    now: Counter[Key] = Counter()
    for worker_counts in several:
        counts.update(worker_counts.counts)
        now.update(worker_counts.now)
    return WorkerCounts(counts, now)
