"""A viewer that goes to another worker is there what it was here."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.rigs.gates import gate
from web_workers.admission.origin import LOCAL
from web_workers.counts.scoreboard import Scoreboard
from web_workers.handover.carried import Carried, unpacked
from web_workers.handover.luggage import packed_by, unpacked_as
from web_workers.viewers.thinning import Thinner
from web_workers.viewers.viewer import Viewer
from web_workers.wire.parts import Style


@pytest.fixture
def board() -> Iterator[Scoreboard]:
    board = Scoreboard.create()
    yield board
    board.close()


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    ours, theirs = socket.socketpair()
    viewer = Viewer(ours, peer="192.0.2.1", clock=lambda: 1, on_close=lambda _: None)
    yield viewer
    viewer.let_go()
    theirs.close()


def moved(viewer: Viewer, bytes_sent: int = 0) -> tuple[Carried, Viewer]:
    told = Carried(camera="front", states=False, **packed_by(viewer, bytes_sent))
    carried = unpacked(told.packed())
    there = unpacked_as(
        socket.socket(fileno=os.dup(viewer.fileno())),
        carried,
        bytes(viewer.rest or b""),
        clock=lambda: 999,
        on_close=lambda _: None,
    )
    there.let_go()
    return carried, there


def test_all_that_is_known_of_a_viewer_goes_along(viewer: Viewer, board: Scoreboard) -> None:
    viewer.place = gate(board).admit("192.0.2.1", 5_000)
    viewer.joined_ns, viewer.moved_ns = 100, 200
    viewer.unwanted = 7
    viewer.style = Style.EXTRA
    viewer.thinner = Thinner(5.0, 300)
    viewer.dual_final = True
    viewer.fps = 4.5
    viewer.marked = (400, 50)
    carried, there = moved(viewer, bytes_sent=6_000)
    assert (carried.origin, carried.rate, carried.rest) == ("192.0.2.1", 5_000, 0)
    assert (there.peer, there.bytes_sent, there.unwanted) == ("192.0.2.1", 6_000, 7)
    assert (there.joined_ns, there.moved_ns) == (100, 200)
    assert there.style is Style.EXTRA
    assert there.thinner is not None
    assert (there.thinner.fps, there.thinner.due_ns) == (5.0, 300)
    assert there.dual_final
    assert (there.fps, there.marked) == (4.5, (400, 50))


def test_a_viewer_of_which_little_is_known_gets_nothing_made_up(viewer: Viewer) -> None:
    carried, there = moved(viewer)
    assert (carried.origin, carried.rate) == (LOCAL, 0)
    assert (there.thinner, there.fps, there.style) == (None, None, Style.PLAIN)
    assert not there.dual_final
    assert there.joined_ns == viewer.joined_ns == 1
