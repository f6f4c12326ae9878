"""The channel between workers, in one process: what goes in comes out, and nothing is left open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.helpers.descriptors import opened
from tests.samples.viewer_states import STATES
from web_workers.handover.channel import Channel
from web_workers.handover.lanes import LANES, create_lanes
from web_workers.handover.viewer_state import SIZE, OtherVersion, Unreadable


class Ends:
    """A channel, and one that has the same lanes."""

    def __init__(self) -> None:
        self.lanes = create_lanes()
        self.giver = Channel(self.lanes)
        self.taker = Channel([(os.dup(put), os.dup(take)) for put, take in self.lanes])

    def raw(self, data: bytes, fds: list[int]) -> None:
        with socket.socket(fileno=os.dup(self.lanes[1][0])) as lane:
            socket.send_fds(lane, [data], fds)

    def close(self) -> None:
        for channel in (self.giver, self.taker):
            for end in (*channel._puts, *channel._takes):
                end.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    before = opened()
    ends = Ends()
    yield ends
    ends.close()
    assert opened() == before, "descriptors leaked"


def test_a_viewer_and_the_rest_of_its_part_arrive(ends: Ends) -> None:
    ours, client = socket.socketpair()
    rest = os.urandom(3_000_000)
    with client:
        with ours:
            document = replace(STATES, rest=len(rest))
            assert ends.giver.put(document, ours.fileno(), memoryview(rest))
        assert ends.taker.waiting() == 1
        arrival = ends.taker.take()
        assert arrival is not None
        assert (arrival.viewer_state, arrival.rest) == (document, rest)
        assert ends.taker.waiting() == 0
        with arrival.sock:
            assert not os.get_inheritable(arrival.sock.fileno())
            arrival.sock.sendall(b"still here")
            assert client.recv(100) == b"still here"
        assert client.recv(100) == b""
    assert ends.taker.take() is None


def test_a_client_that_leaves_on_the_way_is_found_out_at_the_end(ends: Ends) -> None:
    ours, client = socket.socketpair()
    with ours:
        assert ends.giver.put(STATES, ours.fileno(), None)
    client.close()
    arrival = ends.taker.take()
    assert arrival is not None
    with arrival.sock:
        assert arrival.sock.recv(1) == b""


def test_a_full_channel_says_so_and_has_room_again_when_one_was_taken(ends: Ends) -> None:
    for put in ends.giver._puts:
        put.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least: some messages
    ours, client = socket.socketpair()
    with ours, client:
        count = 0
        while ends.giver.put(STATES, ours.fileno(), None):
            count += 1
            assert count < 1000
        assert count == ends.taker.waiting() >= LANES
        for _ in range(count):
            arrival = ends.taker.take()
            assert arrival is not None
            arrival.sock.close()
        assert ends.taker.waiting() == 0
        assert ends.giver.put(STATES, ours.fileno(), None)
        last = ends.taker.take()
        assert last is not None
        last.sock.close()


def test_garbage_is_closed_and_the_next_one_arrives(ends: Ends) -> None:
    ours, client = socket.socketpair()
    spool = os.memfd_create("spool")
    os.write(spool, b"rest")
    with ours, client:
        fd = ours.fileno()
        good = STATES.encoded()
        with_rest = STATES.encoded().replace(b'"rest":0', b'"rest":5')
        cases: list[tuple[bytes, list[int], type[Exception]]] = [
            (b"\x00" * SIZE, [fd], Unreadable),
            (b"x", [], Unreadable),
            (good.replace(b'"v":1', b'"v":7'), [fd, spool], OtherVersion),
            (good, [], Unreadable),
            (good, [spool], Unreadable),
            (good, [fd, fd], Unreadable),
            (good, [fd] * 30, Unreadable),  # more than are taken: the kernel cuts
            (good + b" ", [fd], Unreadable),
            (with_rest, [fd], Unreadable),
            (with_rest, [fd, spool], Unreadable),  # four bytes, and five were told
            (with_rest, [fd, fd], Unreadable),
        ]
        before = opened()
        for data, fds, error in cases:
            ends.raw(data, fds)
            with pytest.raises(error):
                ends.taker.take()
            assert opened() == before
        ends.raw(good, [fd])
        arrival = ends.taker.take()
        assert arrival is not None
        arrival.sock.close()
    os.close(spool)


def test_a_document_that_is_too_long_leaves_nothing_open(ends: Ends) -> None:
    ours, client = socket.socketpair()
    before = opened()
    with ours, client:
        too_long = replace(STATES, peer="p" * SIZE)
        with pytest.raises(ValueError, match="a message has"):
            ends.giver.put(too_long, ours.fileno(), memoryview(b"rest"))
    assert opened() == before - 2


def test_nothing_is_taken_that_there_is_no_descriptor_for(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, client = socket.socketpair()
    with ours, client:
        assert ends.giver.put(STATES, ours.fileno(), None)

        def none_left(*_: object) -> int:
            raise OSError(24, "too many open files")

        with monkeypatch.context() as patched:
            patched.setattr(os, "eventfd", none_left)
            assert ends.taker.take() is None
        assert ends.taker.waiting() == 1
        arrival = ends.taker.take()
        assert arrival is not None
        arrival.sock.close()
