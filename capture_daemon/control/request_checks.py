"""What of a `configure` may hang: a path on a dead server, the links to a device, a user's home.

So each look is a thread of its own, which may never return. The main thread, which owns everything
else here, answers within `BOUND_S` whatever comes of it; what is not known by then changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framebus.control.protocol import NOT_NOW

from capture_daemon.control.refusal import (
    Answer,
    Refusal,
    WaitingCall,
    earliest_ns,
    refusal_of,
)

HANGING_MAX = 4
"""Looks that may hang at a time; further ones are refused."""

Changes = Mapping[str, object]
Look = Callable[[], Changes]
"""Return the changes that are wanted, once they were looked at. Raises UsageError, CameraHeld."""
Apply = Callable[[Changes, Answer], None]
"""Carry out what was found right, and answer. Raises UsageError."""


@dataclass(frozen=True, slots=True)
class RequestChecked:
    """What came of a look."""

    ticket: int
    outcome: Changes | Exception


@dataclass(slots=True, kw_only=True)
class _Call(WaitingCall):
    changes: Changes
    apply: Apply


def _in_a_thread(job: Callable[[], None]) -> None:
    # A daemon thread: one that hangs must not keep the interpreter from exiting.
    threading.Thread(target=job, name="check", daemon=True).start()


class RequestChecks:
    """The looks that are under way, and who waits for them."""

    def __init__(
        self,
        *,
        post: Callable[[RequestChecked], None],
        spawn: Callable[[Callable[[], None]], None] = _in_a_thread,
    ) -> None:
        """`spawn` starts a thread; `post` takes what came of a look."""
        self._post = post
        self._spawn = spawn
        self._calls: dict[int, _Call] = {}
        self._ticket = 0

    def ask(self, changes: Changes, look: Look, apply: Apply, answer: Answer, now_ns: int) -> None:
        """Look at what is wanted, then apply it. The same call again joins a look under way.

        Raises Refusal.
        """
        for call in self._calls.values():
            if call.changes == changes:
                call.join(answer, now_ns)
                return
        if len(self._calls) >= HANGING_MAX:
            hint = f"{HANGING_MAX} earlier sources have not been looked at yet, and may hang"
            raise Refusal(NOT_NOW, f"{hint}: nothing was changed")
        self._ticket = ticket = self._ticket + 1
        self._calls[ticket] = call = _Call(changes=changes, apply=apply)
        call.join(answer, now_ns)
        self._spawn(lambda: self._post(RequestChecked(ticket, _outcome(look))))

    def on_report(self, report: RequestChecked) -> None:
        """Apply what was found right, or refuse it, if somebody still waits for it."""
        call = self._calls.pop(report.ticket)
        for answer in call.answers:
            try:
                if isinstance(report.outcome, Exception):
                    raise report.outcome
                call.apply(report.outcome, answer)
            except Exception as error:  # noqa: BLE001  as in any other method
                answer.refuse(refusal_of(error, "configure"))

    def tick(self, now_ns: int) -> None:
        """Answer those who have waited long enough."""
        for call in self._calls.values():
            for answer in call.overdue(now_ns):
                hint = "the source takes long to look at, or hangs: nothing was changed"
                answer.refuse(Refusal(NOT_NOW, f"{hint}; call again"))

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nobody waits."""
        return earliest_ns(self._calls.values())


def _outcome(look: Look) -> Changes | Exception:
    try:
        return look()
    except Exception as error:  # noqa: BLE001  whoever waits for it is told
        return error
