"""One suite for both ways of handing a frame to many viewers, and how one of them is chosen."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial

import pytest

from tests.helpers.descriptors import opened
from tests.helpers.io_uring import uring
from web_workers.viewers import broadcast_send
from web_workers.viewers.broadcast_send import BroadcastFactory, SequentialBroadcast, UringBroadcast
from web_workers.viewers.viewer import Viewer
from web_workers.wire.uring import Sends, Uring

ENTRIES = 8


class Members:
    """Viewers, and the other ends of their sockets."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.ends: list[socket.socket] = []

    def join(self, count: int, *, send_buffer: int = 0) -> list[Viewer]:
        return [self._joined(*socket.socketpair(), send_buffer) for _ in range(count)]

    def join_by_tcp(self) -> Viewer:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname(), timeout=20)
            ours, _ = server.accept()
        return self._joined(ours, theirs, 0)

    def _joined(self, ours: socket.socket, theirs: socket.socket, send_buffer: int) -> Viewer:
        self._stack.enter_context(ours)
        self.ends.append(self._stack.enter_context(theirs))
        viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda _: None)
        if send_buffer:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        return viewer


@pytest.fixture
def members() -> Iterator[Members]:
    with ExitStack() as stack:
        yield Members(stack)


@pytest.fixture(params=["one by one", "at once"])
def make(request: pytest.FixtureRequest) -> Iterator[BroadcastFactory]:
    if request.param == "one by one":
        yield SequentialBroadcast
        return
    with closing(uring(ENTRIES)) as queues:
        yield partial(UringBroadcast, uring=queues)


@pytest.mark.parametrize("count", [0, 1, 3, ENTRIES, ENTRIES + 1, 3 * ENTRIES - 1])
def test_each_viewer_gets_all_of_each_frame(
    members: Members, make: BroadcastFactory, count: int
) -> None:
    made = make(members.join(count))
    for data in (b"first", b"and the second"):
        assert made.send(data) == []
        assert [end.recv(100) for end in members.ends] == [data] * count


def test_frames_follow_each_other_for_a_long_time(members: Members, make: BroadcastFactory) -> None:
    made = make(members.join(7))
    for number in range(3 * ENTRIES):
        data = b"%d" % number
        assert made.send(data) == []
        assert [end.recv(100) for end in members.ends] == [data] * 7


def test_broadcasts_to_different_viewers_take_turns(
    members: Members, make: BroadcastFactory
) -> None:
    some, others = make(members.join(5)), make(members.join(6))
    for _ in range(ENTRIES):
        assert some.send(b"some") == []
        assert others.send(b"others") == []
        assert [end.recv(100) for end in members.ends] == [b"some"] * 5 + [b"others"] * 6


def test_what_becomes_of_one_is_told_of_that_one(members: Members, make: BroadcastFactory) -> None:
    viewers = members.join(6, send_buffer=4096)
    with suppress(BlockingIOError):
        while viewers[1].send(b"x" * 100):
            pass
    members.ends[3].close()
    viewers[4].let_go()
    short = [(1, -errno.EAGAIN), (3, -errno.EPIPE), (4, -errno.EBADF)]
    assert make(viewers).send(b"frame") == short
    assert [members.ends[each].recv(100) for each in (0, 2, 5)] == [b"frame"] * 3


def test_who_has_little_room_takes_a_little(members: Members, make: BroadcastFactory) -> None:
    viewers = [members.join_by_tcp() for _ in range(3)]
    data = os.urandom(1 << 24)  # more than the buffers of both ends hold
    short = make(viewers).send(data)
    assert [number for number, _ in short] == [0, 1, 2]
    for (_, taken), end in zip(short, members.ends, strict=True):
        assert 0 < taken < len(data)
        got = b""
        while len(got) < taken:
            got += end.recv(1 << 20)
        assert got == data[:taken]


def test_whom_the_kernel_leaves_out_gets_it_one_by_one(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewers = members.join(ENTRIES + 4)
    members.ends[-1].close()
    with closing(uring(ENTRIES)) as queues:
        whole = queues.send_all
        some = {8: Sends([viewer.fileno() for viewer in viewers[:8]])}
        some[4] = Sends([viewers[8].fileno()], first=8)
        monkeypatch.setattr(queues, "send_all", lambda all_, data: whole(some[all_.count], data))
        assert UringBroadcast(viewers, queues).send(b"frame") == [(ENTRIES + 3, -errno.EPIPE)]
    assert [end.recv(100) for end in members.ends[:-1]] == [b"frame"] * (ENTRIES + 3)


def test_the_kernel_stops_at_an_entry_that_is_none(members: Members) -> None:
    descriptors = [viewer.fileno() for viewer in members.join(3)]
    good, bad = Sends(descriptors), Sends(descriptors)
    bad.entries[64] = 255  # an operation that there is not, for the second
    with closing(uring(ENTRIES)) as queues:
        for _ in range(3 * ENTRIES):
            assert queues.send_all(bad, b"frame") == (2, [(1, -errno.EINVAL)])
            assert queues.send_all(good, b"frame") == (3, [])
            assert [len(end.recv(100)) for end in members.ends] == [10, 5, 5]


def test_it_gives_everything_back(members: Members) -> None:
    before = opened()
    queues = uring()
    assert queues.send_all(Sends([members.join(1)[0].fileno()]), b"frame") == (1, [])
    assert any(
        "io_uring" in os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")
    )
    for _ in range(2):
        queues.close()
    assert opened() == before + 2  # the viewer's two ends


def test_many_viewers_are_served_at_once_and_few_one_by_one(members: Members) -> None:
    with closing(uring()) as queues:
        suited = broadcast_send.broadcast_factory(queues, fewest=3)
        assert isinstance(suited(members.join(3)), UringBroadcast)
        assert isinstance(suited(members.join(2)), SequentialBroadcast)
    assert isinstance(
        broadcast_send.broadcast_factory(None, fewest=3)(members.join(3)), SequentialBroadcast
    )


def test_where_it_is_refused_it_is_said_and_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> Uring:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(broadcast_send, "Uring", refused)
    with caplog.at_level(logging.INFO, "gunicorn.error"):
        assert broadcast_send.open_uring(wanted=False) is None
        assert not caplog.messages
        assert broadcast_send.open_uring(wanted=True) is None
    assert "Operation not permitted" in caplog.text
