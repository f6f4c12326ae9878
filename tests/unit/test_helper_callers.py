"""The helper's callers, and whose request is next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from capture_daemon.privileged.callers import IN_ALL, OF_ONE_USER, PATIENCE_NS, Caller, Callers
from capture_daemon.privileged.fair_queue import FairQueue
from capture_daemon.privileged.protocol import REQUEST_MAX


class Room:
    """Callers of users that are made up, on real sockets, at a time that is set by hand."""

    def __init__(self, stack: ExitStack) -> None:
        self.now_ns = 0
        self.callers = Callers(lambda: self.now_ns)
        self._stack = stack

    def comes(self, uid: int = 1) -> socket.socket:
        """The caller's end."""
        theirs, ours = socket.socketpair()
        self._stack.enter_context(theirs)
        self._stack.enter_context(ours)
        theirs.settimeout(0.0)
        with pytest.MonkeyPatch.context() as patch:
            credentials = (4711, uid, 0)
            patch.setattr(
                "capture_daemon.privileged.callers.peer_credentials", lambda _: credentials
            )
            self.callers.admit(ours)
        return theirs


@pytest.fixture
def room() -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(stack)


def hung_up_on(theirs: socket.socket) -> bool:
    try:
        return theirs.recv(1) == b""
    except BlockingIOError:
        return False


def test_a_line_may_come_in_pieces_and_ends_the_waiting(room: Room) -> None:
    theirs = room.comes()
    (caller,) = room.callers
    assert not caller.read()
    theirs.sendall(b"half")
    assert not caller.read()
    theirs.sendall(b" a line\n")
    assert caller.read()
    assert caller.line == b"half a line\n"


def test_no_more_is_read_than_a_request_may_have(room: Room) -> None:
    theirs = room.comes()
    theirs.sendall(b"x" * 1000)
    (caller,) = room.callers
    assert caller.read()
    assert len(caller.line) == REQUEST_MAX + 1


def test_who_has_sent_no_line_in_its_second_is_hung_up_on(room: Room) -> None:
    early = room.comes()
    room.now_ns = PATIENCE_NS // 2
    late = room.comes()
    assert room.callers.timeout_s() == pytest.approx(0.5)
    room.now_ns = PATIENCE_NS
    room.callers.expire()
    assert hung_up_on(early)
    assert not hung_up_on(late)


def test_a_user_with_many_callers_drives_out_its_own(room: Room) -> None:
    other = room.comes(uid=2)
    own = [room.comes(uid=1) for _ in range(OF_ONE_USER + 1)]
    assert [hung_up_on(each) for each in own] == [True] + [False] * OF_ONE_USER
    assert not hung_up_on(other)


def test_many_users_drive_out_who_has_most(room: Room) -> None:
    own = [room.comes(uid=1) for _ in range(2)]
    others = [room.comes(uid=uid) for uid in range(2, IN_ALL + 1)]
    assert [hung_up_on(each) for each in own] == [True, False]
    assert not any(map(hung_up_on, others))


def test_turns_go_from_user_to_user(room: Room) -> None:
    for uid in (1, 1, 1, 2):
        room.comes(uid)
    queue = FairQueue()
    waiting: list[Caller] = list(room.callers)
    assert all(map(queue.put, waiting))
    assert [queue.next().uid for _ in range(4)] == [1, 2, 1, 1]
    assert not queue.idle
    for _ in range(4):
        queue.done()
    assert queue.idle


def test_a_user_has_so_many_requests_that_wait(room: Room) -> None:
    room.comes()
    (caller,) = room.callers
    queue = FairQueue()
    assert [queue.put(caller) for _ in range(OF_ONE_USER + 1)] == [True] * OF_ONE_USER + [False]
