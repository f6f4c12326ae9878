"""The thread that listens to the daemon: every frame it announces, every status it sends.

What the announcements miss (a socket that was not connected yet) is read from the ring by `sweep`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import zmq
from framebus.errors import FramebusError, FrameGone, SegmentInvalid
from framebus.names import CameraNames, endpoint
from framebus.ring.announcement import Announcement
from framebus.ring.reader import RingReader

from tests.guest.recovery.rows import Published, merged
from tests.guest.recovery.watching import Seen
from tests.helpers.zeromq import own_context


def utc_offset_ns() -> int:
    """Return UTC less CLOCK_MONOTONIC."""
    return time.time_ns() - time.monotonic_ns()


class Observer(threading.Thread):
    """Start it once. The lists grow until `forget`; other threads only read them."""

    def __init__(self, names: CameraNames) -> None:
        super().__init__(name="observer", daemon=True)
        self._names = names
        self._over = threading.Event()
        self._offset_ns = utc_offset_ns()
        self._frames: list[Published] = []
        self.seen: list[Seen] = []
        self.incidents: list[dict[str, Any]] = []
        """Incident documents that came as events."""

    def run(self) -> None:
        """Listen until `close`."""
        context = own_context()
        poller = zmq.Poller()
        frames = _subscribed(context, self._names.frames_socket)
        events = _subscribed(context, self._names.events_socket)
        for socket in (frames, events):
            poller.register(socket, zmq.POLLIN)
        while not self._over.is_set():
            for socket, _ in poller.poll(200):
                message = socket.recv()
                if socket is frames:
                    with contextlib.suppress(SegmentInvalid):
                        found = Announcement.unpack(message).descriptor
                        self._frames.append(
                            Published(found.captured_ns, found.published_ns, found.device_sequence)
                        )
                else:
                    self._take_event(json.loads(message))
        for socket in (frames, events):
            socket.close()
        context.term()

    def _take_event(self, document: dict[str, Any]) -> None:
        now_ns = time.monotonic_ns()
        if document.get("event") == "incident":
            self.incidents.append(document)
        elif "state" in document and "since_utc_ns" in document:
            self.seen.append(Seen.of(document, now_ns, self._offset_ns))

    def frames(self) -> list[Published]:
        """Return all frames so far, each once."""
        return list(merged(list(self._frames)).values())

    def forget(self) -> None:
        """Drop what is older than now."""
        del self._frames[:]
        del self.seen[:]
        del self.incidents[:]

    def sweep(self) -> None:
        """Read what the ring still has."""
        with contextlib.suppress(FramebusError):
            reader = RingReader.attach(self._names)
            try:
                for sequence in range(max(1, reader.oldest), reader.cursor + 1):
                    with contextlib.suppress(FrameGone):
                        frame = reader.read(sequence)
                        self._frames.append(
                            Published(frame.captured_ns, frame.published_ns, frame.device_sequence)
                        )
            finally:
                reader.close()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self.join(30)


def _subscribed(context: zmq.Context[zmq.Socket[bytes]], path: Path) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = context.socket(zmq.SUB)
    socket.linger = 0
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
    socket.connect(endpoint(path))
    return socket
