"""Descriptors of which a few at a time are served, between two rounds of the loop.

What clients send and take can be ready on hundreds of connections at once, and a frame for viewers
may come meanwhile: it is looked for after MOST of them. They are in an epoll of their own, nested
in the loop's; the kernel gives each its turn.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable

from web_workers.wire.loop import Callback, StreamLoop, Timer

MOST = 8
"""In one round of the loop."""


class BoundedEvents:
    """One loop's descriptors that wait for each other. For the loop's thread."""

    def __init__(self, loop: StreamLoop) -> None:
        self._loop = loop
        self.clock = loop.clock
        """Monotonic nanoseconds."""
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._removed: set[int] = set()  # in this round
        self._waiting: deque[Callable[[], None]] = deque()
        self._turn_is_due = False
        loop.add(self._epoll.fileno(), select.EPOLLIN, self._ready)

    def add(self, fd: int, events: int, callback: Callback) -> None:
        """Call `callback` whenever one of `events` (select.EPOLL…) happens on `fd`."""
        self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def change(self, fd: int, events: int) -> None:
        """Call a descriptor's callback for other events from now on."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget a descriptor. It must still be open."""
        del self._callbacks[fd]
        self._removed.add(fd)
        self._epoll.unregister(fd)

    def call_at(self, when_ns: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` once, as the loop's own method does."""
        return self._loop.call_at(when_ns, callback)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call `callback` in a later round, a few in each as well."""
        self._waiting.append(callback)
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_at(self.clock() + 1, self._turn)  # not due in this round

    def close(self) -> None:
        """Close the epoll; descriptors that were added are their owners' to close."""
        self._loop.remove(self._epoll.fileno())
        self._callbacks.clear()
        self._waiting.clear()
        self._epoll.close()

    def _ready(self, _events: int) -> None:
        self._removed.clear()
        for fd, events in self._epoll.poll(0, MOST):
            if fd not in self._removed:  # as in the loop
                self._callbacks[fd](events)

    def _turn(self) -> None:
        for _ in range(min(MOST, len(self._waiting))):
            self._waiting.popleft()()
        self._turn_is_due = bool(self._waiting)
        if self._waiting:
            self._loop.call_at(self.clock() + 1, self._turn)
