"""A worker serves a viewer as was asked, and refuses one, no more, when the kernel has no room."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rigs.bus import Bus
from web_workers.admission.viewer_limits import Limits
from web_workers.counts.scoreboard import Scoreboard
from web_workers.feeds.streams import WorkerStreams
from web_workers.handover.shared import LAYOUT, Shared
from web_workers.handover.worker_registry import create_memory
from web_workers.responses.takeover import EventTicket, FrameTicket, TakeOver, Ticket
from web_workers.settings import Cameras, Settings
from web_workers.wire.loop import Callback
from web_workers.wire.multipart import Style


@pytest.fixture
def streams(runtime: Path) -> Iterator[WorkerStreams]:
    board = Scoreboard.create()
    shared = Shared(LAYOUT, board.fd, create_memory(), lanes=())  # there is no other worker
    streams = WorkerStreams(
        cameras=Cameras(Settings(runtime)),
        uring=None,
        shared=shared,
        age=1,
        limits=Limits(),
        room=10,
    )
    yield streams
    streams.close()
    board.close()
    os.close(shared.registry)


@contextmanager
def no_watches(streams: WorkerStreams, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kernel's watches are used up by viewers, and a feed gets none."""
    add = streams.loop.add

    def full(fd: int, events: int, callback: Callback) -> None:
        if events == select.EPOLLIN:  # a feed's
            raise OSError(errno.ENOSPC, "fs.epoll.max_user_watches is reached")
        add(fd, events, callback)

    with monkeypatch.context() as patched:
        patched.setattr(streams.loop, "add", full)
        yield


def come(streams: WorkerStreams, ours: socket.socket, ticket: Ticket) -> None:
    streams.take_over(ours, "test", TakeOver(b"head", ticket, streams.admit(ticket, None)))


def test_a_feed_that_the_loop_cannot_watch_refuses_its_viewer_and_is_there_for_the_next(
    runtime: Path, streams: WorkerStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Bus(runtime)
    with no_watches(streams, monkeypatch):
        for _ in range(2):
            ours, client = socket.socketpair()
            with client, pytest.raises(OSError, match="max_user_watches"):
                come(streams, ours, FrameTicket("camera"))
    assert streams.all_viewers() == []
    ours, client = socket.socketpair()
    with client:
        come(streams, ours, FrameTicket("camera"))
        assert client.recv(4) == b"head"
        assert len(streams.all_viewers()) == 1
    bus.close()


def test_a_viewer_is_served_as_its_ticket_says(runtime: Path, streams: WorkerStreams) -> None:
    bus = Bus(runtime)
    tickets = [
        FrameTicket("camera", Style.EXTRA, fps=5.0, dual_final=True),
        FrameTicket("camera"),
    ]
    clients = []
    for ticket in tickets:
        ours, client = socket.socketpair()
        clients.append(client)
        come(streams, ours, ticket)
    served = [
        FrameTicket(
            "camera",
            each.style,
            each.rate_limiter.fps if each.rate_limiter else None,
            each.dual_final,
        )
        for each in streams.all_viewers()
    ]
    assert served == tickets
    assert (streams.frame_viewers(), len(streams.viewers("camera"))) == (2, 2)
    for client in clients:
        client.close()
    streams.loop.dispatch(30.0)
    assert streams.all_viewers() == []
    bus.close()


def test_states_are_told_where_the_loop_cannot_watch_for_changes_and_that_is_logged_once(
    runtime: Path,
    streams: WorkerStreams,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ours, client = socket.socketpair()
    with client:
        client.settimeout(30)
        heard = b""
        with no_watches(streams, monkeypatch):
            come(streams, ours, EventTicket(None))
            while heard.count(b"event: state") < 3:
                streams.loop.dispatch(0.1)
                if select.select([client], [], [], 0)[0]:
                    heard += client.recv(65536)
        assert len(caplog.records) == 1
