"""PUB: a message goes to whoever has subscribed to what it begins with, as far as they take it.

Messages are sent by the thread that has them, at once: without a subscriber that costs nothing, and
nobody else need wake up. Peers are the business of a thread of its own, so that whatever they do is
not the sender's.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from framebus.wakeup import Wakeup
from framebus.zmtp.peer import Peer
from framebus.zmtp.server import Server
from framebus.zmtp.session import PUB, Message
from framebus.zmtp.wire import message

_READ_MAX = 1024
_END_S = 2.0
"""How long an end waits for a thread that never waits: only a bug keeps it."""


class Publisher:
    """One socket. Messages are sent by one thread at a time."""

    def __init__(
        self,
        acceptor: Acceptor,
        path: Path,
        *,
        queue_max: int,
        kernel_max: int,
        lock: AbstractContextManager[object] | None = None,
        subscribed: Callable[[Sequence[int] | None], None] | None = None,
    ) -> None:
        """Bind; who falls behind by `queue_max` bytes loses messages. Raises as `bind` does.

        Somebody else may send as well, who holds `lock` then. He is told, under it, by `subscribed`
        of the descriptors of who takes every message; None while one does not, or is behind.
        """
        self._subscribers: tuple[Peer, ...] = ()
        self._told = subscribed
        self._queue_max = queue_max
        self._server = Server(
            path,
            PUB,
            self,
            read_max=_READ_MAX,
            queue_max=queue_max,
            kernel_max=kernel_max,
            lock=lock,
        )
        self._acceptor = acceptor
        acceptor.add(self._server)

    @property
    def wanted(self) -> bool:
        """Whether anybody has subscribed to anything."""
        return bool(self._subscribers)

    def send(self, payload: bytes) -> None:
        """Send to whoever wants it, and takes it. Never waits for one of them."""
        data = message(payload)
        with self._server.lock:
            for peer in self._subscribers:
                if peer.open and payload.startswith(peer.session.prefixes):
                    peer.send(data, self._queue_max)
                    if peer.behind:
                        self._tell()

    def close(self) -> None:
        """Hang up on all, and remove the file."""
        self._acceptor.remove(self._server)
        self._server.close()

    def on_message(self, peer: Peer, message: Message) -> None:
        """Nothing: a session makes no message of what a subscriber sends."""

    def on_change(self, peer: Peer) -> None:
        """Send to this peer from now on, or not any more."""
        others = tuple(each for each in self._subscribers if each is not peer)
        wanted = peer.open and peer.session.prefixes
        self._subscribers = (*others, peer) if wanted else others
        self._tell()

    def _tell(self) -> None:
        if self._told is not None:
            plain = all(b"" in p.session.prefixes and not p.behind for p in self._subscribers)
            self._told([peer.fd for peer in self._subscribers] if plain else None)


class Acceptor(threading.Thread):
    """The thread that serves the peers of all publishers of a process."""

    def __init__(self) -> None:
        """Begin; `close` ends it."""
        super().__init__(name="acceptor", daemon=True)
        self._servers: tuple[Server, ...] = ()
        self._turn = threading.Lock()
        """Held in each round: a server that is removed has had its last."""
        self._wakeup = Wakeup()
        self._ending = False
        self.start()

    def add(self, server: Server) -> None:
        """Serve the peers of one more socket."""
        with self._turn:
            self._servers = (*self._servers, server)
        self._wakeup.set()

    def remove(self, server: Server) -> None:
        """Serve them no more."""
        with self._turn:
            self._servers = tuple(each for each in self._servers if each is not server)
        self._wakeup.set()

    def close(self) -> None:
        """End the thread. All publishers were closed."""
        self._ending = True
        self._wakeup.set()
        self.join(_END_S)
        if not self.is_alive():  # else it may use the descriptor yet
            self._wakeup.close()

    def run(self) -> None:
        """Serve; only a bug ends it before `close`."""
        while not self._ending:
            servers = self._servers
            poller = select.poll()
            poller.register(self._wakeup, select.POLLIN)
            for server in servers:
                poller.register(server, select.POLLIN)
            while servers is self._servers and not self._ending:
                ready = poller.poll(self._timeout_ms(servers))
                if any(fd == self._wakeup.fileno() for fd, _ in ready):
                    self._wakeup.clear()
                with self._turn:
                    if servers is self._servers:
                        for server in servers:
                            server.step()

    @staticmethod
    def _timeout_ms(servers: tuple[Server, ...]) -> int | None:
        due = [at for server in servers if (at := server.deadline_ns()) is not None]
        if not due:
            return None
        return max(0, -(-(min(due) - time.monotonic_ns()) // 1_000_000))
