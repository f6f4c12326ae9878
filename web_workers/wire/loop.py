"""The worker's own event loop: one epoll, timers, and calls from other threads.

Only the thread that runs the loop may call it, except `call_from_thread`. It knows nothing of HTTP,
cameras or gunicorn.
"""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections import deque
from collections.abc import Callable

from framebus.wakeup import Wakeup

Callback = Callable[[int], None]
"""Called with the epoll events of its descriptor."""


_EVENTS_MAX = 64
"""Events taken at once: for Python's default of 1023, each wake-up allocates 12 kB."""
_FEW = 64
"""So many timers may be cancelled and not due yet, at least, before they are looked through."""


class Timer:
    """A call in the future. `cancel` it to keep it from happening."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the call; harmless after it happened."""
        self.callback = None


class StreamLoop:
    """Descriptors and timers of one worker."""

    def __init__(self, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Make a loop; `clock` gives monotonic nanoseconds."""
        self.clock = clock
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._removed: set[int] = set()  # in this round
        self._timers: list[tuple[int, int, Timer]] = []
        self._look_through_at = _FEW  # so many timers
        self._ticket = itertools.count()  # keeps timers of one moment in order
        self._calls: deque[Callable[[], None]] = deque()
        self._stopped = False
        self.pump: Callable[[int], bool] | None = None
        """Waits in place of the loop, until a time, and has served all then; False if it cannot."""
        self._wakeup = Wakeup()
        self.add(self._wakeup.fileno(), select.EPOLLIN, self._run_calls)

    def fileno(self) -> int:
        """Return the descriptor by which all others are waited for."""
        return self._epoll.fileno()

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
        """Call `callback` once, at `when_ns` of the loop's clock or soon after."""
        timer = Timer(callback)
        if len(self._timers) >= self._look_through_at:
            self._forget_cancelled()
        heapq.heappush(self._timers, (when_ns, next(self._ticket), timer))
        return timer

    def call_from_thread(self, callback: Callable[[], None]) -> None:
        """Run `callback` in the loop's thread. The only method for other threads."""
        self._calls.append(callback)
        self._wakeup.set()

    def run(self, limit_s: float) -> None:
        """Serve until `stop` is called, at most `limit_s` seconds."""
        self._stopped = False
        end = self.clock() + round(limit_s * 1e9)
        while not self._stopped and (left_ns := end - self.clock()) > 0:
            if self.pump is None or not self.pump(end):
                self.dispatch(self.timeout_s(left_ns / 1e9))

    def stop(self) -> None:
        """Have `run` return once everything that is ready now has been served."""
        self._stopped = True

    def dispatch(self, wait_s: float = 0.0) -> None:
        """Serve what is ready, after waiting `wait_s` seconds at most for a descriptor.

        Then the calls that are due are made.
        """
        self.serve(self._epoll.poll(wait_s, _EVENTS_MAX))

    def serve(self, ready: list[tuple[int, int]]) -> None:
        """Serve descriptors that have these events, and what is due."""
        callbacks, removed = self._callbacks, self._removed
        removed.clear()
        for fd, events in ready:
            # An earlier callback of this round may have removed it, and another connection may
            # have its number by now: the event is not that one's.
            if fd not in removed:
                callbacks[fd](events)
        now = self.clock()
        timers = self._timers
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            if timer.callback is not None:
                timer.callback()

    def timeout_s(self, limit_s: float) -> float:
        """How long to wait for descriptors before a timer is due, seconds."""
        now = self.clock()
        limit_ns = now + round(limit_s * 1e9)
        return max(0, self.next_ns(limit_ns) - now) / 1e9

    def next_ns(self, limit_ns: int) -> int:
        """Return when a timer is due, `limit_ns` if none is before."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return min(limit_ns, self._timers[0][0]) if self._timers else limit_ns

    def close(self) -> None:
        """Close the loop's own descriptors; those that were added are their owners' to close."""
        self._callbacks.clear()
        self._timers.clear()
        self._epoll.close()
        self._wakeup.close()

    def _forget_cancelled(self) -> None:
        """Keep no timer that nobody waits for: of most connections none is ever needed."""
        self._timers[:] = [entry for entry in self._timers if entry[2].callback is not None]
        heapq.heapify(self._timers)
        self._look_through_at = max(_FEW, 2 * len(self._timers))

    def _run_calls(self, _events: int) -> None:
        self._wakeup.clear()
        while self._calls:
            self._calls.popleft()()
