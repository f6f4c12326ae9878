"""One viewer: a socket, what is under way on it, and its counters. It knows no camera and no HTTP.

A viewer never has a queue: what `push` could not hand to the kernel is kept as the rest of that
one part, and until the rest has gone the viewer takes nothing else. Descriptors are registered
edge-triggered and for writing from the start, so neither a complete send nor a short one costs an
epoll_ctl: the kernel tells of room only after a send that found none (epoll(7)).

Runs in the worker's main thread. Counters may be read from other threads.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from web_workers.admission.viewer_limits import Admission
from web_workers.counts.worker_counts import Closed
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.wire.multipart import Style

EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
"""What a viewer's socket is registered for."""
USER_TIMEOUT_MS = 10_000
"""TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged, or a closed window closed."""
STALL_NS = 12_000_000_000
"""A viewer that took no byte of a part for this long is closed, whatever kind its socket is."""
UNWANTED_BYTES = 65_536
"""A viewer has nothing to say after its request; one that says more than this is closed."""
_UNSENT_LIMIT = 1 << 18
"""What may wait in a socket, unsent, before it is known how large the parts are, bytes."""
_UNSENT_LIMIT_MIN = 1 << 15
_PACKET = 1 << 16
"""What the kernel takes at once, bytes: it looks at the mark between packets (tcp_sendmsg)."""
_NOTSENT_LOWAT = 25  # linux/tcp.h; Python has no name for it

Send = Callable[[bytes | memoryview], int]
"""A socket's `send`: returns how many bytes the kernel took."""

_GONE = select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP
_LEFT = frozenset({0, errno.ECONNRESET, errno.EPIPE})  # a reset: it closed with frames unread


class ViewerOwner(Protocol):
    """What a viewer belongs to: a camera's feed of frames or of events."""

    def drained(self, viewer: Viewer) -> None:
        """The viewer's part has gone out whole: it can take another."""

    def left(self, viewer: Viewer, why: Closed) -> None:
        """The viewer's socket is closed."""


