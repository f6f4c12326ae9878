"""The load client of the benchmark sees what a server does wrong, and counts what it does right."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import tools
from benchmarks.client import Stamp, Viewers
from benchmarks.errors import BenchError
from benchmarks.figures import Report
from tests.helpers.waiting import until

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n"
Script = Callable[[socket.socket], None]


def part(jpeg: bytes, stamp: float, extra: str = "") -> bytes:
    head = f"Content-Length: {len(jpeg)}\r\nX-Timestamp: {stamp:.6f}\r\n{extra}\r\n"
    return head.encode() + jpeg + b"\r\n--b\r\n"


def jpeg(size: int) -> bytes:
    return b"\xff\xd8" + b"\0" * (size - 4) + b"\xff\xd9"


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tools.program("load", tmp_path_factory.mktemp("bench"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def report(
    load: Path, listener: socket.socket, script: Script, enough: Callable[[Report], bool]
) -> Report:
    """Return the first report that is `enough` from one viewer of what `script` sends.

    The script runs after the viewer's first part, and so after it began to count.
    """
    begin = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(RESPONSE + part(jpeg(5000), time.time()))
            begin.wait(30)
            script(connection)
            connection.recv(1)  # until the viewer leaves

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    try:
        with closing(
            Viewers(load, port=port, path="/", count=1, stamp=Stamp(), cores=(0,))
        ) as viewers:
            viewers.wait()
            viewers.measure()
            viewers.report()  # its answer says that "measure" was obeyed
            begin.set()
            told = viewers.report()

            def look() -> bool:
                nonlocal told
                told = viewers.report()
                return enough(told)

            until(look)
            return told
    finally:
        begin.set()
        thread.join()


def test_whole_parts_of_any_length_are_counted_and_none_is_broken(
    load: Path, listener: socket.socket
) -> None:
    sizes = [4, 5, 6, 100, 900, 1024, 1025, 70_000, 2_000_000, 4, 4]

    def script(connection: socket.socket) -> None:
        for size in sizes:
            connection.sendall(part(jpeg(size), time.time()))

    told = report(load, listener, script, lambda told: sum(told.parts) == len(sizes))
    assert (told.broken, told.backwards, told.closed) == (0, 0, 0)
    assert told.bytes == sum(len(part(jpeg(size), time.time())) for size in sizes)
    assert sum(count for _, count in told.ages_ms) == len(sizes)


def test_parts_that_come_byte_by_byte_are_understood(load: Path, listener: socket.socket) -> None:
    def script(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in part(jpeg(40), time.time()) + part(jpeg(30), time.time()):
            connection.sendall(bytes([byte]))

    told = report(load, listener, script, lambda told: sum(told.parts) == 2)
    assert told.broken == 0


def test_the_age_is_the_time_since_the_stamp(load: Path, listener: socket.socket) -> None:
    stamp = time.time() - 0.5

    def script(connection: socket.socket) -> None:
        connection.sendall(part(jpeg(3000), stamp))

    told = report(load, listener, script, lambda told: sum(told.parts) == 1)
    ((age_ms, count),) = told.ages_ms
    assert count == 1
    assert 500 <= age_ms <= (time.time() - stamp) * 1000


def test_an_older_frame_after_a_newer_one_is_counted(load: Path, listener: socket.socket) -> None:
    def script(connection: socket.socket) -> None:
        now = time.time()
        for stamp in (now, now - 1, now + 1):
            connection.sendall(part(jpeg(3000), stamp))

    told = report(load, listener, script, lambda told: sum(told.parts) == 3)
    assert told.backwards == 1


@pytest.mark.parametrize(
    "torn",
    [b"\0" + jpeg(3000)[1:], jpeg(3000)[:-2] + b"\0\0"],
    ids=["without its beginning", "without its end"],
)
def test_a_torn_frame_is_counted_as_broken(
    load: Path, listener: socket.socket, torn: bytes
) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(part(torn, time.time()) + part(jpeg(3000), time.time()))

    told = report(load, listener, script, lambda told: sum(told.parts) >= 1 and told.broken > 0)
    assert (told.broken, told.closed) == (1, 0)


def test_a_viewer_that_lost_its_place_is_counted_and_dropped(
    load: Path, listener: socket.socket
) -> None:
    def script(connection: socket.socket) -> None:
        wrong = part(jpeg(3000), time.time()).replace(b"3000", b"2000")
        connection.sendall(wrong)

    told = report(load, listener, script, lambda told: told.closed > 0)
    assert told.broken >= 1
    assert told.closed == 1


def test_a_placeholder_is_a_part_but_has_no_age(load: Path, listener: socket.socket) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(part(jpeg(3000), time.time(), "X-Placeholder: device-gone\r\n"))

    told = report(load, listener, script, lambda told: sum(told.parts) == 1)
    assert told.placeholders == 1
    assert not told.ages_ms


def test_a_server_that_closes_a_stream_is_counted(load: Path, listener: socket.socket) -> None:
    def script(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)

    assert report(load, listener, script, lambda told: told.closed > 0).closed == 1


def test_an_answer_other_than_200_ends_it_with_that_answer(
    load: Path, listener: socket.socket
) -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
            connection.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    with (
        closing(Viewers(load, port=port, path="/", count=1, stamp=Stamp(), cores=(0,))) as viewers,
        pytest.raises(BenchError, match="503 Service Unavailable"),
    ):
        viewers.wait()
    thread.join()
