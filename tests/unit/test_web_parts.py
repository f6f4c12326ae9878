"""A worker serves a viewer as was asked, and refuses one, no more, when the kernel has no room."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rigs.bus import Bus
from tests.rigs.worker_table import close, table
from web_workers.admission.connection_limits import ConnectionLimits
from web_workers.parts import Parts
from web_workers.responses.takeover import EventTicket, FrameTicket, TakeOver, Ticket
from web_workers.settings import Settings
from web_workers.wire.loop import Callback
from web_workers.wire.multipart import Style


@pytest.fixture
def parts(runtime: Path) -> Iterator[Parts]:
    alone = table()
    parts = Parts(
        Settings(runtime),
        table=alone,
        lanes=(),
        age=1,
        connections=ConnectionLimits.of(64),
        keep_alive_s=5,
        tls=None,
        answer=lambda _conn, _request: None,
        serve=lambda _conn, _request: None,
        closed=lambda: None,
    )
    yield parts
    parts.close()
    close(alone)


@contextmanager
def no_watches(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kernel's watches are used up by viewers, and a feed gets none."""
    add = parts.loop.add

    def full(fd: int, events: int, callback: Callback) -> None:
        if events == select.EPOLLIN:  # a feed's
            raise OSError(errno.ENOSPC, "fs.epoll.max_user_watches is reached")
        add(fd, events, callback)

    with monkeypatch.context() as patched:
        patched.setattr(parts.loop, "add", full)
        yield


def come(parts: Parts, ours: socket.socket, ticket: Ticket) -> None:
    admission = parts.streams.admit(ticket, None)
    parts.viewers.take_over(ours, "test", TakeOver(b"head", ticket, admission))


def test_a_feed_that_the_loop_cannot_watch_looks_for_frames_by_itself(
    runtime: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Bus(runtime)
    ours, client = socket.socketpair()
    with client, no_watches(parts, monkeypatch):
        come(parts, ours, FrameTicket("camera"))
        bus.publish()
        heard = b""
        while b"X-Sequence: 1" not in heard:
            parts.loop.dispatch(0.1)
            if select.select([client], [], [], 0)[0]:
                heard += client.recv(65536)
    bus.close()


def test_a_viewer_is_served_as_its_ticket_says(runtime: Path, parts: Parts) -> None:
    bus = Bus(runtime)
    tickets = [
        FrameTicket("camera", Style.EXTRA, fps=5.0, dual_final=True),
        FrameTicket("camera"),
    ]
    clients = []
    for ticket in tickets:
        ours, client = socket.socketpair()
        clients.append(client)
        come(parts, ours, ticket)
    served = [
        FrameTicket(
            "camera",
            each.style,
            each.rate_limiter.fps if each.rate_limiter else None,
            each.dual_final,
        )
        for each in parts.viewers.all_viewers()
    ]
    assert served == tickets
    assert (parts.viewers.frame_viewers(), len(parts.streams.viewers("camera"))) == (2, 2)
    counted, _ = parts.streams.worker_counts()
    assert counted.now["viewers", "camera", "stream"] == 1, "the other is told in a second"
    for client in clients:
        client.close()
    parts.loop.dispatch(30.0)
    assert parts.viewers.all_viewers() == []
    bus.close()


def test_states_are_told_where_the_loop_cannot_watch_for_changes_and_that_is_logged_once(
    runtime: Path,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = Bus(runtime)
    ours, client = socket.socketpair()
    with client:
        client.settimeout(30)
        heard = b""
        with no_watches(parts, monkeypatch):
            come(parts, ours, EventTicket(None))
            while heard.count(b"event: state") < 3:
                parts.loop.dispatch(0.1)
                if select.select([client], [], [], 0)[0]:
                    heard += client.recv(65536)
        assert len(caplog.records) == 1
    bus.close()
