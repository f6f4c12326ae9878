"""A thread for what may hang: it does one job after another, and nobody waits for it.

It decides nothing; what came of a job goes to the mailbox.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class JobThread(threading.Thread):
    """Start it once; `quit` ends it. The other public methods return at once, in any thread."""

    def __init__(self, *, name: str, most: int = 0) -> None:
        """`most` jobs may wait while one hangs; 0: any number."""
        # A daemon thread: one that hangs must not keep the interpreter from exiting.
        super().__init__(name=name, daemon=True)
        self._jobs: queue.Queue[Callable[[], object] | None] = queue.Queue(most)

    def quit(self) -> None:
        """End the thread after what is asked already."""
        if not self._put(None):
            most = self._jobs.maxsize
            log.warning("%d questions are left unanswered: one of them hangs", most)

    def run(self) -> None:
        """Do one job after another."""
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a bug in the %s thread", self.name)  # it must not end the thread

    def _put(self, job: Callable[[], object] | None) -> bool:
        """Have a job done; False if too many wait."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True
