"""Slots for viewers that take a thread each: under TLS, and under servers without the event loop.

There are few threads, and some must stay for who asks for a picture or a state.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

from web_workers.capacity import THREAD_SLOTS
from web_workers.viewers.viewer import USER_TIMEOUT_MS


class ThreadSlots:
    """Counts them. Thread-safe."""

    def __init__(self, count: int = THREAD_SLOTS) -> None:
        """Let `count` viewers in at once."""
        self._count = count
        self._taken = 0
        self._ended = False
        self._lock = threading.Lock()

    def end(self) -> bool:
        """End every body before its next piece, and let nobody in: the process is to end.

        It could not while they go on: Python waits for a pool's threads. Tells whether there are
        any; once.
        """
        with self._lock:
            ended, self._ended = self._ended, True
            return self._taken > 0 and not ended

    def take(
        self, body: Callable[[], Iterator[bytes]], left: Callable[[], None] | None = None
    ) -> ThreadedBody | None:
        """Return the body of a viewer's response, or None when no slot is free.

        `left` is called when the viewer has left.
        """
        with self._lock:
            if self._ended or self._taken >= self._count:
                return None
            self._taken += 1

        def leave() -> None:
            with self._lock:
                self._taken -= 1
            if left is not None:
                left()

        return ThreadedBody(body(), leave, lambda: self._ended)


class ThreadedBody:
    """A response's body that gives its slot back when the server closes it (PEP 3333)."""

    def __init__(
        self, body: Iterator[bytes], leave: Callable[[], None], ended: Callable[[], bool]
    ) -> None:
        self._body = body
        self._ended = ended
        self._leave: Callable[[], None] | None = leave

    def __iter__(self) -> Iterator[bytes]:
        """Return itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece of the body, if it goes on."""
        if self._ended():
            raise StopIteration
        return next(self._body)

    def close(self) -> None:
        """End the body, and leave. Twice is harmless."""
        close, leave = getattr(self._body, "close", None), self._leave
        self._leave = None
        try:
            if close is not None:
                close()
        finally:
            if leave is not None:
                leave()


def let_go_of_stalled(sock: object) -> None:
    """Have the kernel end a viewer's connection when it takes nothing: its thread would wait."""
    if isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
