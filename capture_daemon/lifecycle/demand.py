"""Who wants frames now: leases with a time to live, and what follows of there being none. Pure.

A lease is of a user, by the kernel's word, and has a name that its holder chose: nobody else can
change it. Whoever wants frames renews it; who hangs, or dies, does not. They are bounded for each
user and in all. Where there is no room the one that ends first makes way, so that those that are
left hold the camera for longer: it is awake as long as anybody wants frames who renews.

Main thread only. Times are CLOCK_MONOTONIC nanoseconds, and come in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEASES_OF_ONE: Final = 128
"""Of one user: twice as many as there can be web workers, for their reload."""
LEASES_MAX: Final = 512
"""Of all users: one person may have many (user namespaces, subuid(5))."""

Holder = tuple[int, str]
"""User id, and the name of the lease."""


class Demand:
    """Whether anybody wants the frames of one camera."""

    def __init__(
        self,
        *,
        idle_after_s: float = 0.0,
        idle_fps: float | None = None,
        limit: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        """Without a lease the camera rests after `idle_after_s`; 0: it never does.

        Until then it gives `idle_fps`, None: all that it has. `limit` is called with that rate when
        nobody wants frames any more, and with None when somebody does again.
        """
        self.idle_after_s = idle_after_s
        self.idle_fps = idle_fps
        self._limit = limit
        self._leases: dict[Holder, int] = {}
        self._asked_ns = 0
        self._watched = True
        self.tick(0)

    def __len__(self) -> int:
        """Return how many leases there are."""
        return len(self._leases)

    @property
    def matters(self) -> bool:
        """Whether anything depends on there being demand."""
        return bool(self.idle_after_s or self.idle_fps)

    @property
    def watched(self) -> bool:
        """Whether anybody wanted frames at the last `tick`."""
        return self._watched

    @property
    def until_ns(self) -> int:
        """When the last lease ends; 0 without one."""
        return max(self._leases.values(), default=0)

    def ask(self, holder: Holder, until_ns: int, now_ns: int) -> None:
        """Grant or renew a lease."""
        if holder not in self._leases:
            self._make_room(holder[0], now_ns)
        self._leases[holder] = until_ns
        self._asked_ns = now_ns
        self.tick(now_ns)

    def tick(self, now_ns: int) -> None:
        """Forget what is over."""
        self._forget(now_ns)
        watched = bool(self._leases)
        if watched is not self._watched:
            self._watched = watched
            self._limit(None if watched else self.idle_fps)

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None for no time."""
        return self.until_ns if self.matters and self._leases else None

    def rest_ns(self, since_ns: int, earliest_ns: int) -> int | None:
        """Return when a camera may rest that gives frames since `since_ns`; None for never."""
        if not self.idle_after_s:
            return None
        idle_ns = int(self.idle_after_s * 1e9)
        return max(earliest_ns, self.until_ns, max(self._asked_ns, since_ns) + idle_ns)

    def _forget(self, now_ns: int) -> None:
        over = [holder for holder, until_ns in self._leases.items() if until_ns <= now_ns]
        for holder in over:
            del self._leases[holder]

    def _make_room(self, user: int, now_ns: int) -> None:
        self._forget(now_ns)
        own = [holder for holder in self._leases if holder[0] == user]
        if len(own) >= LEASES_OF_ONE:
            del self._leases[min(own, key=self._leases.__getitem__)]
        elif len(self._leases) >= LEASES_MAX:
            del self._leases[min(self._leases, key=self._leases.__getitem__)]
