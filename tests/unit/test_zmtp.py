"""ZMTP by hand: what a session makes of what a peer sends, and what each user may take."""

from __future__ import annotations

import contextlib
import struct

import pytest
from framebus.zmtp.accounts import BURST_NS, SHARE, Account
from framebus.zmtp.session import COMMAND_MAX, PREFIXES_MAX, PUB, Kind, Message, Session
from framebus.zmtp.wire import GREETING, GREETING_SIZE, Violation, command, message, ready
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.zmtp_peer import COMMAND, MORE, header, subscription

ROUTER = Kind(b"ROUTER", frozenset({b"DEALER", b"REQ"}), 1000)


def greeted(kind: Kind, peer: bytes) -> Session:
    session = Session(kind)
    session.feed(GREETING)
    assert session.next() == ready(kind.name)
    session.feed(ready(peer))
    assert session.next() is None
    assert session.ready
    return session


def all_of(session: Session) -> list[Message | bytes]:
    return list(iter(session.next, None))


def dealer() -> Session:
    return greeted(ROUTER, b"DEALER")


def sub() -> Session:
    return greeted(PUB, b"SUB")


def test_a_message_in_single_bytes_is_the_same_as_in_one_piece() -> None:
    session = Session(ROUTER)
    got = []
    for byte in GREETING + ready(b"REQ") + message(b"", b"x" * 300):
        session.feed(bytes((byte,)))
        got.append(session.next())
    assert [event for event in got if event] == [
        ready(b"ROUTER"),
        Message([b"", b"x" * 300], 2),
    ]
    assert session.held == 0


@pytest.mark.parametrize(
    "greeting",
    [
        bytes(64),
        GREETING[:10] + b"\x01" + GREETING[11:],
        GREETING[:12] + b"PLAIN".ljust(20, b"\0") + GREETING[32:],
        b"GET / HTTP/1.1\r\n".ljust(64, b"x"),
    ],
)
def test_another_greeting_is_a_violation(greeting: bytes) -> None:
    session = Session(PUB)
    session.feed(greeting)
    with pytest.raises(Violation):
        session.next()


@pytest.mark.parametrize(
    "after",
    [
        ready(b"PUSH"),
        ready(b"PUB"),
        command(b"READY"),
        command(b"READY", b"\x09Socket"),
        command(b"READY", b"\x01X" + struct.pack(">I", 1 << 31)),
        command(b"PING", b"\0\0"),
        command(b""),
        message(b"before the handshake's end"),
        header(COMMAND, COMMAND_MAX + 1),
    ],
)
def test_what_is_no_readiness_of_a_peer_is_a_violation(after: bytes) -> None:
    session = Session(PUB)
    session.feed(GREETING)
    session.next()
    session.feed(after)
    with pytest.raises(Violation):
        session.next()


@pytest.mark.parametrize(
    "sent",
    [
        header(0, 1001),
        header(0, 16 << 30),
        header(COMMAND, 16 << 30),
        header(MORE, 900) + bytes(900) + header(0, 900),
        bytes((MORE, 0)) * 2000,
        bytes((MORE, 1, 0)) * 1000,
        b"\x08\x00",
        b"\xff\xff",
    ],
)
def test_a_message_beyond_the_bounds_is_a_violation_as_soon_as_it_is_seen(sent: bytes) -> None:
    session = dealer()
    session.feed(sent)
    with pytest.raises(Violation):
        all_of(session)


def test_of_a_message_with_many_parts_the_first_are_kept_and_all_are_counted() -> None:
    session = dealer()
    session.feed(message(*[b"part"] * 100) + message(b"next"))
    got = session.next()
    assert got == Message([b"part"] * 4, 100)
    assert session.next() == Message([b"next"], 1)


def test_subscriptions_come_as_commands_or_as_messages_and_go() -> None:
    session = sub()
    session.feed(subscription(b"a") + message(b"\x01b") + subscription(b"a"))
    assert session.next() is None
    assert set(session.prefixes) == {b"a", b"b"}
    assert session.held > 2, "they are kept"
    session.feed(command(b"CANCEL", b"a") + message(b"\x00b") + message(b"to nobody"))
    assert session.next() is None
    assert not session.prefixes
    assert session.held == 0


def test_too_many_subscriptions_are_a_violation() -> None:
    session = sub()
    for number in range(PREFIXES_MAX):
        session.feed(subscription(b"%d" % number))
    assert session.next() is None
    session.feed(subscription(b"one more"))
    with pytest.raises(Violation):
        session.next()


def test_a_subscription_to_a_router_means_nothing() -> None:
    session = dealer()
    session.feed(subscription(b"") + message(b"call"))
    assert session.next() == Message([b"call"], 1)
    assert session.prefixes == ()


def test_a_ping_is_answered_with_its_context() -> None:
    session = sub()
    session.feed(command(b"PING", b"\x00\x64context") + command(b"PONG", b"context"))
    assert session.next() == command(b"PONG", b"context")
    assert session.next() is None


@given(pieces=st.lists(st.binary(max_size=80), max_size=20), handshake=st.booleans())
def test_no_bytes_do_more_than_violate_and_what_is_kept_is_bounded(
    pieces: list[bytes], handshake: bool
) -> None:
    session = dealer() if handshake else Session(ROUTER)
    with contextlib.suppress(Violation):
        for piece in pieces:
            session.feed(piece)
            all_of(session)
            assert session.held <= ROUTER.message_max + GREETING_SIZE


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_who_used_up_its_time_waits_until_it_has_some_again() -> None:
    clock = Clock()
    account = Account(clock)
    account.spend(BURST_NS - 1)
    assert not account.free_ns()
    account.spend(1_000_001)
    free_ns = account.free_ns()
    assert free_ns == pytest.approx(1_000_000 / SHARE, rel=0.01)
    clock.now = free_ns
    assert not account.free_ns()


def test_a_flood_is_paid_for_within_seconds_and_then_forgotten() -> None:
    clock = Clock()
    account = Account(clock)
    account.spend(1000 * BURST_NS)
    clock.now = account.free_ns()
    assert clock.now < 6_000_000_000
    assert not account.free_ns()
    assert not account.idle
    clock.now *= 3
    assert account.idle


def test_who_could_end_the_process_has_no_end_of_time() -> None:
    account = Account(Clock(), trusted=True)
    account.spend(1000 * BURST_NS)
    assert not account.free_ns()
