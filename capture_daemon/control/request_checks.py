"""What of a `configure` may hang: a path on a dead server, the links to a device, a user's home.

So each look is a thread of its own, which may never return. The main thread, which owns everything
else here, answers within `BOUND_S` whatever comes of it; what is not known by then changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from framebus.control.protocol import NOT_NOW

from capture_daemon.capturing.reports import Mailbox
from capture_daemon.control.refusal import Answer, Refusal, WaitingCall, earliest_ns, refusal_of

HANGING_MAX = 4
"""Looks that may hang at a time; further ones are refused."""

Changes = Mapping[str, object]
Look = Callable[[], Changes]
"""Return the changes that are wanted, once they were looked at. Raises UsageError, CameraHeld."""
Apply = Callable[[Changes, Answer], None]
"""Carry out what was found right, and answer. Raises UsageError."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Call(WaitingCall):
    """One request that is looked at."""

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
        mailbox: Mailbox,
        spawn: Callable[[Callable[[], None]], None] = _in_a_thread,
    ) -> None:
        """`spawn` starts a thread; what came of its look comes through `mailbox`."""
        self._mailbox = mailbox
        self._spawn = spawn
        self._calls: list[_Call] = []

    def ask(self, changes: Changes, look: Look, apply: Apply, answer: Answer, now_ns: int) -> None:
        """Look at what is wanted, then apply it. The same call again joins a look under way.

        Raises Refusal.
        """
        for call in self._calls:
            if call.changes == changes:
                call.join(answer, now_ns)
                return
        if len(self._calls) >= HANGING_MAX:
            hint = f"{HANGING_MAX} earlier sources have not been looked at yet, and may hang"
            raise Refusal(NOT_NOW, f"{hint}: nothing was changed")
        looked = _Call(changes=changes, apply=apply)
        looked.join(answer, now_ns)
        self._calls.append(looked)
        post = self._mailbox.slot(partial(self._on_outcome, looked))
        self._spawn(lambda: post(_outcome(look)))

    def _on_outcome(self, call: _Call, outcome: Changes | Exception) -> None:
        """Apply what was found right, or refuse it, if somebody still waits for it."""
        self._calls.remove(call)
        for answer in call.answers:
            try:
                if isinstance(outcome, Exception):
                    raise outcome
                call.apply(outcome, answer)
            except Exception as error:  # noqa: BLE001  as in any other method
                answer.refuse(refusal_of(error, "configure"))

    def tick(self, now_ns: int) -> None:
        """Answer those who have waited long enough."""
        for call in self._calls:
            for answer in call.overdue(now_ns):
                hint = "the source takes long to look at, or hangs: nothing was changed"
                answer.refuse(Refusal(NOT_NOW, f"{hint}; call again"))

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nobody waits."""
        return earliest_ns(self._calls)


def _outcome(look: Look) -> Changes | Exception:
    try:
        return look()
    except Exception as error:  # noqa: BLE001  whoever waits for it is told
        return error
