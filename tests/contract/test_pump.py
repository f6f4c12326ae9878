"""Frames go to viewers by the pump, in C, as they do by Python alone: one suite for both."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator

import pytest
from framebus.frame import FrameFlags

from tests.rigs.pumped_feed import Bench
from web_workers.counts.tally import Delivery

LARGE = 300_000


def test_each_frame_reaches_each_viewer_whole_and_is_counted_once(patient: Bench) -> None:
    clients = patient.clients_in_step(3)
    before = [patient.delivery(client) for client in clients]
    aged = patient.aged()
    sent = [b"x", bytes(range(256)) * 3, b"y" * 60_000, b"", b"z"]
    numbers = [patient.publish(data) for data in sent]
    for client, was in zip(clients, before, strict=True):
        assert [part.body for part in client.read()] == sent
        assert [part.sequence for part in client.parts] == numbers
        now = patient.delivery(client)
        assert (now.sent - was.sent, now.skipped, now.waiting) == (5, was.skipped, 0)
        assert now.bytes > was.bytes + sum(map(len, sent))
    assert patient.aged() == aged + 5
    assert patient.pumping


def test_the_bytes_are_the_same_as_python_makes_of_the_frame(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    patient.publish(b"picture")
    newest = patient.feed.fanout.newest
    follower = patient.feed._follower
    assert newest is not None
    assert follower is not None
    assert follower.ring is not None
    frame = follower.ring.newest()
    assert frame is not None
    assert newest == type(newest).of(frame)
    assert client.socket.recv(4096) == newest.plain
    assert patient.feed.fanout.age_ns(client.viewer) is not None
    assert patient.pumping


def test_of_several_that_are_told_of_at_once_the_newest_is_sent_and_all_are_counted(
    patient: Bench,
) -> None:
    (client,) = patient.clients_in_step()
    was = patient.delivery(client)
    for number in range(3):
        patient.bus.publish(b"%d" % number)
    patient.publish(b"newest")
    assert client.read()[-1].body == b"newest"
    now = patient.delivery(client)
    assert now.sent - was.sent == len(client.parts)
    assert now.sent + now.skipped - was.sent - was.skipped == 4


def test_who_takes_a_part_of_a_frame_gets_the_rest_and_then_the_newest(patient: Bench) -> None:
    slow, fast = patient.clients_in_step(send_buffer=4096) + patient.clients_in_step()
    patient.publish(b"a" * LARGE)
    assert slow.viewer.rest is not None
    for data in (b"b", b"c"):
        patient.publish(data)
    assert [part.body for part in fast.read()] == [b"a" * LARGE, b"b", b"c"]

    def caught_up() -> bool:
        bodies = [part.body for part in slow.read()]
        assert bodies == [b"a" * LARGE, b"c"][: len(bodies)]
        return len(bodies) == 2

    patient.until(caught_up)
    assert patient.delivery(slow).skipped == patient.delivery(fast).skipped + 1
    patient.publish(b"d")
    assert [client.read()[-1].body for client in (slow, fast)] == [b"d", b"d"]


def test_who_has_no_room_at_all_has_the_frame_waiting(patient: Bench) -> None:
    full, fast = patient.clients_in_step(send_buffer=4096) + patient.clients_in_step()
    while True:  # what it does not read fills its socket, outside of any count
        try:
            full.viewer.sock.send(b"x" * 100)
        except BlockingIOError:
            break
    before = patient.delivery(full)
    patient.publish(b"a")
    assert full.viewer.rest is not None
    assert len(full.viewer.rest) == len(patient.feed.fanout.newest.plain)  # type: ignore[union-attr]
    assert patient.delivery(full) == before._replace(sent=before.sent + 1)
    assert [part.body for part in fast.read()] == [b"a"]


def test_a_viewer_that_leaves_costs_the_others_nothing(patient: Bench) -> None:
    going, staying = patient.clients_in_step(2)
    going.socket.close()
    for number in range(3):
        patient.publish(b"%d" % number)
    assert [part.body for part in staying.read()] == [b"0", b"1", b"2"]
    assert patient.closed() == {"left": 1}
    assert patient.feed.fanout.viewers == (staying.viewer,)


def test_one_that_joins_gets_the_newest_at_once_and_all_that_follow(patient: Bench) -> None:
    patient.clients_in_step()
    patient.publish(b"newest")
    assert patient.pumping
    (late,) = patient.clients_in_step()
    patient.publish(b"next")
    assert [part.body for part in late.read()] == [b"next"]
    first, *_ = patient.feed.fanout.viewers
    assert patient.delivery(late).sent < patient.feed.fanout.delivery(first).sent


def test_a_frame_of_the_fallback_says_so(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    patient.publish(b"other", flags=FrameFlags.FALLBACK)
    patient.publish(b"own")
    assert [part.headers.get("X-Fallback") for part in client.read()] == ["true", None]


def test_timers_and_calls_of_threads_have_their_turn_while_frames_flow(patient: Bench) -> None:
    patient.clients_in_step()
    turns: list[str] = []
    patient.bus.interval_ns = 1_000_000
    patient.bus.start()
    patient.loop.call_at(patient.loop.clock() + 30_000_000, lambda: turns.append("timer"))
    called = threading.Timer(0.05, patient.loop.call_from_thread, (lambda: turns.append("call"),))
    called.start()
    patient.until(lambda: sorted(turns) == ["call", "timer"])
    called.join()
    patient.bus.pause()
    assert patient.pumping


def drain(fd: int) -> None:
    """Read what there is."""
    os.read(fd, 100)


@pytest.fixture
def told_of_signals(patient: Bench) -> Iterator[None]:
    """A descriptor tells of each signal, as in gunicorn's workers."""
    read, write = os.pipe2(os.O_NONBLOCK)
    patient.loop.add(read, select.EPOLLIN, lambda _: drain(read))
    before = signal.set_wakeup_fd(write)
    yield
    signal.set_wakeup_fd(before)
    patient.loop.remove(read)
    for fd in (read, write):
        os.close(fd)


@pytest.mark.usefixtures("told_of_signals")
@pytest.mark.parametrize("flowing", [False, True])
def test_a_signal_is_handled_at_once(patient: Bench, flowing: bool) -> None:
    patient.clients_in_step()
    handled: list[int] = []

    def handler(number: int, _frame: object) -> None:
        handled.append(number)
        patient.loop.stop()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        if flowing:
            patient.bus.interval_ns = 1_000_000
            patient.bus.start()
        later = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        later.start()
        began_ns = patient.loop.clock()
        patient.loop.run(25.0)
        assert patient.loop.clock() - began_ns < 20_000_000_000
        later.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    patient.bus.pause()
    assert handled == [signal.SIGUSR1]


def test_counts_read_by_another_thread_never_say_that_a_frame_was_skipped(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    was = patient.delivery(client)
    seen: list[Delivery] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(patient.delivery(client))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(50):
        patient.publish(b"picture")
        client.read()
    over.set()
    looking.join()
    assert {delivery.skipped for delivery in seen} == {was.skipped}
    assert [delivery.sent for delivery in seen] == sorted(delivery.sent for delivery in seen)
    assert patient.delivery(client).sent == was.sent + 50
    assert patient.pumping
