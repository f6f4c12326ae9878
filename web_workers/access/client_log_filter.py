"""Lines of the log that a client can cause: of each kind a few in a while, and how many.

A request thread says whose request it is about (`caused_by_client`); what is logged meanwhile, by
whomever, is limited. Lines that no client caused pass. Thread-safe.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

EVERY_NS = 10_000_000_000
OF_ONE = 3
"""Lines of one address about one thing within EVERY_NS."""
OF_ALL = 20
"""And of all addresses about it: an address is had easily."""
_REMEMBERED = 1024

_current = threading.local()


class _Kind(NamedTuple):
    """What lines are counted together; there are as few of `what` as places that log."""

    what: str
    origin: str = ""
    """Empty for those of all addresses."""


class _Count:
    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.told = 0
        self.left_out = 0


@contextlib.contextmanager
def caused_by_client(origin: str, what: str = "") -> Iterator[None]:
    """Let what this thread logs meanwhile count as caused by an address; `what` names it."""
    before = getattr(_current, "caused_by_client", None)
    _current.caused_by_client = (origin, what)
    try:
        yield
    finally:
        _current.caused_by_client = before


class ClientLogFilter(logging.Filter):
    """A handler's filter."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock` gives monotonic nanoseconds."""
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._of_all: dict[_Kind, _Count] = {}
        self._of_one: OrderedDict[_Kind, _Count] = OrderedDict()
        self._left_out_ns: int | None = None  # since when there is something to sum up

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        about = getattr(_current, "caused_by_client", None)
        if about is None:
            return True
        origin, what = about
        what = what or _what(record)
        with self._lock:
            of_all = self._of_all.setdefault(_Kind(what), _Count(self._clock()))
            kind = _Kind(what, origin)
            of_one = self._of_one.setdefault(kind, _Count(self._clock()))
            if len(self._of_one) > _REMEMBERED:
                oldest, count = self._of_one.popitem(last=False)
                rest = self._of_all.setdefault(_Kind(oldest.what), _Count(count.since_ns))
                rest.left_out += count.left_out
            return self._room(of_one, OF_ONE) and self._room(of_all, OF_ALL)

    def summary(self, *, ending: bool = False) -> list[str]:
        """Return lines on what was left out, of kinds whose time is over, at the end of all.

        To be called often: it looks only where there is something.
        """
        now_ns = self._clock()
        if self._left_out_ns is None:
            return []
        if now_ns - self._left_out_ns < EVERY_NS and not ending:
            return []
        left_out: dict[str, tuple[int, list[str]]] = {}
        with self._lock:
            for counts in (self._of_one, self._of_all):
                for kind, count in list(counts.items()):
                    if now_ns - count.since_ns < EVERY_NS and not ending:
                        continue
                    if counts is self._of_one or not count.left_out:
                        del counts[kind]
                    if count.left_out:
                        number, origins = left_out.get(kind.what, (0, []))
                        left_out[kind.what] = (number + count.left_out, [*origins, kind.origin])
                        count.left_out = 0
            rest = (*self._of_one.values(), *self._of_all.values())
            self._left_out_ns = min((each.since_ns for each in rest if each.left_out), default=None)
        return [
            f"{number} more lines about {what} were left out, on requests of {_named(origins)}"
            for what, (number, origins) in left_out.items()
        ]

    def _room(self, count: _Count, most: int) -> bool:
        now_ns = self._clock()
        if now_ns - count.since_ns >= EVERY_NS and not count.left_out:
            count.since_ns, count.told = now_ns, 0
        if count.told < most:
            count.told += 1
            return True
        count.left_out += 1
        if self._left_out_ns is None:
            self._left_out_ns = count.since_ns
        return False


def _what(record: logging.LogRecord) -> str:
    """Return what a line is about, which no request can make up."""
    if record.exc_info and record.exc_info[0] is not None:
        return record.exc_info[0].__name__
    return f"{record.module}:{record.lineno}"


def _named(origins: list[str]) -> str:
    known = [origin for origin in origins if origin]
    if len(known) == len(origins) == 1:
        return known[0]
    return f"{len(known)} addresses" if len(known) == len(origins) else "many addresses"
