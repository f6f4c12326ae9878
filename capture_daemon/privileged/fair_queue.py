"""Requests that wait to be carried out, one after another: each user's in turn. Thread-safe."""

from __future__ import annotations

import threading
from collections import deque

from capture_daemon.privileged.callers import OF_ONE_USER, Caller


class FairQueue:
    """A queue in which nobody waits for all that somebody else has asked for before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._of: dict[int, deque[Caller]] = {}  # by user; whose turn it is comes first
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits, or is being carried out."""
        with self._changed:
            return not self._under_way

    def done(self) -> None:
        """Say that what `next` returned was carried out."""
        with self._changed:
            self._under_way -= 1

    def put(self, caller: Caller) -> bool:
        """Take in a caller whose line is there; False if too many of its user wait already."""
        with self._changed:
            own = self._of.setdefault(caller.uid, deque())
            if len(own) >= OF_ONE_USER:
                return False
            own.append(caller)
            self._under_way += 1
            self._changed.notify()
        return True

    def next(self) -> Caller:
        """Wait for the caller whose turn it is, and return it."""
        with self._changed:
            self._changed.wait_for(lambda: self._of)
            uid = next(iter(self._of))
            own = self._of.pop(uid)
            caller = own.popleft()
            if own:
                self._of[uid] = own  # at the end
        return caller
