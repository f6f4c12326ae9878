"""What is not usual ends by the pump as by Python alone: what is said falsely, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from framebus.ring.announcement import Announcement
from framebus.zmtp.wire import message

from tests.helpers.waiting import until
from tests.rigs.pumped_feed import Bench


def announced(patient: Bench, data: bytes = b"picture", **changes: int) -> Announcement:
    """Publish a frame without telling anybody, and return what is to be told, with changes."""
    (announcement,) = patient.bus.publish_all([data])
    descriptor = announcement.descriptor._replace(**changes)
    return Announcement(announcement.epoch, descriptor)


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
    patient: Bench, lie: str
) -> None:
    (client,) = patient.clients_in_step()
    patient.bus.notifier.announce(LIES[lie](announced(patient)))
    patient.loop.run(0.05)
    patient.publish(b"after")
    assert [part.body for part in client.read()][-1] == b"after"
    assert {part.body for part in client.parts} <= {b"picture", b"after"}
    delivery = patient.delivery(client)
    assert delivery.waiting == 0


def test_a_frame_that_is_overwritten_is_passed_over(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    was = patient.delivery(client)
    lapped = announced(patient, b"lapped")
    patient.bus.publish_all([bytes(1 << 20)] * 6)  # 6 MB through a ring of 4
    patient.bus.notifier.announce(lapped)
    patient.until(lambda: patient.taken == patient.bus.writer.cursor)
    assert [len(part.body) for part in client.read() if part.body] != [6]
    now = patient.delivery(client)
    assert now.sent + now.skipped + now.waiting - was.sent - was.skipped == 7


def test_a_picture_that_is_damaged_in_the_ring_is_not_shown(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    told = announced(patient, b"picture")
    writer = patient.bus.writer
    at = writer.geometry.arena + told.descriptor.position % writer.geometry.capacity
    writer._bytes[at] ^= 1
    patient.bus.notifier.announce(told)
    patient.publish(b"whole")
    assert [part.body for part in client.read()] == [b"whole"]


def test_a_picture_that_is_no_newer_is_counted_and_not_shown(patient: Bench) -> None:
    (client,) = patient.clients_in_step()
    was = patient.delivery(client)
    patient.bus.publish(b"old", captured_ns=1)
    patient.publish(b"new")
    assert [part.body for part in client.read()] == [b"new"]
    now = patient.delivery(client)
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