def closed_by(error: int) -> Closed:
    """Return what an errno of a viewer's socket says about its end, 0 meaning none."""
    if error == errno.ETIMEDOUT:  # TCP_USER_TIMEOUT
        return Closed.STALLED
    return Closed.LEFT if error in _LEFT else Closed.FAILED


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Viewer:
    """A taken-over connection. Made when it is taken over, closed by itself or its owner."""

    sock: socket.socket = field(kw_only=False)
    peer: str
    clock: Callable[[], int]
    on_close: Callable[[int], None]
    """Called with its descriptor just before that is closed."""
    send: Send = field(init=False)
    """For InStepViewers alone: what that sends, the viewer must be told of."""
    owner: ViewerOwner | None = None
    """Who is told when it drains or leaves."""
    admission: Admission | None = None
    """Its part of what viewers may take, which it gives up with its socket."""
    style: Style = Style.PLAIN
    rate_limiter: FrameRateLimiter | None = None
    """Picks the frames for one that asked for fewer; None sends all."""
    dual_final: bool = False
    """Whether the last frame before a pause is sent twice."""
    unwanted: int = 0
    """Bytes that it has said since its request."""
    rest: memoryview | None = None
    """What is still to be sent of the part under way."""
    joined_ns: int = field(init=False)
    moved_ns: int = field(init=False)
    """When it last took a byte of the part under way."""
    bytes_sent: int = 0
    sent: int = 0
    """Published frames whose sending has begun, but for those sent in step with others."""
    base: int = 0
    """The feed's count of published frames when this viewer joined."""
    seen: int = 0
    """The feed's number of the newest picture that this viewer was offered or passed over."""
    captured_ns: int = 0
    """When the newest frame that it was sent was captured; 0: none, or InStepViewers knows."""
    fps: float | None = None
    """Frames a second, as last measured; None until then."""
    marked: tuple[int, int] = field(init=False)
    """When that was, and its frames sent by then."""
    _unsent_limit: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Take over the socket. Raises OSError when its client has gone."""
        sock = self.sock
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        self.limit_unsent(_UNSENT_LIMIT)
        self.send = sock.send
        self.joined_ns = self.moved_ns = self.clock()
        self.marked = (self.joined_ns, 0)

    def fileno(self) -> int:
        """The socket's descriptor; -1 once it is closed."""
        return self.sock.fileno()

    def limit_unsent(self, size: int) -> None:
        """Have the kernel keep no more than about one part of `size` bytes unsent for this viewer.

        TCP_NOTSENT_LOWAT bounds what waits to be sent, and leaves what is on its way to the kernel,
        which measures the path. One packet may be over the mark, so a mark of one packet less than
        the part still takes it in one piece. SO_SNDBUF bounds what waits and what is on its way
        together, so one frame's worth would cost a distant viewer frames; and net.core.wmem_max,
        208 kB as a rule, bounds SO_SNDBUF.
        """
        step = 1 << max(0, size.bit_length() - 4)  # not anew for each frame that differs a little
        unix = self.sock.family == socket.AF_UNIX
        most = size if unix else size - _PACKET
        unsent_limit = max(_UNSENT_LIMIT_MIN, -(-most // step) * step)
        if unsent_limit == self._unsent_limit or self.sock.fileno() < 0:
            return
        self._unsent_limit = unsent_limit
        if unix:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, unsent_limit)
        else:
            self.sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, unsent_limit)

    def push(self, data: bytes) -> None:
        """Send `data`, or begin to. Only for a viewer with no rest; closes itself on failure."""
        try:
            count = self.send(data)
        except BlockingIOError:
            count = 0
        except OSError as error:
            self.close(closed_by(error.errno or errno.EIO))
            return
        self.bytes_sent += count
        if count != len(data):
            self.keep(data, count)

    def keep(self, data: bytes, count: int) -> None:
        """Have `data` under way, of which the kernel has taken `count` bytes."""
        self.rest = memoryview(data)[count:]
        self.moved_ns = self.clock()

    def share(self, part: bytes) -> None:
        """Keep no copy of one's own of `part`, with which what is under way ends."""
        if self.rest is not None and len(self.rest) <= len(part):
            self.rest = memoryview(part)[len(part) - len(self.rest) :]

    def on_event(self, events: int) -> None:
        """Go on with what epoll says about the socket."""
        if events & _GONE:
            self.close(closed_by(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
            return
        if events & select.EPOLLIN and (why := self._discard()) is not None:
            self.close(why)
            return
        if self.rest is not None:
            self._continue(self.rest)

    def stalled(self, now_ns: int) -> bool:
        """Whether it has taken no byte of the part under way for STALL_NS."""
        return self.rest is not None and now_ns - self.moved_ns > STALL_NS

    def close(self, why: Closed) -> None:
        """Close the socket and tell the owner. Twice is harmless."""
        if self.sock.fileno() < 0:
            return
        self.let_go()
        if self.owner is not None:
            self.owner.left(self, why)

    def let_go(self) -> None:
        """Close this process's descriptor of a connection that lives on in another one's."""
        self.on_close(self.sock.fileno())
        self.sock.close()
        self.rest = None
        if self.admission is not None:
            self.admission.release()

    def _continue(self, rest: memoryview) -> None:
        try:
            count = self.send(rest)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(closed_by(error.errno or errno.EIO))
            return
        self.bytes_sent += count
        self.moved_ns = self.clock()
        if count != len(rest):
            self.rest = rest[count:]
            return
        self.rest = None
        if self.owner is not None:
            self.owner.drained(self)

    def _discard(self) -> Closed | None:
        """Throw away what the viewer says; return why it is to be closed, None if it is not."""
        try:
            while data := self.sock.recv(4096):
                self.unwanted += len(data)
                if self.unwanted > UNWANTED_BYTES:
                    return Closed.UNWANTED
        except BlockingIOError:
            return None
        except OSError as error:
            return closed_by(error.errno or errno.EIO)
        return Closed.LEFT
