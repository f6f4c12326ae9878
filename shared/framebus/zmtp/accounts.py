"""How much of a server's sockets one user of the machine may take: connections, bytes, time. Pure.

Users are told apart by the kernel (SO_PEERCRED), so whoever takes all of its own keeps nobody else
waiting. Time is that of the thread that serves: who used up its own is read again when there is
some, and until then its messages wait with the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

CONNECTIONS: Final = 128
"""Of one user on one socket: twice as many as there can be web workers, for their reload."""
HELD_MAX: Final = 2 << 20
"""Bytes of one user that are kept on one socket: unfinished messages, subscriptions, answers not
taken yet."""
HELD_IN_ALL: Final = 2 * HELD_MAX
"""The same of all users together: one person may have many (user namespaces, subuid(5))."""
BURST_NS: Final = 500_000_000
"""Processor time that a user may have had at once."""
SHARE: Final = 0.1
"""And of each second afterwards."""


class Account:
    """One user's, on one socket."""

    def __init__(self, clock: Callable[[], int], *, user: int = -1, trusted: bool = False) -> None:
        """`clock` gives monotonic nanoseconds; who is trusted has no end of time."""
        self.user = user
        """The user's id."""
        self._clock = clock
        self.trusted = trusted
        self._left_ns = float(BURST_NS)
        self._counted_at_ns = clock()
        self.connections = 0
        self.held = 0

    def spend(self, spent_ns: int) -> None:
        """Count processor time that was spent on this user."""
        if not self.trusted:
            self._count()
            self._left_ns = max(-float(BURST_NS), self._left_ns - spent_ns)

    def free_ns(self) -> int:
        """Return when this user has time again, 0 for now."""
        self._count()
        if self._left_ns > 0:
            return 0
        return self._counted_at_ns + 1 + int(-self._left_ns / SHARE)

    @property
    def idle(self) -> bool:
        """Whether nothing of it need be remembered."""
        self._count()
        return not self.connections and self._left_ns >= BURST_NS

    def _count(self) -> None:
        now_ns = self._clock()
        gained_ns = (now_ns - self._counted_at_ns) * SHARE
        self._left_ns = min(BURST_NS, self._left_ns + gained_ns)
        self._counted_at_ns = now_ns
