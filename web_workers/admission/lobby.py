"""Connections that wait for their clients: so many in all and of one origin, and the oldest goes.

Whoever fills it up drives out those that waited longest, first of all the own ones. A client that
goes on without dawdling is never the oldest. Pure.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Guest = TypeVar("Guest")


class Lobby(Generic[Guest]):
    """An ordered set with two limits."""

    def __init__(self, limit: int) -> None:
        """Take in `limit` at most, and half as many of one origin."""
        self.limit = limit
        self._of_one = max(1, limit // 2)
        self._origins: dict[Guest, str] = {}  # in order of coming
        self._guests: dict[str, dict[Guest, None]] = {}  # of each origin, likewise

    def __len__(self) -> int:
        return len(self._origins)

    def __contains__(self, guest: Guest) -> bool:
        return guest in self._origins

    def all(self) -> tuple[Guest, ...]:
        """Return who is here, the oldest first."""
        return tuple(self._origins)

    def enter(self, guest: Guest, origin: str) -> Guest | None:
        """Take in a guest; return the one that has to go for it, and is not here any more."""
        displaced = None
        own = self._guests.get(origin, {})
        if len(own) >= self._of_one:
            displaced = next(iter(own))
        elif len(self._origins) >= self.limit:
            displaced = next(iter(self._origins))
        if displaced is not None:
            self.leave(displaced)
        self._origins[guest] = origin
        self._guests.setdefault(origin, {})[guest] = None
        return displaced

    def leave(self, guest: Guest) -> None:
        """Let a guest go; harmless if it is not here."""
        origin = self._origins.pop(guest, None)
        if origin is None:
            return
        own = self._guests[origin]
        del own[guest]
        if not own:
            del self._guests[origin]
