"""Frames go to viewers by the pump, in C, as they do by Python alone: one suite for both."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.zmtp.wire import message

from tests.helpers.waiting import until
from tests.rigs.pumped_feed import Bench, CountingPump, patience
from web_workers.counts.tally import Delivery

LARGE = 300_000


@pytest.fixture(params=["in C", "in Python"])
def hasty(request: pytest.FixtureRequest, runtime: Path) -> Iterator[Bench]:
    """It looks for frames by itself, and shows the newest again, where none came for a second."""
    bench = Bench(runtime, CountingPump() if request.param == "in C" else None)
    yield bench
    bench.close()


@pytest.fixture
def bench(hasty: Bench) -> Iterator[Bench]:
    """One that would wait for an hour, so that a machine that stands still changes nothing."""
    with patience():
        yield hasty


def announced(bench: Bench, data: bytes = b"picture", **changes: int) -> Announcement:
    """Publish a frame without telling anybody, and return what is to be told, with changes."""
    (announcement,) = bench.bus.publish_all([data])
    descriptor = announcement.descriptor._replace(**changes)
    return Announcement(announcement.epoch, descriptor)


def test_each_frame_reaches_each_viewer_whole_and_is_counted_once(bench: Bench) -> None:
    clients = bench.clients_in_step(3)
    before = [bench.delivery(client) for client in clients]
    aged = bench.aged()
    sent = [b"x", bytes(range(256)) * 3, b"y" * 60_000, b"", b"z"]
    numbers = [bench.publish(data) for data in sent]
    for client, was in zip(clients, before, strict=True):
        assert [part.body for part in client.read()] == sent
        assert [part.sequence for part in client.parts] == numbers
        now = bench.delivery(client)
        assert (now.sent - was.sent, now.skipped, now.waiting) == (5, was.skipped, 0)
        assert now.bytes > was.bytes + sum(map(len, sent))
    assert bench.aged() == aged + 5
    assert bench.pumping


def test_the_bytes_are_the_same_as_python_makes_of_the_frame(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    bench.publish(b"picture")
    newest = bench.feed.fanout.newest
    follower = bench.feed._follower
    assert newest is not None
    assert follower is not None
    assert follower.ring is not None
    frame = follower.ring.newest()
    assert frame is not None
    assert newest == type(newest).of(frame)
    assert client.socket.recv(4096) == newest.plain
    assert bench.feed.fanout.age_ns(client.viewer) is not None
    assert bench.pumping


def test_of_several_that_are_told_of_at_once_the_newest_is_sent_and_all_are_counted(
    bench: Bench,
) -> None:
    (client,) = bench.clients_in_step()
    was = bench.delivery(client)
    for number in range(3):
        bench.bus.publish(b"%d" % number)
    bench.publish(b"newest")
    assert client.read()[-1].body == b"newest"
    now = bench.delivery(client)
    assert now.sent - was.sent == len(client.parts)
    assert now.sent + now.skipped - was.sent - was.skipped == 4


def test_who_takes_a_part_of_a_frame_gets_the_rest_and_then_the_newest(bench: Bench) -> None:
    slow, fast = bench.clients_in_step(send_buffer=4096) + bench.clients_in_step()
    bench.publish(b"a" * LARGE)
    assert slow.viewer.rest is not None
    for data in (b"b", b"c"):
        bench.publish(data)
    assert [part.body for part in fast.read()] == [b"a" * LARGE, b"b", b"c"]

    def caught_up() -> bool:
        bodies = [part.body for part in slow.read()]
        assert bodies == [b"a" * LARGE, b"c"][: len(bodies)]
        return len(bodies) == 2

    bench.until(caught_up)
    assert bench.delivery(slow).skipped == bench.delivery(fast).skipped + 1
    bench.publish(b"d")
    assert [client.read()[-1].body for client in (slow, fast)] == [b"d", b"d"]


def test_who_has_no_room_at_all_has_the_frame_waiting(bench: Bench) -> None:
    full, fast = bench.clients_in_step(send_buffer=4096) + bench.clients_in_step()
    while True:  # what it does not read fills its socket, outside of any count
        try:
            full.viewer.sock.send(b"x" * 100)
        except BlockingIOError:
            break
    before = bench.delivery(full)
    bench.publish(b"a")
    assert full.viewer.rest is not None
    assert len(full.viewer.rest) == len(bench.feed.fanout.newest.plain)  # type: ignore[union-attr]
    assert bench.delivery(full) == before._replace(sent=before.sent + 1)
    assert [part.body for part in fast.read()] == [b"a"]


def test_a_viewer_that_leaves_costs_the_others_nothing(bench: Bench) -> None:
    going, staying = bench.clients_in_step(2)
    going.socket.close()
    for number in range(3):
        bench.publish(b"%d" % number)
    assert [part.body for part in staying.read()] == [b"0", b"1", b"2"]
    assert bench.closed() == {"left": 1}
    assert bench.feed.fanout.viewers == (staying.viewer,)


def test_one_that_joins_gets_the_newest_at_once_and_all_that_follow(bench: Bench) -> None:
    bench.clients_in_step()
    bench.publish(b"newest")
    assert bench.pumping
    (late,) = bench.clients_in_step()
    bench.publish(b"next")
    assert [part.body for part in late.read()] == [b"next"]
    first, *_ = bench.feed.fanout.viewers
    assert bench.delivery(late).sent < bench.feed.fanout.delivery(first).sent


def test_a_frame_of_the_fallback_says_so(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    bench.publish(b"other", flags=FrameFlags.FALLBACK)
    bench.publish(b"own")
    assert [part.headers.get("X-Fallback") for part in client.read()] == ["true", None]


LIES: dict[str, Callable[[Announcement], Announcement]] = {
    "another epoch": lambda told: told._replace(epoch=told.epoch ^ 1),
    "another length": lambda told: _with(told, length=told.descriptor.length + 1),
    "a length beyond the ring": lambda told: _with(told, length=1 << 40),
    "a length beyond all numbers": lambda told: _with(told, length=(1 << 64) - 1),
    "a position beyond the ring": lambda told: _with(told, position=1 << 63),
    "the end of the ring": lambda told: _with(told, position=(4 << 20) - 1),
    "another checksum": lambda told: _with(told, check=told.descriptor.check ^ 1),
    "a sequence that there never is": lambda told: _with(told, sequence=(1 << 64) - 1),
    "an old sequence": lambda told: _with(told, sequence=1),
    "a time to come": lambda told: _with(told, captured_ns=1 << 62),
    "a year that there is not": lambda told: _with(told, captured_utc_ns=(1 << 64) - 1),
}


def _with(told: Announcement, **changes: int) -> Announcement:
    return told._replace(descriptor=told.descriptor._replace(**changes))


@pytest.mark.parametrize("lie", LIES)
def test_a_hint_that_lies_shows_nobody_anything_but_frames_of_the_ring(
    bench: Bench, lie: str
) -> None:
    (client,) = bench.clients_in_step()
    bench.bus.notifier.announce(LIES[lie](announced(bench)))
    bench.loop.run(0.05)
    bench.publish(b"after")
    assert [part.body for part in client.read()][-1] == b"after"
    assert {part.body for part in client.parts} <= {b"picture", b"after"}
    delivery = bench.delivery(client)
    assert delivery.waiting == 0


def test_a_frame_that_is_overwritten_is_passed_over(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    was = bench.delivery(client)
    lapped = announced(bench, b"lapped")
    bench.bus.publish_all([bytes(1 << 20)] * 6)  # 6 MB through a ring of 4
    bench.bus.notifier.announce(lapped)
    bench.until(lambda: bench.taken == bench.bus.writer.cursor)
    assert [len(part.body) for part in client.read() if part.body] != [6]
    now = bench.delivery(client)
    assert now.sent + now.skipped + now.waiting - was.sent - was.skipped == 7


def test_a_picture_that_is_damaged_in_the_ring_is_not_shown(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    told = announced(bench, b"picture")
    writer = bench.bus.writer
    at = writer.geometry.arena + told.descriptor.position % writer.geometry.capacity
    writer._bytes[at] ^= 1
    bench.bus.notifier.announce(told)
    bench.publish(b"whole")
    assert [part.body for part in client.read()] == [b"whole"]


def test_a_picture_that_is_no_newer_is_counted_and_not_shown(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    was = bench.delivery(client)
    bench.bus.publish(b"old", captured_ns=1)
    bench.publish(b"new")
    assert [part.body for part in client.read()] == [b"new"]
    now = bench.delivery(client)
    assert (now.sent - was.sent, now.skipped - was.skipped) == (1, 1)


@pytest.mark.parametrize(
    "said",
    [
        message(b"no hint"),
        message(b"hint " * 40),
        message(b"two", b"parts"),
        b"\xff" * 138,
        b"\x00\x88",
    ],
)
def test_garbage_on_the_socket_of_hints_costs_no_frame(hasty: Bench, said: bytes) -> None:
    (client,) = hasty.clients_in_step()
    (peer,) = hasty.bus.notifier._subscribers
    peer.send(said, 0)
    hasty.loop.run(0.02)
    numbers = [hasty.publish(b"%d" % number) for number in range(3)]
    hasty.until(lambda: [part.sequence for part in client.read()][-1:] == numbers[-1:])
    assert hasty.closed() == {}


def test_another_frame_rate_is_taken_note_of(hasty: Bench) -> None:
    (client,) = hasty.clients_in_step()
    hasty.bus.writer.set_interval(500_000_000)
    hasty.publish(b"faster")
    hasty.publish(b"still")
    assert list(dict.fromkeys(part.body for part in client.read())) == [b"faster", b"still"]
    assert hasty.feed._look_ns - hasty.feed._output_ns == 750_000_000
    assert hasty.pumping


def test_silence_is_noticed_and_the_next_frame_ends_it(hasty: Bench) -> None:
    (client,) = hasty.clients_in_step()
    hasty.bus.writer.set_interval(20_000_000)
    hasty.publish(b"last")
    hasty.until(lambda: hasty.feed.usual() is None)
    hasty.until(lambda: bool(client.read()) and client.parts[-1].placeholder != "")
    hasty.bus.writer.set_interval(1_000_000_000)
    hasty.publish(b"back")
    assert client.read()[-1].body == b"back"
    hasty.until(lambda: hasty.feed.usual() is not None)


def test_a_new_daemon_is_gone_on_with(hasty: Bench, runtime: Path) -> None:
    (client,) = hasty.clients_in_step()
    hasty.bus.close()
    hasty.bus = type(hasty.bus)(runtime, fps=1)

    def shown() -> bool:
        hasty.bus.publish(b"new")
        return client.read()[-1:] != [] and client.parts[-1].body == b"new"

    hasty.until(shown)
    hasty.until(lambda: hasty.feed.usual() is not None)
    client.parts.clear()
    hasty.publish(b"newer")
    assert client.read()[-1].body == b"newer"


def test_timers_and_calls_of_threads_have_their_turn_while_frames_flow(bench: Bench) -> None:
    bench.clients_in_step()
    turns: list[str] = []
    bench.bus.interval_ns = 1_000_000
    bench.bus.start()
    bench.loop.call_at(bench.loop.clock() + 30_000_000, lambda: turns.append("timer"))
    called = threading.Timer(0.05, bench.loop.call_from_thread, (lambda: turns.append("call"),))
    called.start()
    bench.until(lambda: sorted(turns) == ["call", "timer"])
    called.join()
    bench.bus.pause()
    assert bench.pumping


def drain(fd: int) -> None:
    """Read what there is."""
    os.read(fd, 100)


@pytest.fixture
def told_of_signals(bench: Bench) -> Iterator[None]:
    """A descriptor tells of each signal, as in gunicorn's workers."""
    read, write = os.pipe2(os.O_NONBLOCK)
    bench.loop.add(read, select.EPOLLIN, lambda _: drain(read))
    before = signal.set_wakeup_fd(write)
    yield
    signal.set_wakeup_fd(before)
    bench.loop.remove(read)
    for fd in (read, write):
        os.close(fd)


