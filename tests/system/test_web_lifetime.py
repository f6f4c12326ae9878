"""What viewers and reloads leave behind in a real gunicorn, and what it lives through."""

from __future__ import annotations

import os
import resource
import signal
import socket
from pathlib import Path

import pytest

from tests.helpers.processes import alive
from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus


def test_viewers_that_left_leave_nothing_in_the_worker(bus: Bus, tier: WebTier) -> None:
    bus.start()
    (worker,) = tier.workers()
    fds = Path(f"/proc/{worker}/fd")

    def rings() -> int:
        return Path(f"/proc/{worker}/maps").read_text().count(bus.names.segment_prefix)

    def come_and_go() -> int:
        """Return how many descriptors the worker has when five viewers have left again."""
        viewers = [Stream(tier.port) for _ in range(5)]
        assert rings() == 1
        for viewer in viewers:
            viewer.close()
        until(lambda: rings() == 0, what="the ring is unmapped")
        return len(os.listdir(fds))

    first = come_and_go()  # ZeroMQ makes its threads and their descriptors with the first socket
    # ZeroMQ closes sockets in a thread of its own: fewer may be open a moment later.
    for _ in range(5):
        until(lambda: come_and_go() <= first, what="descriptors are back")


def test_the_end_of_all_closes_viewers_promptly(runtime: Path, bus: Bus) -> None:
    tier = WebTier(runtime, workers=2)
    bus.start()
    viewers = [Stream(tier.port).start() for _ in range(6)]
    try:
        for viewer in viewers:
            viewer.wait(lambda viewer=viewer: viewer.frames, "frames")  # type: ignore[misc]
    finally:
        tier.close()
    for viewer in viewers:
        until(lambda viewer=viewer: viewer.closed, what="the viewer is let go")  # type: ignore[misc]
        assert viewer.error is None
        viewer.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_quick_end_closes_viewers_too(runtime: Path, bus: Bus, number: signal.Signals) -> None:
    tier = WebTier(runtime)
    bus.start()
    viewer = Stream(tier.port).start()
    try:
        viewer.wait(lambda: viewer.frames, "frames")
        tier.process.send_signal(number)
        until(lambda: viewer.closed, within_s=30, what="the viewer is let go")
        assert viewer.error is None
    finally:
        viewer.close()
        tier.close()


def test_workers_whose_master_was_killed_let_their_viewers_go(runtime: Path, bus: Bus) -> None:
    tier = WebTier(runtime, workers=2)
    workers = tier.workers()
    bus.start()
    viewer = Stream(tier.port).start()
    try:
        viewer.wait(lambda: viewer.frames, "frames")
        tier.process.kill()
        tier.process.wait()
        until(lambda: viewer.closed, within_s=30, what="the viewer is let go")
        until(lambda: not any(alive(pid) for pid in workers), within_s=30, what="workers end")
    finally:
        viewer.close()


def test_a_client_that_does_not_close_after_a_response_stops_nobody(
    bus: Bus, tier: WebTier
) -> None:
    bus.start()
    viewer = Stream(tier.port).start()
    rude = []
    try:
        viewer.wait(lambda: viewer.frames, "frames")
        count = len(viewer.times)
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", tier.port))
            connection.sendall(
                b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            rude.append(connection)
        for connection in rude:
            connection.settimeout(20)
            while connection.recv(4096):
                pass  # to the end of the response; our side stays open
        viewer.wait(lambda: len(viewer.times) >= count + 30, "frames go on")
        # gunicorn by itself would stop for two seconds per connection here.
        late = viewer.times[count - 1 :]
        assert late[-1] - late[0] < 30
    finally:
        viewer.close()
        for connection in rude:
            connection.close()


def test_a_worker_without_descriptors_keeps_its_viewers_and_recovers(
    runtime: Path, bus: Bus
) -> None:
    bus.start()
    tier = WebTier(runtime)
    (worker,) = tier.workers()
    viewer = Stream(tier.port).start()
    waiting: list[socket.socket] = []
    try:
        viewer.wait(lambda: viewer.frames, "frames")
        soft, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        highest = max(int(name) for name in os.listdir(f"/proc/{worker}/fd"))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (highest + 3, hard))
        for _ in range(10):
            connection = socket.create_connection(("127.0.0.1", tier.port))
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            waiting.append(connection)
        until(lambda: "cannot accept" in tier.log(), what="the worker is out of descriptors")
        count = len(viewer.frames)
        viewer.wait(lambda: len(viewer.frames) >= count + 20, "frames go on")
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (soft, hard))
        waiting[-1].settimeout(20)
        assert waiting[-1].recv(12) == b"HTTP/1.1 200"
        assert tier.workers() == [worker]
    finally:
        viewer.close()
        for connection in waiting:
            connection.close()
        tier.process.terminate()
        tier.process.wait(30)
