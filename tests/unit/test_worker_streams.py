"""A worker that runs out of descriptors, or of the kernel's watches, refuses a viewer: no more."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus import Bus
from web_workers.admission.settings import Limits
from web_workers.counts.scoreboard import Scoreboard
from web_workers.feeds.streams import WorkerStreams
from web_workers.handover.roster import create_memory
from web_workers.handover.shared import LAYOUT, Shared
from web_workers.responses.takeover import FrameTicket, TakeOver
from web_workers.settings import Cameras, Settings
from web_workers.wire.loop import Callback


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
    os.close(shared.roster)


def test_a_feed_that_the_loop_cannot_watch_refuses_its_viewer_and_is_there_for_the_next(
    runtime: Path, streams: WorkerStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = streams.loop.add

    def full(fd: int, events: int, callback: Callback) -> None:
        if events == select.EPOLLIN:  # a feed's
            raise OSError(errno.ENOSPC, "fs.epoll.max_user_watches is reached")
        add(fd, events, callback)

    def come(ours: socket.socket) -> None:
        ticket = FrameTicket("camera")
        streams.take_over(ours, "test", TakeOver(b"head", ticket, streams.admit(ticket, None)))

    bus = Bus(runtime)
    with monkeypatch.context() as patched:
        patched.setattr(streams.loop, "add", full)
        for _ in range(2):
            ours, client = socket.socketpair()
            with client, pytest.raises(OSError, match="max_user_watches"):
                come(ours)
    assert streams.residents() == []
    ours, client = socket.socketpair()
    with client:
        come(ours)
        assert client.recv(4) == b"head"
        assert len(streams.residents()) == 1
    bus.close()
