"""Snapshots from real workers: kept connections, many askers, and viewers beside them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.helpers.http_connection import answer, connect
from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus, jpeg

GET = b"GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n"
BY_THREAD = b"GET /snapshot HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\n\r\n"
"""The same, but not plain: Flask answers it."""
VARY = (b"Date:", b"X-UStreamer-Send-Time:", b"X-UStreamer-Latency:")
pytestmark = pytest.mark.timeout(180)


@contextmanager
def serving(
    runtime: Path, *, workers: int = 1, environ: dict[str, str] | None = None
) -> Iterator[WebTier]:
    tier = WebTier(runtime, workers=workers, environ=environ)
    try:
        yield tier
    finally:
        tier.close()


def asked(connection: socket.socket, request: bytes = GET) -> tuple[list[bytes], bytes]:
    """A response's lines but for those of the moment, and its body."""
    connection.sendall(request)
    head, body = answer(connection)
    return [line for line in head.split(b"\r\n") if not line.startswith(VARY)], body


def threads(tier: WebTier) -> int:
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in tier.workers())


def test_one_connection_gets_the_same_from_the_loop_and_from_a_thread(
    runtime: Path, patient_bus: Bus
) -> None:
    patient_bus.publish()
    with serving(runtime) as tier, connect(tier.port) as connection:
        assert asked(connection) == asked(connection, BY_THREAD)
        patient_bus.publish()
        assert asked(connection, BY_THREAD) == asked(connection)
        assert asked(connection)[0][0] == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("workers", [1, 2])
def test_all_who_ask_have_the_newest_frame(runtime: Path, patient_bus: Bus, workers: int) -> None:
    patient_bus.publish()
    with serving(runtime, workers=workers) as tier, ExitStack() as stack:
        connections = [stack.enter_context(connect(tier.port)) for _ in range(40)]
        before = threads(tier)
        for number in range(5):
            newest = patient_bus.publish(jpeg(number))
            for connection in connections:
                connection.sendall(GET)
            for connection in connections:
                head, body = answer(connection)
                assert f"\r\nX-Sequence: {newest}\r\n".encode() in head
                assert body == jpeg(number)
        assert workers > 1 or threads(tier) == before  # a second one may only just be there


def test_with_an_access_log_each_request_goes_through_gunicorn(
    runtime: Path, patient_bus: Bus
) -> None:
    patient_bus.publish()
    log = runtime / "access.log"
    logged = {"GUNICORN_CMD_ARGS": f"--access-logfile {log}"}
    with serving(runtime, environ=logged) as tier, connect(tier.port) as connection:
        asked(connection)
        asked(connection)
        until(lambda: log.read_text().count("GET /snapshot HTTP/1.1") == 2)


def test_two_hundred_of_one_address_are_kept_and_none_is_dropped(
    runtime: Path, patient_bus: Bus
) -> None:
    patient_bus.publish()
    with serving(runtime) as tier, ExitStack() as stack:
        connections = [stack.enter_context(connect(tier.port)) for _ in range(200)]
        for _ in range(3):
            for connection in connections:
                connection.sendall(GET)
            for connection in connections:
                assert answer(connection)[0].startswith(b"HTTP/1.1 200 OK\r\n")
        assert tier.scrape().sum("framebus_connections_dropped_total") == 0


def test_whoever_asks_without_end_takes_no_frames_from_a_viewer(
    runtime: Path, live_bus: Bus
) -> None:
    """Each connection has a hundred requests under way, all the time."""
    stop = threading.Event()

    def ask(connection: socket.socket) -> None:
        while not stop.is_set():
            connection.sendall(GET * 100)
            for _ in range(100):
                assert answer(connection)[0].startswith(b"HTTP/1.1 200 OK\r\n")

    with serving(runtime) as tier, ExitStack() as stack:
        viewer = Stream(tier.port).start()
        stack.callback(viewer.close)
        viewer.wait(lambda: viewer.frames, "a frame")
        connections = [stack.enter_context(connect(tier.port)) for _ in range(4)]
        askers = [threading.Thread(target=ask, args=(each,)) for each in connections]
        for asker in askers:
            asker.start()
        try:
            count = len(viewer.frames)
            viewer.wait(lambda: len(viewer.frames) >= count + 60, "frames go on")
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        viewer.check()
        sequences = [part.sequence for part in viewer.frames[count:]]
        assert sequences[-1] - sequences[0] < 4 * len(sequences)  # the test is a slow reader, too
