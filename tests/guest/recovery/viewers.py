"""HTTP clients of the stream, in a thread of their own, that judge every part they get."""

from __future__ import annotations

import selectors
import socket
import threading
from dataclasses import dataclass

from tests.helpers.multipart import Parser, Part, split_head


@dataclass
class Viewer:
    """One client and what it saw."""

    connection: socket.socket
    head: bytes = b""
    parser: Parser | None = None
    frames: int = 0
    torn: int = 0
    """Parts that are no whole JPEG, and streams that are no multipart."""
    older: int = 0
    """Frames captured before one that came earlier."""
    ended: str = ""
    """Why its connection is over; empty while it is not."""
    newest_utc_s: float = 0.0
    """When its newest frame was captured, UTC seconds."""

    def read(self) -> None:
        """Take in what has arrived."""
        try:
            data = self.connection.recv(1 << 18)
        except OSError as error:
            self.ended = str(error)
            return
        if not data:
            self.ended = "closed by the server"
            return
        if self.parser is None:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            status, _, data = split_head(self.head)
            if status.split()[1] != "200":
                self.ended = status
                return
            self.parser = Parser()
        try:
            parts = self.parser.feed(data)
        except AssertionError as error:
            self.torn += 1
            self.ended = f"no multipart: {error}"
            return
        for part in parts:
            self._judge(part)

    def _judge(self, part: Part) -> None:
        if part.body[:2] != b"\xff\xd8" or part.body[-2:] != b"\xff\xd9":
            self.torn += 1
        if part.placeholder:
            return
        self.frames += 1
        if part.timestamp < self.newest_utc_s:
            self.older += 1
        self.newest_utc_s = max(self.newest_utc_s, part.timestamp)


class Audience(threading.Thread):
    """All viewers of one address. `connect` and `gone` are for the main thread."""

    def __init__(self, port: int) -> None:
        super().__init__(name="audience", daemon=True)
        self.viewers: list[Viewer] = []
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()

    def connect(self, count: int) -> None:
        """Have `count` viewers whose connection stands, and who have seen nothing wrong yet.

        Raises OSError while nobody serves.
        """
        self.viewers = [viewer for viewer in self.viewers if not viewer.ended]
        for viewer in self.viewers:
            viewer.torn = viewer.older = 0
        while len(self.viewers) < count:
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            viewer = Viewer(connection)
            self._selector.register(connection, selectors.EVENT_READ, viewer)
            self.viewers.append(viewer)

    def gone(self) -> int:
        """Return how many viewers have lost their connection since `connect`."""
        return sum(bool(viewer.ended) for viewer in self.viewers)

    def problems(self, since_utc_s: float) -> list[str]:
        """Return what is wrong with what viewers saw, none of which may be.

        Each must have a frame that was captured after `since_utc_s`.
        """
        viewers = self.viewers
        counts = {
            "disconnected": self.gone(),
            "torn parts": sum(viewer.torn for viewer in viewers),
            "frames older than the one before": sum(viewer.older for viewer in viewers),
            "viewers without a new frame": len(viewers) - self.gone() - self.fresh(since_utc_s),
        }
        return [f"viewers: {count} {what}" for what, count in counts.items() if count]

    def fresh(self, since_utc_s: float) -> int:
        """Return how many connected viewers have a frame captured after this moment."""
        return sum(not one.ended and one.newest_utc_s > since_utc_s for one in self.viewers)

    def run(self) -> None:
        """Read until `close`."""
        while not self._over.is_set():
            # Registered from another thread: epoll takes that, select(2) would not.
            for key, _ in self._selector.select(0.2):
                viewer: Viewer = key.data
                viewer.read()
                if viewer.ended:
                    self._selector.unregister(viewer.connection)
                    viewer.connection.close()

    def close(self) -> None:
        """End the thread and every connection."""
        self._over.set()
        self.join(30)
        for viewer in self.viewers:
            viewer.connection.close()
        self._selector.close()
