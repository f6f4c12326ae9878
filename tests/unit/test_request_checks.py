"""A `configure` whose source is looked at: it is applied in time, or changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from framebus.control.protocol import HELD, INTERNAL_ERROR, INVALID_PARAMS, NOT_NOW
from framebus.errors import CameraHeld, UsageError

from capture_daemon.capturing.reports import Mailbox
from capture_daemon.control.refusal import BOUND_S, Answer, Refusal
from capture_daemon.control.request_checks import (
    HANGING_MAX,
    RequestChecks,
)

S = 1_000_000_000
LATE = 10 * S + int(BOUND_S * S)
FILE: Mapping[str, object] = {"source": "file:/clips/a.mjpeg"}


class Told:
    """An answer that takes notes."""

    user = 0

    def __init__(self) -> None:
        self.said: list[object] = []

    def result(self, result: Mapping[str, object]) -> None:
        self.said.append(result)

    def refuse(self, refusal: Refusal) -> None:
        self.said.append(refusal.code)


class Desk:
    """The looks that were asked for; each returns when the test lets it."""

    def __init__(self) -> None:
        self.looks: list[Callable[[], None]] = []
        self.mailbox = Mailbox()
        self.applied: list[Mapping[str, object]] = []
        self.checks = RequestChecks(mailbox=self.mailbox, spawn=self.looks.append)
        self.error: Exception | None = None

    def ask(self, changes: Mapping[str, object], *, now_ns: int = 10 * S) -> Told:
        told = Told()
        self.checks.ask(changes, lambda: self.look(changes), self.apply, told, now_ns)
        return told

    def look(self, changes: Mapping[str, object]) -> Mapping[str, object]:
        if self.error is not None:
            raise self.error
        return changes

    def apply(self, changes: Mapping[str, object], answer: Answer) -> None:
        self.applied.append(changes)
        answer.result({"changed": True})

    def come_back(self) -> None:
        self.looks.pop(0)()
        self.mailbox.deliver()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.mailbox.close()


def test_what_was_looked_at_in_time_is_applied(desk: Desk) -> None:
    told = desk.ask(FILE)
    assert (told.said, desk.checks.deadline_ns()) == ([], LATE)
    desk.come_back()
    assert (told.said, desk.applied) == ([{"changed": True}], [FILE])
    assert desk.checks.deadline_ns() is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("it is not there"), INVALID_PARAMS),
        (CameraHeld("another daemon has it"), HELD),
        (ZeroDivisionError("a bug"), INTERNAL_ERROR),
    ],
)
def test_what_is_wrong_is_refused(desk: Desk, error: Exception, code: int) -> None:
    desk.error = error
    told = desk.ask(FILE)
    desk.come_back()
    assert (told.said, desk.applied) == ([code], [])


def test_a_look_that_hangs_is_answered_in_time_and_changes_nothing_later(desk: Desk) -> None:
    told = desk.ask(FILE)
    desk.checks.tick(LATE - 1)
    assert told.said == []
    desk.checks.tick(LATE)
    assert told.said == [NOT_NOW]
    desk.come_back()
    assert (told.said, desk.applied) == ([NOT_NOW], [])


def test_the_same_call_again_joins_the_look_that_takes_long(desk: Desk) -> None:
    desk.ask(FILE)
    desk.checks.tick(LATE)
    again = desk.ask(FILE, now_ns=LATE)
    assert len(desk.looks) == 1
    desk.come_back()
    assert again.said == [{"changed": True}]


def test_a_look_that_hangs_keeps_no_other_source_out(desk: Desk) -> None:
    desk.ask(FILE)
    desk.checks.tick(LATE)
    other = desk.ask({"source": "test"}, now_ns=LATE)
    desk.looks.pop(0)
    desk.come_back()
    assert other.said == [{"changed": True}]


def test_so_many_looks_may_hang(desk: Desk) -> None:
    for number in range(HANGING_MAX):
        desk.ask({"source": f"file:/{number}"})
    with pytest.raises(Refusal, match="may hang: nothing was changed") as error:
        desk.ask(FILE)
    assert error.value.code == NOT_NOW


def test_whoever_joins_a_look_does_not_make_the_first_wait_longer(desk: Desk) -> None:
    first = desk.ask(FILE)
    second = desk.ask(FILE, now_ns=LATE - 1)

    desk.checks.tick(LATE)

    assert first.said == second.said == [NOT_NOW]
