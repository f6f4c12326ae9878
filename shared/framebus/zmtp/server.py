"""A bound Unix socket and its peers, served a bounded piece at a time by one thread.

Bounds are each user's own (accounts.py), so that whoever floods the socket is all that suffers from
it. What a peer is not to send, and one that has not greeted in time, costs it the connection.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

from framebus.unix_sockets import bind, peer_credentials
from framebus.zmtp.accounts import CONNECTIONS, HELD_IN_ALL, HELD_MAX, Account
from framebus.zmtp.peer import READING, Peer
from framebus.zmtp.session import Kind, Message, Session
from framebus.zmtp.wire import GREETING, Violation

HANDSHAKE_NS: Final = 5_000_000_000
"""Who has not greeted by then is hung up on."""
_CONNECTIONS_IN_ALL = 512
_DESCRIPTORS_SHARE = 8  # one in so many may be a connection of one socket
_EVENTS = 32  # handled in one go
_CONTROL_QUEUE = 1024  # bytes of the protocol's own answers that are queued
_REFUSED_PAUSE_NS = 50_000_000  # after an accept without a descriptor left


class Handler(Protocol):
    """What becomes of what peers send."""

    def on_message(self, peer: Peer, message: Message) -> None:
        """A message has come whole."""

    def on_change(self, peer: Peer) -> None:
        """The peer's subscriptions may have changed, or it is behind, or not any more, or it ends.

        Whoever calls holds the lock; the descriptor of one that ends is its own until this returns.
        """


class Server:
    """One socket's. All but `send` is the thread's that calls `step`."""

    def __init__(
        self,
        path: Path,
        kind: Kind,
        handler: Handler,
        *,
        read_max: int,
        queue_max: int,
        kernel_max: int,
        group: int = -1,
        lock: AbstractContextManager[object] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Bind, for `group` (an id; -1: the process's own). The caller holds the camera's lock.

        `read_max` bytes are read of a peer at a time, `queue_max` queued for it beyond the
        `kernel_max` that the kernel queues. `lock` is held while peers are sent something; without
        one there is one of its own. Raises NoPermission and OutOfResources.
        """
        self._kind = kind
        self._handler = handler
        self._read_max = read_max
        self._queue_max = queue_max
        self._kernel_max = kernel_max
        self._clock = clock
        self._listener = bind(path, group)
        self._path = path
        self._poller = select.epoll()
        self._poller.register(self._listener, READING)
        self.lock = threading.Lock() if lock is None else lock
        """Held while a peer is sent something."""
        self._peers: dict[int, Peer] = {}
        self._new: dict[Peer, None] = {}  # who has not greeted, the oldest first
        self._waiting: dict[Peer, None] = {}  # who has sent more than was taken
        self._accounts: dict[int, Account] = {}
        self._held = 0
        self._accept_from_ns = 0
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = min(_CONNECTIONS_IN_ALL, descriptors // _DESCRIPTORS_SHARE)
        self._most_of_one = min(CONNECTIONS, self._most // 2)

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to do."""
        return self._poller.fileno()

    def deadline_ns(self) -> int | None:
        """Return when `step` is to be called at the latest, monotonic, None for no time."""
        due = [peer.since_ns + HANDSHAKE_NS for peer in (*self._new,)[:1]]
        due += [peer.account.free_ns() for peer in self._waiting]
        if self._accept_from_ns:
            due.append(self._accept_from_ns)
        return min(due, default=None)

    def step(self) -> bool:
        """Do what there is to do, or a piece of it; return whether there is more. Never waits."""
        events = self._poller.poll(0, _EVENTS)
        for fd, mask in events:
            if fd == self._listener.fileno():
                self._accept()
                continue
            peer = self._peers.get(fd)
            if peer is None:
                continue
            if mask & select.EPOLLOUT:
                with self.lock:
                    peer.flush()
                    self._handler.on_change(peer)
            if mask & ~select.EPOLLOUT:
                self._serve(peer, self._read)
        self._take_turns()
        self._expire()
        return len(events) == _EVENTS or any(not p.account.free_ns() for p in self._waiting)

    def send(self, peer: Peer, data: bytes) -> bool:
        """Send a peer something; False if it does not take it, or is gone. Any thread."""
        with self.lock:
            return peer.open and peer.send(data, self._queue_max)

    def close(self) -> None:
        """Hang up on all, and remove the file."""
        for peer in list(self._peers.values()):
            self._drop(peer)
        self._poller.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _take_turns(self) -> None:
        """Take what waits, a message of each peer in turn."""
        turns = deque(peer for peer in self._waiting if not peer.account.free_ns())
        for _ in range(_EVENTS):
            if not turns:
                return
            peer = turns.popleft()
            if peer not in self._waiting or peer.account.free_ns():
                continue
            del self._waiting[peer]
            self._serve(peer, self._take)
            if peer in self._waiting:
                turns.append(peer)

    def _accept(self) -> None:
        for _ in range(_EVENTS):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor or no memory is left: whoever has one goes on
                self._accept_from_ns = self._clock() + _REFUSED_PAUSE_NS
                self._poller.modify(self._listener, 0)
                return
            began_ns = time.thread_time_ns()
            account = self._account(connection)
            self._admit(connection, account)
            account.spend(time.thread_time_ns() - began_ns)

    def _account(self, connection: socket.socket) -> Account:
        _, uid, _ = peer_credentials(connection)
        account = self._accounts.get(uid)
        if account is None:
            for old in [uid for uid, each in self._accounts.items() if each.idle]:
                del self._accounts[old]
            # They could end this process as well.
            trusted = uid in (0, os.geteuid())
            account = self._accounts[uid] = Account(self._clock, user=uid, trusted=trusted)
        return account

    def _admit(self, connection: socket.socket, account: Account) -> None:
        if account.free_ns() or not self._room_for(account):
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._kernel_max)
        peer = Peer(connection, Session(self._kind), account, self._poller, self._clock())
        account.connections += 1
        self._peers[peer.fd] = peer
        self._new[peer] = None
        self.send(peer, GREETING)

    def _room_for(self, account: Account) -> bool:
        """Make room for one more of a user; False if there is none to be made."""
        if account.connections >= self._most_of_one:
            oldest = next((peer for peer in self._new if peer.account is account), None)
            if oldest is None:
                return False
            self._drop(oldest)
        elif len(self._peers) >= self._most:
            most = max(self._accounts.values(), key=lambda each: each.connections)
            # As many users as there are connections could keep all others out with one each.
            if most.connections <= account.connections + 1 and not account.trusted:
                return False
            self._drop(next(peer for peer in self._peers.values() if peer.account is most))
        return True

    def _serve(self, peer: Peer, take: Callable[[Peer], None]) -> None:
        began_ns = time.thread_time_ns()
        try:
            take(peer)
        except (Violation, OSError):
            self._drop(peer)
        account = peer.account
        if peer.open:
            self._count_held(peer)
        account.spend(time.thread_time_ns() - began_ns)

    def _count_held(self, peer: Peer) -> None:
        """Take note of what is kept of a peer; hang up on one where it is too much."""
        account = peer.account
        more = peer.held - peer.counted
        peer.counted += more
        account.held += more
        self._held += more
        if account.held > HELD_MAX:
            self._drop(peer)
        elif self._held > HELD_IN_ALL:
            most = max(self._accounts.values(), key=lambda each: each.held)
            theirs = (each for each in self._peers.values() if each.account is most)
            self._drop(max(theirs, key=lambda each: each.counted))

    def _read(self, peer: Peer) -> None:
        if peer in self._waiting:
            return
        try:
            data = peer.recv(self._read_max)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError
        peer.session.feed(data)
        self._take(peer)

    def _take(self, peer: Peer) -> None:
        """Take one message, if there is one. What comes after it waits for the next turn."""
        session = peer.session
        was_ready, prefixes = session.ready, session.prefixes
        while isinstance(event := session.next(), bytes):
            with self.lock:
                peer.send(event, _CONTROL_QUEUE)
                self._handler.on_change(peer)
        if event is not None:
            self._handler.on_message(peer, event)
        if session.ready and not was_ready:
            self._new.pop(peer, None)
        if session.prefixes != prefixes:
            with self.lock:
                self._handler.on_change(peer)
        if event is not None or peer.account.free_ns():
            self._waiting[peer] = None
        peer.read_on(peer not in self._waiting)

    def _expire(self) -> None:
        now_ns = self._clock()
        for peer in [p for p in self._new if p.since_ns + HANDSHAKE_NS <= now_ns]:
            self._drop(peer)
        if self._accept_from_ns and now_ns >= self._accept_from_ns:
            self._accept_from_ns = 0
            self._poller.modify(self._listener, READING)

    def _drop(self, peer: Peer) -> None:
        if not peer.open:
            return
        del self._peers[peer.fd]
        self._new.pop(peer, None)
        self._waiting.pop(peer, None)
        peer.account.connections -= 1
        peer.account.held -= peer.counted
        self._held -= peer.counted
        with self.lock:  # nobody sends to its descriptor, which may be another's in a moment
            peer.end()
            self._handler.on_change(peer)
            peer.close()
