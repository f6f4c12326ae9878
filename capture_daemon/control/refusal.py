"""How a handler answers: with a result or a refusal, now or later. Knows no socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from framebus.control.protocol import HELD, INTERNAL_ERROR, INVALID_PARAMS
from framebus.errors import CameraHeld, UsageError

from capture_daemon.capturing.reports import log_bug

BOUND_S = 0.08
"""How long a call may wait for another thread; control promises an answer within 100 ms."""


class Refusal(Exception):
    """A JSON-RPC error to come: `code` as in framebus.control.protocol, a message for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refusal_of(error: Exception, method: str) -> Refusal:
    """Return what a caller is told of the error that ended his call; a bug is logged, too."""
    match error:
        case Refusal():
            return error
        case UsageError():
            return Refusal(INVALID_PARAMS, str(error))
        case CameraHeld():
            return Refusal(HELD, str(error))
        case _:
            log_bug(f"a bug in the control method {method[:64]!r}", error)
            return Refusal(INTERNAL_ERROR, "a bug in the daemon; its log has it")


class Answer(Protocol):
    """The way back to whoever called. Exactly one of the two is called, once."""

    @property
    def user(self) -> int:
        """Whoever called, by the kernel's word: a user id."""

    def result(self, result: Mapping[str, object]) -> None:
        """Answer with a result."""

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error."""


@dataclass(slots=True)
class WaitingCall:
    """One call that another thread works on, and others may join."""

    deadline_ns: int = 0
    """Until when the first of those who wait may wait, CLOCK_MONOTONIC."""
    answers: list[Answer] = field(default_factory=list)
    """Those who still wait; empty once they were told that it takes longer."""

    def join(self, answer: Answer, now_ns: int) -> None:
        """Have one more wait; no longer than the first of them."""
        if not self.answers:
            self.deadline_ns = now_ns + int(BOUND_S * 1e9)
        self.answers.append(answer)

    def overdue(self, now_ns: int) -> list[Answer]:
        """Return those who have waited long enough: they wait no more."""
        if now_ns < self.deadline_ns:
            return []
        answers, self.answers = self.answers, []
        return answers


def earliest_ns(calls: Iterable[WaitingCall]) -> int | None:
    """Return the first deadline of these calls; None if nobody waits."""
    return min((call.deadline_ns for call in calls if call.answers), default=None)
