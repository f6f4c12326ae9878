"""An HTTP server on a real socket that does exactly what a test scripts, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

MULTIPART = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=seam\r\n\r\n"


@dataclass
class Visit:
    """One connection, as the script sees it."""

    peer: socket.socket
    request: bytes
    number: int
    """0 for the first connection."""
    stopping: threading.Event
    """Set when the test is over: an endless script waits on it."""

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.peer.sendall(piece)

    def linger(self) -> None:
        """Keep the connection open, silent, until the client leaves or the test ends."""
        self.peer.settimeout(0.05)
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                if not self.peer.recv(4096):
                    return


Script = Callable[[Visit], None]


@dataclass
class Server:
    """Where it listens, and what it was asked."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/stream", user: str = "") -> str:
        return f"http://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"


def part(body: bytes, *headers: str, length: bool = True) -> bytes:
    """One part, its delimiter before it."""
    lines = ["--seam", "Content-Type: image/jpeg", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Serve `script` to each connection, one at a time; all is closed and joined at the end."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = Server(listener.getsockname()[1])

        def run() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    peer, _ = listener.accept()
                    with peer:
                        _serve(peer, script, server, stopping)

        thread = threading.Thread(target=run, name="mjpeg-server")
        thread.start()
        try:
            yield server
        finally:
            stopping.set()
            thread.join()


def _serve(peer: socket.socket, script: Script, server: Server, stopping: threading.Event) -> None:
    peer.settimeout(5)
    request = b""
    with suppress(OSError):  # the client leaves when it likes
        while b"\r\n\r\n" not in request:
            data = peer.recv(4096)
            if not data:
                return
            request += data
        server.requests.append(request)
        script(Visit(peer, request, len(server.requests) - 1, stopping))
