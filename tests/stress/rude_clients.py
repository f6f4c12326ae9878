"""Clients that behave badly, many in one thread: they stop reading, dawdle, come and go."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import Counter, deque

_TICK_S = 0.1
_SLOW_BYTES = 1024  # a second
_RECEIVE_BUFFER = 4096
STREAM = b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HALF = STREAM[:-2]


class RudeClients:
    """So many of each kind, kept up: who is thrown out comes again a second later."""

    def __init__(
        self, port: int, *, stalled: int = 0, slow: int = 0, passing: int = 0, half_open: int = 0
    ) -> None:
        """`passing` viewers come each second and leave a second later; the other numbers are of
        clients at a time."""
        self._port = port
        self._wanted = {"stalled": stalled, "slow": slow, "half-open": half_open}
        self._passing = passing
        self._kinds: dict[int, str] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._ports: dict[int, int] = {}  # of those that stay
        self._leaving: deque[tuple[float, int]] = deque()
        self._again: deque[tuple[float, str]] = deque()
        self._epoll = select.epoll()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.ended: Counter[str] = Counter()
        """How many of each kind the server has thrown out."""
        self.came: Counter[str] = Counter()
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin; all are there once `settled`."""
        self._thread.start()

    @property
    def settled(self) -> bool:
        """Whether as many of each kind as there should be have come."""
        return all(self.came[kind] >= count for kind, count in self._wanted.items())

    @property
    def staying(self) -> frozenset[int]:
        """The ports of those that are there now and do not go by themselves. Any thread."""
        return frozenset(self._ports.copy().values())

    def close(self) -> None:
        """All leave at once."""
        self._stop.set()
        self._thread.join()
        for connection in self._sockets.values():
            connection.close()
        self._epoll.close()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._behave()
        except Exception as error:  # noqa: BLE001  raised by close
            self.error = error

    def _behave(self) -> None:
        begun = time.monotonic()
        read_at, passed = begun, 0
        for kind, count in self._wanted.items():
            for _ in range(count):
                self._come(kind)
        while not self._stop.is_set():
            for fd, _ in self._epoll.poll(_TICK_S):
                kind = self._go(fd)
                self.ended[kind] += 1
                if kind in self._wanted:
                    self._again.append((time.monotonic() + 1.0, kind))
            now = time.monotonic()
            while self._again and self._again[0][0] <= now and not self._stop.is_set():
                self._come(self._again.popleft()[1])
            while passed < (now - begun) * self._passing and not self._stop.is_set():
                self._leaving.append((now + 1.0, self._come("passing")))
                passed += 1
            while self._leaving and self._leaving[0][0] <= now:
                _, fd = self._leaving.popleft()
                if self._kinds.get(fd) == "passing":
                    self._go(fd)
            if now >= read_at:
                read_at = now + 1.0
                self._read_slowly()

    def _read_slowly(self) -> None:
        for fd, kind in self._kinds.items():
            if kind == "slow":
                with contextlib.suppress(OSError):  # epoll tells of its end
                    self._sockets[fd].recv(_SLOW_BYTES, socket.MSG_DONTWAIT)

    def _come(self, kind: str) -> int:
        connection = socket.socket()
        # Before connect, so that it bounds the window (tcp(7)).
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", self._port))
        connection.sendall(HALF if kind == "half-open" else STREAM)
        fd = connection.fileno()
        self._sockets[fd], self._kinds[fd] = connection, kind
        if kind in self._wanted:
            self._ports[fd] = connection.getsockname()[1]
        # Not for reading: nobody here reads because there is something to read.
        self._epoll.register(fd, select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR)
        self.came[kind] += 1
        return fd

    def _go(self, fd: int) -> str:
        self._epoll.unregister(fd)
        self._ports.pop(fd, None)
        self._sockets.pop(fd).close()
        return self._kinds.pop(fd)