@pytest.mark.usefixtures("told_of_signals")
@pytest.mark.parametrize("flowing", [False, True])
def test_a_signal_is_handled_at_once(bench: Bench, flowing: bool) -> None:
    bench.clients_in_step()
    handled: list[int] = []

    def handler(number: int, _frame: object) -> None:
        handled.append(number)
        bench.loop.stop()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        if flowing:
            bench.bus.interval_ns = 1_000_000
            bench.bus.start()
        later = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        later.start()
        began_ns = bench.loop.clock()
        bench.loop.run(25.0)
        assert bench.loop.clock() - began_ns < 20_000_000_000
        later.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    bench.bus.pause()
    assert handled == [signal.SIGUSR1]


def test_counts_read_by_another_thread_never_say_that_a_frame_was_skipped(bench: Bench) -> None:
    (client,) = bench.clients_in_step()
    was = bench.delivery(client)
    seen: list[Delivery] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(bench.delivery(client))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(50):
        bench.publish(b"picture")
        client.read()
    over.set()
    looking.join()
    assert {delivery.skipped for delivery in seen} == {was.skipped}
    assert [delivery.sent for delivery in seen] == sorted(delivery.sent for delivery in seen)
    assert bench.delivery(client).sent == was.sent + 50
    assert bench.pumping


def test_a_connection_that_ends_is_made_again(hasty: Bench) -> None:
    (client,) = hasty.clients_in_step()
    (peer,) = hasty.bus.notifier._subscribers
    server = hasty.bus.notifier._server
    with hasty.bus.acceptor._turn:
        server._drop(peer)
    hasty.publish(b"by the cursor")
    follower = hasty.feed._follower
    assert follower is not None
    hasty.until(lambda: follower.hints is not None)
    until(lambda: hasty.bus.notifier.wanted)
    hasty.publish(b"by a hint")
    bodies = dict.fromkeys(part.body for part in client.read())
    assert list(bodies) == [b"by the cursor", b"by a hint"]
