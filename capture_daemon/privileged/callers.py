"""Who is connected to the helper: each with one line to send, a second for it, a user's share.

One thread's. Nobody waits for anybody here: what a caller has not sent is asked for again when
there is more, and an answer fits into what the kernel keeps for it.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from framebus.unix_sockets import peer_credentials

from capture_daemon.privileged.protocol import REQUEST_MAX

PATIENCE_NS = 1_000_000_000
"""In which a caller has to send its line."""
OF_ONE_USER = 8
"""Callers of a user; for one more the one that waits longest is hung up on."""
IN_ALL = 64


class Caller:
    """One connection."""

    def __init__(self, connection: socket.socket, deadline_ns: int) -> None:
        """Take the connection of a caller that has until then to send its line."""
        connection.setblocking(False)
        pid, self.uid, _ = peer_credentials(connection)
        self.asker = f"process {pid} of user {self.uid}"
        self.line = b""
        self.deadline_ns = deadline_ns
        self._connection = connection

    def fileno(self) -> int:
        """Return the connection's descriptor."""
        return self._connection.fileno()

    def read(self) -> bool:
        """Read on; return whether there is nothing more to wait for."""
        try:
            part = self._connection.recv(REQUEST_MAX + 1 - len(self.line))
        except BlockingIOError:
            return False
        except OSError:
            self.line = b""
            return True
        self.line += part
        return not part or len(self.line) > REQUEST_MAX or self.line.endswith(b"\n")

    def answer(self, reply: bytes) -> None:
        """Send the answer and hang up."""
        with contextlib.suppress(OSError):
            self._connection.send(reply)
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Callers:
    """Those who have not sent their line yet, the oldest first."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock` gives monotonic nanoseconds."""
        self._clock = clock
        self._waiting: dict[Caller, None] = {}

    def __iter__(self) -> Iterator[Caller]:
        return iter(tuple(self._waiting))

    def admit(self, connection: socket.socket) -> None:
        """Let one in; another one of the same user, or of who has most, may have to go."""
        caller = Caller(connection, self._clock() + PATIENCE_NS)
        own = [each for each in self._waiting if each.uid == caller.uid]
        if len(own) >= OF_ONE_USER:
            self.dismiss(own[0])
        elif len(self._waiting) >= IN_ALL:
            uids = [each.uid for each in self._waiting]
            most = max(uids, key=uids.count)
            self.dismiss(next(each for each in self._waiting if each.uid == most))
        self._waiting[caller] = None

    def leave(self, caller: Caller) -> None:
        """Wait for this one no more."""
        del self._waiting[caller]

    def dismiss(self, caller: Caller) -> None:
        """Hang up on one."""
        self.leave(caller)
        caller.close()

    def timeout_s(self) -> float | None:
        """Return after how long somebody has to be hung up on, None if nobody waits."""
        if not self._waiting:
            return None
        return max(0.0, (next(iter(self._waiting)).deadline_ns - self._clock()) / 1e9)

    def expire(self) -> None:
        """Hang up on those who had long enough."""
        now_ns = self._clock()
        for caller in [each for each in self._waiting if each.deadline_ns <= now_ns]:
            self.dismiss(caller)
