from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from tests.rigs.viewer_limits import viewer_limits
from web_workers.admission.viewer_limits import LimitReached
from web_workers.counts.worker_counts import Closed
from web_workers.feeds.housekeeping import EVERY_NS
from web_workers.viewers.viewer import (
    EVENTS,
    STALL_NS,
    UNWANTED_BYTES,
    USER_TIMEOUT_MS,
    Viewer,
    closed_by,
)
from web_workers.wire.loop import StreamLoop

BIG = bytes(8 << 20)


class ViewerOwner:
    def __init__(self) -> None:
        self.drains = 0
        self.leaves: list[Closed] = []

    def drained(self, viewer: Viewer) -> None:
        self.drains += 1

    def left(self, viewer: Viewer, why: Closed) -> None:
        self.leaves.append(why)


class Bench:
    """A viewer over a socket pair, in a loop."""

    def __init__(self) -> None:
        ours, self.client = socket.socketpair()
        self.client.settimeout(30)
        self.now = 0
        self.loop = StreamLoop(clock=lambda: self.now)
        self.owner = ViewerOwner()
        self.viewer = Viewer(ours, peer="test", clock=lambda: self.now, on_close=self.loop.remove)
        self.viewer.owner = self.owner
        self.loop.add(self.viewer.fileno(), EVENTS, self.viewer.on_event)

    def read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            data += self.client.recv(size - len(data))
            self.loop.dispatch()
        return bytes(data)

    def close(self) -> None:
        self.viewer.close(Closed.ENDED)
        self.client.close()
        self.loop.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_part_that_fits_leaves_no_rest(bench: Bench) -> None:
    bench.viewer.push(b"part")
    assert bench.viewer.rest is None
    assert bench.client.recv(100) == b"part"
    assert bench.viewer.bytes_sent == 4


def test_the_rest_of_a_part_goes_out_as_the_viewer_reads_and_then_it_is_told(bench: Bench) -> None:
    bench.viewer.push(BIG)
    assert bench.viewer.rest is not None
    assert bench.owner.drains == 0
    assert bench.read(len(BIG)) == BIG
    assert bench.viewer.rest is None
    assert (bench.owner.drains, bench.viewer.bytes_sent) == (1, len(BIG))


def test_what_all_viewers_are_sent_is_held_once_and_still_arrives_whole(bench: Bench) -> None:
    part = BIG + b"end"
    bench.viewer.push(b"head" + part)
    bench.viewer.share(part)
    assert bench.viewer.rest is not None
    assert bench.viewer.rest.obj is part
    assert bench.read(len(part) + 4) == b"head" + part
    bench.viewer.push(b"small")
    bench.viewer.share(b"small")
    assert bench.viewer.rest is None


def test_a_viewer_that_leaves_is_closed_and_its_owner_told_once(bench: Bench) -> None:
    bench.client.close()
    bench.loop.dispatch(10.0)
    assert bench.viewer.fileno() == -1
    bench.viewer.close(Closed.ENDED)
    assert bench.owner.leaves == [Closed.LEFT]


@pytest.mark.parametrize("end", ["close", "let_go"])
def test_a_viewer_gives_up_its_admission_with_its_socket(bench: Bench, end: str) -> None:
    full = viewer_limits(viewers=1)
    bench.viewer.admission = full.admit("192.0.2.1", 0)
    with pytest.raises(LimitReached):
        full.admit("192.0.2.2", 0)
    if end == "close":
        bench.viewer.close(Closed.LEFT)
    else:
        bench.viewer.let_go()
    full.admit("192.0.2.2", 0)


def test_a_viewer_that_left_is_found_out_by_sending_too(bench: Bench) -> None:
    bench.client.close()
    bench.viewer.push(b"part")
    assert bench.viewer.fileno() == -1
    assert bench.owner.leaves == [Closed.LEFT]


def test_what_a_viewer_says_is_thrown_away_up_to_a_limit(bench: Bench) -> None:
    bench.client.sendall(bytes(UNWANTED_BYTES - 1))
    bench.loop.dispatch(10.0)
    assert bench.viewer.fileno() >= 0
    bench.client.sendall(bytes(100))
    bench.loop.dispatch(10.0)
    assert bench.viewer.fileno() == -1
    assert bench.owner.leaves == [Closed.UNWANTED]


def test_a_sockets_error_tells_who_left_who_stalled_and_what_broke() -> None:
    for error in (0, errno.ECONNRESET, errno.EPIPE):
        assert closed_by(error) is Closed.LEFT
    assert closed_by(errno.ETIMEDOUT) is Closed.STALLED
    assert closed_by(errno.EHOSTUNREACH) is Closed.FAILED


def test_a_viewer_that_takes_nothing_is_stalled_only_while_something_is_due(bench: Bench) -> None:
    bench.now = STALL_NS * 10
    assert not bench.viewer.stalled(bench.now)
    bench.viewer.push(BIG)
    bench.now += STALL_NS
    assert not bench.viewer.stalled(bench.now)
    bench.now += 1
    assert bench.viewer.stalled(bench.now)


def test_the_kernel_too_gives_a_viewer_up_within_15_s() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        ours, _ = server.accept()
        viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda _: None)
        timeout_ms = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        viewer.close(Closed.ENDED)
    assert timeout_ms == USER_TIMEOUT_MS < 15_000
    assert STALL_NS < 15_000_000_000 - EVERY_NS  # it is looked for once in EVERY_NS


def test_a_viewer_that_takes_a_little_is_not_stalled(bench: Bench) -> None:
    bench.viewer.push(BIG)
    bench.now += STALL_NS - 1
    bench.read(1 << 20)
    bench.now += STALL_NS - 1
    assert bench.viewer.rest is not None
    assert not bench.viewer.stalled(bench.now)


@pytest.mark.parametrize("size", [30_000, 150_000, 1_000_000, 4_000_000])
def test_a_viewer_that_reads_nothing_has_the_kernel_hoard_about_one_part(
    size: int,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.getsockname())
        ours, _ = server.accept()
        viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda _: None)
        viewer.limit_unsent(size)
        pushed = 0
        while viewer.rest is None:
            viewer.push(bytes(size))
            pushed += 1
            assert pushed < 50
        unsent = viewer.bytes_sent
        viewer.close(Closed.ENDED)
    # The least that is kept, a packet of loopback's 64 kB and what the client's own kernel takes.
    # (The kernel by itself, or half a megabyte of SO_SNDBUF, would take 14 to 120 frames of 30 kB.)
    assert unsent <= 1.2 * size + 150_000
    assert pushed <= 8


def test_a_sockets_hoard_follows_the_size_of_frames_but_not_each_of_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        ours, _ = server.accept()
        viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda _: None)

        def unsent_limit() -> int:
            return ours.getsockopt(socket.IPPROTO_TCP, 25)  # TCP_NOTSENT_LOWAT

        for size in (150_000, 153_000, 162_000):
            viewer.limit_unsent(size)
            assert unsent_limit() == 98_304
        viewer.limit_unsent(4_000_000)
        assert 3_900_000 <= unsent_limit() < 4_300_000
        viewer.limit_unsent(100)
        assert unsent_limit() == 32_768
        viewer.close(Closed.ENDED)
        viewer.limit_unsent(1_000_000)


def test_a_unix_sockets_hoard_is_its_send_buffer() -> None:
    ours, client = socket.socketpair()
    viewer = Viewer(ours, peer="test", clock=lambda: 0, on_close=lambda _: None)
    viewer.limit_unsent(60_000)
    assert 60_000 <= ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 4 * 60_000
    viewer.close(Closed.ENDED)
    client.close()
