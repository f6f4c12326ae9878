from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator

import pytest

from web_workers.viewers.pack import Pack
from web_workers.viewers.viewer import Viewer


class Members:
    """Makes viewers whose `send` the test decides."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def viewer(self, send: Callable[[bytes | memoryview], int] = len) -> Viewer:
        ours, theirs = socket.socketpair()
        self.sockets += [ours, theirs]
        viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda fd: None)
        viewer.send = send
        return viewer


@pytest.fixture
def members() -> Iterator[Members]:
    members = Members()
    yield members
    for each in members.sockets:
        each.close()


def blocked(data: bytes | memoryview) -> int:
    raise BlockingIOError(errno.EAGAIN, "no room")


def broken(data: bytes | memoryview) -> int:
    raise ConnectionResetError(errno.ECONNRESET, "reset")


def test_counts_begin_when_a_viewer_comes_in_and_stay_when_it_leaves(members: Members) -> None:
    pack, early, late = Pack(), members.viewer(), members.viewer()
    pack.add(early)
    assert pack.send(b"four") == []
    pack.add(late)
    assert pack.send(b"fives") == []
    assert (pack.counts(early), pack.counts(late)) == ((2, 9), (1, 5))
    pack.remove(early)
    assert pack.send(b"six") == []
    assert (pack.counts(early), pack.counts(late)) == ((2, 9), (2, 8))
    assert (early.sent, early.bytes_sent) == (2, 9)
    assert early not in pack
    assert late in pack


def test_who_took_less_leaves_the_pack_with_the_frame_begun(members: Members) -> None:
    slow, full, gone = (
        members.viewer(lambda data: 3),
        members.viewer(blocked),
        members.viewer(broken),
    )
    pack, good = Pack(), [members.viewer() for _ in range(4)]
    for viewer in (good[0], slow, good[1], full, good[2], gone, good[3]):
        pack.add(viewer)
    assert pack.send(b"12345678") == [(slow, 3), (full, 0), (gone, -errno.ECONNRESET)]
    assert [pack.counts(viewer) for viewer in (slow, full, gone)] == [(1, 3), (1, 0), (1, 0)]
    assert [viewer in pack for viewer in (slow, full, gone)] == [False] * 3
    assert pack.send(b"1") == []
    assert [pack.counts(viewer) for viewer in good] == [(2, 9)] * 4
    assert pack.counts(slow) == (1, 3)


def test_a_viewer_may_come_back_and_leaving_twice_is_harmless(members: Members) -> None:
    pack, viewer = Pack(), members.viewer()
    for _ in range(3):
        pack.add(viewer)
        pack.send(b"12")
        pack.remove(viewer)
        pack.remove(viewer)
        pack.send(b"not for it")
    assert pack.counts(viewer) == (3, 6)


def test_an_empty_pack_sends_to_nobody(members: Members) -> None:
    assert Pack().send(b"x") == []


def test_the_total_is_the_sum_of_what_each_was_sent_and_skipped(members: Members) -> None:
    pack, viewers = Pack(), [members.viewer() for _ in range(3)]
    for published, viewer in enumerate(viewers, start=4):
        viewer.base, viewer.sent, viewer.bytes_sent = published - 3, 1, 100 * published
        pack.add(viewer)
        pack.send(b"x" * published)
    counts = [pack.counts(viewer) for viewer in viewers]
    total = pack.total(published=9)
    assert (total.sent, total.bytes) == (sum(s for s, _ in counts), sum(b for _, b in counts))
    assert total.sent + total.skipped == sum(9 - viewer.base for viewer in viewers)
    pack.remove(viewers[0])
    assert pack.total(published=9).sent == sum(s for s, _ in counts[1:])
    assert total.waiting == 0
