from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator

import pytest

from web_workers.counts.progress import Progress
from web_workers.viewers.in_step_viewers import InStepViewers
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
    in_step, early, late = InStepViewers(Progress()), members.viewer(), members.viewer()
    in_step.add(early)
    assert in_step.send(b"four") == []
    in_step.add(late)
    assert in_step.send(b"fives") == []
    assert (in_step.counts(early), in_step.counts(late)) == ((2, 9), (1, 5))
    in_step.remove(early)
    assert in_step.send(b"six") == []
    assert (in_step.counts(early), in_step.counts(late)) == ((2, 9), (2, 8))
    assert (early.sent, early.bytes_sent) == (2, 9)
    assert early not in in_step
    assert late in in_step


def test_who_took_less_is_in_step_no_more_with_the_frame_begun(members: Members) -> None:
    slow, full, gone = (
        members.viewer(lambda data: 3),
        members.viewer(blocked),
        members.viewer(broken),
    )
    in_step, good = InStepViewers(Progress()), [members.viewer() for _ in range(4)]
    for viewer in (good[0], slow, good[1], full, good[2], gone, good[3]):
        in_step.add(viewer)
    assert in_step.send(b"12345678") == [(slow, 3), (full, 0), (gone, -errno.ECONNRESET)]
    assert [in_step.counts(viewer) for viewer in (slow, full, gone)] == [(1, 3), (1, 0), (1, 0)]
    assert [viewer in in_step for viewer in (slow, full, gone)] == [False] * 3
    assert in_step.send(b"1") == []
    assert [in_step.counts(viewer) for viewer in good] == [(2, 9)] * 4
    assert in_step.counts(slow) == (1, 3)


def test_a_viewer_may_come_back_and_leaving_twice_is_harmless(members: Members) -> None:
    in_step, viewer = InStepViewers(Progress()), members.viewer()
    for _ in range(3):
        in_step.add(viewer)
        in_step.send(b"12")
        in_step.remove(viewer)
        in_step.remove(viewer)
        in_step.send(b"not for it")
    assert in_step.counts(viewer) == (3, 6)


def test_where_nobody_is_in_step_nobody_is_sent_anything(members: Members) -> None:
    assert InStepViewers(Progress()).send(b"x") == []


def test_the_total_is_the_sum_of_what_each_was_sent_and_skipped(members: Members) -> None:
    in_step, viewers = InStepViewers(Progress()), [members.viewer() for _ in range(3)]
    for published, viewer in enumerate(viewers, start=4):
        viewer.base, viewer.sent, viewer.bytes_sent = published - 3, 1, 100 * published
        in_step.add(viewer)
        in_step.send(b"x" * published)
    counts = [in_step.counts(viewer) for viewer in viewers]
    total = in_step.total(published=9)
    assert (total.sent, total.bytes) == (sum(s for s, _ in counts), sum(b for _, b in counts))
    assert total.sent + total.skipped == sum(9 - viewer.base for viewer in viewers)
    in_step.remove(viewers[0])
    assert in_step.total(published=9).sent == sum(s for s, _ in counts[1:])
    assert total.waiting == 0
