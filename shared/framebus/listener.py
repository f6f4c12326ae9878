"""Readers' ends of the notifications: a PUB hint per frame, and a PUB of JSON events.

They are hints, never the data. The daemon's ends are in notifier.py. A socket is for one thread at
a time, whichever made it. A context is for all threads of the process that made it: a worker makes
its own after the fork (a context inherited across fork hangs in poll).
"""

from __future__ import annotations

import os

import zmq

from framebus.errors import FramebusError, SegmentInvalid, refused
from framebus.names import CameraNames, endpoint
from framebus.ring.announcement import Announcement
from framebus.trusted_files import owner_of

_HINT_MAX = 4096  # bytes that a listener takes of a message; of another version's it may be longer
_EVENT_MAX = 1 << 20
_FIRST_SOCKET = 6  # descriptors of a context's threads, of the socket, and of its connection
_READABLE = int(zmq.POLLIN)

SILENT_INTERVALS = 1.5
"""Frame intervals of silence after which a listener looks at the ring's cursor by itself."""
UNKNOWN_INTERVAL_S = 0.1
"""What stands in for the frame interval while it is unknown, seconds."""


def silence_s(interval_ns: int) -> float:
    """Return how long to trust the socket before looking at the cursor, seconds."""
    interval_s = interval_ns / 1e9 if interval_ns else UNKNOWN_INTERVAL_S
    return min(SILENT_INTERVALS * interval_s, 1.0)


class Listener:
    """A reader's end of CAMERA.frames: keeps the newest hint only (CONFLATE).

    It may be made before there is a daemon, hears from `connect` on, and lives on when the daemon
    is replaced: ZeroMQ connects again by itself. `socket` may be put in a poller; its FD is
    edge-triggered, so call `receive` after each wake-up.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], names: CameraNames) -> None:
        """Raise OutOfResources where there is no descriptor for a socket."""
        self.socket = _subscriber(context, _HINT_MAX)
        self.socket.setsockopt(zmq.CONFLATE, 1)  # works only when set before connect
        self._endpoint = endpoint(names.frames_socket)
        self._connected = False
        self._readable = [(self.socket, _READABLE)]
        self.invalid = 0
        """Messages that were no announcement: somebody else's, or another version's."""

    def connect(self) -> None:
        """Begin to hear; again is harmless. Only where the runtime directory is trusted."""
        if not self._connected:
            self._connected = True
            self.socket.connect(self._endpoint)

    def receive(self) -> Announcement | None:
        """Return the newest announcement that has arrived, None when there is none.

        Afterwards nothing is left to receive, and FD will tell of the next.
        """
        newest = None
        try:
            message = self.socket.recv(zmq.DONTWAIT)
            while True:
                try:
                    newest = Announcement.unpack(message)
                except SegmentInvalid:
                    self.invalid += 1
                if not zmq.zmq_poll(self._readable, 0):  # cheaper than ZMQ_EVENTS, or than Again
                    return newest
                message = self.socket.recv(zmq.DONTWAIT)
        except zmq.Again:
            return newest

    def wait(self, timeout_s: float) -> Announcement | None:
        """Wait for an announcement, at most `timeout_s` seconds."""
        self.socket.poll(max(0, round(timeout_s * 1000)))
        return self.receive()

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def event_socket(context: zmq.Context[zmq.Socket[bytes]], names: CameraNames) -> zmq.Socket[bytes]:
    """Return a SUB socket connected to CAMERA.events, for the caller to poll and close.

    Raises what trusted_files.owner_of does of the runtime directory, and OutOfResources.
    """
    owner_of(names.runtime)
    socket = _subscriber(context, _EVENT_MAX)
    socket.connect(endpoint(names.events_socket))
    return socket


def _subscriber(context: zmq.Context[zmq.Socket[bytes]], message_max: int) -> zmq.Socket[bytes]:
    """Return a SUB socket for all messages of at most so many bytes, not connected yet."""
    socket = open_socket(context, zmq.SUB)
    socket.linger = 0
    socket.setsockopt(zmq.MAXMSGSIZE, message_max)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
    return socket


def own_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return a context of this process's own, with one I/O thread. Raises OutOfResources."""
    try:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
    except zmq.ZMQError as error:
        raise _refused(error) from error
    context.setsockopt(zmq.MAX_SOCKETS, min(1023, int(os.sysconf("SC_OPEN_MAX"))))
    return context


def open_socket(context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
    """Return a socket of a context; raises OutOfResources where there is no descriptor for it.

    Where one is there and the next is not, libzmq ends the process (src/epoll.cpp): so there must
    be some for all that a first socket takes. (Another thread may still be quicker.)
    """
    room: list[int] = []
    try:
        while len(room) < _FIRST_SOCKET:
            room.append(os.eventfd(0))
    except OSError as error:
        raise _refused(error) from error
    finally:
        for each in room:
            os.close(each)
    try:
        return context.socket(kind)
    except zmq.ZMQError as error:
        raise _refused(error) from error


def _refused(error: zmq.ZMQError | OSError) -> FramebusError:
    return refused(OSError(error.errno, error.strerror), "cannot open a ZeroMQ socket", "try again")
