"""The snapshot client of the benchmark sees what a server does wrong, and counts what is right."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from benchmarks import tools
from benchmarks.errors import BenchError
from benchmarks.snapshot_figures import Answers
from benchmarks.snapshots import Pollers
from tests.helpers.waiting import until

JPEG = b"\xff\xd8" + bytes(70_000) + b"\xff\xd9"
Script = Callable[[socket.socket], None]


def answer(jpeg: bytes = JPEG, *headers: str, status: str = "200 OK", length: int = 0) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {length or len(jpeg)}", *headers, "", "")
    return "\r\n".join(lines).encode() + jpeg


@pytest.fixture(scope="module")
def polls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tools.program("polls", tmp_path_factory.mktemp("bench"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def report(
    polls: Path,
    listener: socket.socket,
    script: list[bytes],
    enough: Callable[[Answers], bool],
    *,
    kept: bool = True,
) -> Answers:
    """Return the first report that is `enough` from one connection that gets these answers.

    They come after a first one; after the last there is no other.
    """
    left, begin = [answer(), *script], threading.Event()

    def serve() -> None:
        while left:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionResetError):  # it may not read what is wrong
                while left and connection.recv(4096):
                    if len(left) == len(script):
                        begin.wait(30)
                    told = left.pop(0)
                    connection.sendall(told)
                    if b"Connection: close" in told or not kept:
                        break
                else:
                    while connection.recv(4096):
                        pass  # until the client leaves

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    try:
        with closing(Pollers(polls, port=port, count=1, kept=kept, core=0)) as pollers:
            pollers.wait()
            pollers.measure()
            pollers.report()  # its answer says that "measure" was obeyed
            begin.set()
            told = pollers.report()

            def look() -> bool:
                nonlocal told
                told = pollers.report()
                return enough(told)

            until(look)
            return told
    finally:
        begin.set()
        thread.join()


def test_whole_pictures_of_any_length_are_counted(polls: Path, listener: socket.socket) -> None:
    pictures = [
        b"\xff\xd8" + bytes(size) + b"\xff\xd9" for size in (0, 1, 2, 900, 1990, 9, 2 << 20)
    ]
    told = report(
        polls, listener, [answer(each) for each in pictures], lambda told: told.answers == 7
    )
    assert (told.faults, told.connected) == (0, 0)
    assert sum(count for _, count in told.times_ms) == 7


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (answer(b"\0" + JPEG[1:]), "broken"),
        (answer(JPEG[:-1] + b"\0"), "broken"),
        (answer(JPEG[:-2] + b"\xff"), "broken"),
        (answer(b"", status="503 Service Unavailable", length=2) + b"{}", "refused"),
        (answer(JPEG, "X-UStreamer-Online: false"), "placeholders"),
        (answer(JPEG[:500], "Connection: close", length=len(JPEG)), "closed"),
    ],
)
def test_what_is_no_picture_of_the_camera_is_a_fault(
    polls: Path, listener: socket.socket, wrong: bytes, what: str
) -> None:
    last = answer(JPEG, "Connection: close")
    told = report(
        polls, listener, [wrong, last], lambda told: getattr(told, what) == 1, kept=what != "closed"
    )
    assert told.faults == 1
    assert getattr(told, what) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_connection_is_kept_where_both_want_that(
    polls: Path, listener: socket.socket, kept: bool
) -> None:
    told = report(polls, listener, [answer()] * 5, lambda told: told.answers >= 4 + kept, kept=kept)
    assert (told.connected > 0) == (not kept)
    assert told.broken == 0


def test_a_server_that_gives_no_picture_ends_it(polls: Path) -> None:
    with (
        closing(Pollers(polls, port=1, count=1, kept=True, core=0)) as pollers,
        pytest.raises(BenchError, match="connect"),
    ):
        pollers.wait()
