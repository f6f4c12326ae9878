"""What one worker counts, and puts on the scoreboard that all workers share.

Runs in the worker's main thread; `read` may be called from others.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from web_workers.admission.complaints import Complaints
from web_workers.counts.scoreboard import Scoreboard
from web_workers.counts.scores import DROPPED, Key, Scores, total

log = logging.getLogger("gunicorn.error")


class Books:
    """One worker's."""

    def __init__(self, board: Scoreboard, clock: Callable[[], int]) -> None:
        """Claim a slot of the scoreboard; `clock` gives monotonic nanoseconds."""
        self._board = board
        self._slot = board.claim()
        if self._slot is None:
            log.warning("too many workers: the viewers of this one are not in /metrics")
        self._complaints = Complaints(log, clock)
        self._turned_away: Counter[Key] = Counter()
        self._too_long = False

    def refused(self, key: Key, text: str) -> None:
        """Count a viewer that got no place; the last of `key` is why."""
        self._turned_away[key] += 1
        self._complaints.tell(key[-1], f"a viewer was refused: {text}")

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up before or after its request."""
        self._turned_away[(DROPPED, reason)] += 1
        self._complaints.tell(reason, f"a connection was dropped: {reason}")

    def write(self, scores: Iterable[Scores]) -> None:
        """Put these, and what is counted here, on the scoreboard."""
        if self._slot is None:
            return
        try:
            self._slot.write(total((Scores(dict(self._turned_away)), *scores)))
        except ValueError as error:
            if not self._too_long:
                log.warning("no more cameras in /metrics: %s", error)
            self._too_long = True

    def read(self) -> tuple[Scores, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self._board.read()
