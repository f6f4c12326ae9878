"""Connections that wait for their clients: so many in all and of one origin, and the oldest goes.

Whoever fills it up drives out those that waited longest, first of all the own ones. A client that
goes on without dawdling is never the oldest. Pure.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Member = TypeVar("Member")


class EvictingSet(Generic[Member]):
    """An ordered set with two limits."""

    def __init__(self, limit: int) -> None:
        """Take in `limit` at most, and half as many of one origin."""
        self.limit = limit
        self._of_one = max(1, limit // 2)
        self._origins: dict[Member, str] = {}  # in order of coming
        self._of_origin: dict[str, dict[Member, None]] = {}  # of each origin, likewise

    def __len__(self) -> int:
        return len(self._origins)

    def __contains__(self, member: Member) -> bool:
        return member in self._origins

    def all(self) -> tuple[Member, ...]:
        """Return who is here, the oldest first."""
        return tuple(self._origins)

    def add(self, member: Member, origin: str) -> Member | None:
        """Take in a member; return the one that has to go for it, and is not here any more."""
        evicted = None
        own = self._of_origin.get(origin, {})
        if len(own) >= self._of_one:
            evicted = next(iter(own))
        elif len(self._origins) >= self.limit:
            evicted = next(iter(self._origins))
        if evicted is not None:
            self.discard(evicted)
        self._origins[member] = origin
        self._of_origin.setdefault(origin, {})[member] = None
        return evicted

    def discard(self, member: Member) -> None:
        """Let a member go; harmless if it is not here."""
        origin = self._origins.pop(member, None)
        if origin is None:
            return
        own = self._of_origin[origin]
        del own[member]
        if not own:
            del self._of_origin[origin]
