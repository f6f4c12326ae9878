"""Readers' ends of the notifications: a PUB hint per frame, and a PUB of JSON events.

They are hints, never the data. The daemon's ends are in notifier.py. A subscription has no thread
and no queue of its own: one socket while it is connected, none while it is not. It is for one
thread at a time.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from framebus.errors import FramebusError, SegmentInvalid
from framebus.names import CameraNames
from framebus.ring.announcement import Announcement
from framebus.trusted_files import owner_of
from framebus.zmtp.client import Client
from framebus.zmtp.session import Kind, subscriber

_HINTS: Final = subscriber(4096)  # of another version's daemon a hint may be longer
_EVENTS: Final = subscriber(1 << 20)
_RETRY_NS: Final = 20_000_000
_RETRY_MAX_NS: Final = 200_000_000
_LOOK_S: Final = 0.05
"""How long who waits without a connection does not look at the ring, seconds."""

SILENT_INTERVALS = 1.5
"""Frame intervals of silence after which a listener looks at the ring's cursor by itself."""
UNKNOWN_INTERVAL_S = 0.1
"""What stands in for the frame interval while it is unknown, seconds."""


def silence_s(interval_ns: int) -> float:
    """Return how long to trust the socket before looking at the cursor, seconds."""
    interval_s = interval_ns / 1e9 if interval_ns else UNKNOWN_INTERVAL_S
    return min(SILENT_INTERVALS * interval_s, 1.0)


def nothing(_fd: int) -> None:
    """For who waits for a descriptor only while it waits."""


class Subscription:
    """To one of a camera's sockets, over all the daemons that come and go.

    It hears from `connect` on. When a connection ends, the next `connect` makes another, but none
    sooner than 20 ms after the end, 200 ms where that goes on.
    """

    def __init__(
        self,
        runtime: Path,
        path: Path,
        kind: Kind,
        *,
        opened: Callable[[int], None] = nothing,
        closing: Callable[[int], None] = nothing,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`opened` is given each new connection's descriptor, to be waited for (`receive`), and
        `closing` is given it before it is closed. `clock` gives monotonic nanoseconds."""
        self._runtime, self._path, self._kind = runtime, path, kind
        self._opened, self._closing, self._clock = opened, closing, clock
        self.client: Client | None = None
        """The connection there is."""
        self.trouble: OSError | FramebusError | None = None
        """Why there was none to be had the last time; None if there was."""
        self._pause_ns = 0
        self._retry_ns = 0

    def connect(self) -> None:
        """Begin to hear, if that can be done now; again is harmless.

        Only what the runtime directory's owner serves there is connected to, and only where that
        directory is trusted.
        """
        if self.client is not None or self._clock() < self._retry_ns:
            return
        client = None
        try:
            client = Client(self._path, self._kind, owner_of(self._runtime))
            self._opened(client.fileno())
        except (OSError, FramebusError) as trouble:
            self.trouble = trouble
            if client is not None:
                client.close()
            self._wait_on()
        else:
            self.client, self.trouble = client, None

    def receive(self) -> list[bytes]:
        """Return the messages that have come whole. Never waits."""
        client = self.client
        if client is None:
            return []
        try:
            return client.receive()
        except OSError:
            self.hang_up()
            return []

    def take(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole with `data`, which somebody has read of the socket."""
        if self.client is None:
            return []
        try:
            return self.client.take(data)
        except OSError:
            self.hang_up()
            return []

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        client, self.client = self.client, None
        if client is None:
            return
        if client.ready:
            self._pause_ns = 0
        self._wait_on()
        self._closing(client.fileno())
        client.close()

    def _wait_on(self) -> None:
        self._pause_ns = min(max(_RETRY_NS, 2 * self._pause_ns), _RETRY_MAX_NS)
        self._retry_ns = self._clock() + self._pause_ns


class Listener:
    """A reader's end of CAMERA.frames, of which the newest hint is wanted only."""

    def __init__(
        self,
        names: CameraNames,
        *,
        opened: Callable[[int], None] = nothing,
        closing: Callable[[int], None] = nothing,
    ) -> None:
        """As a Subscription; it may be made before there is a daemon."""
        self.subscription = Subscription(
            names.runtime, names.frames_socket, _HINTS, opened=opened, closing=closing
        )
        """Its connection."""
        self.invalid = 0
        """Messages that were no announcement: somebody else's, or another version's."""

    def connect(self) -> None:
        """Begin to hear, or to hear again."""
        self.subscription.connect()

    def receive(self) -> Announcement | None:
        """Return the newest announcement that has arrived, None when there is none."""
        return self.newest(self.subscription.receive())

    def newest(self, messages: list[bytes]) -> Announcement | None:
        """Return the newest announcement among messages."""
        newest = None
        for message in messages:
            try:
                newest = Announcement.unpack(message)
            except SegmentInvalid:
                self.invalid += 1
        return newest

    def wait(self, timeout_s: float) -> Announcement | None:
        """Wait for an announcement, at most `timeout_s` seconds; it may come back sooner."""
        self.connect()
        client = self.subscription.client
        if client is None:
            time.sleep(max(0.0, min(timeout_s, _LOOK_S)))
            return None
        poller = select.poll()
        poller.register(client, select.POLLIN)
        poller.poll(max(0, round(timeout_s * 1000)))
        return self.receive()

    def close(self) -> None:
        """Hang up."""
        self.subscription.hang_up()


def event_subscription(
    names: CameraNames, *, opened: Callable[[int], None], closing: Callable[[int], None]
) -> Subscription:
    """Return a subscription to CAMERA.events, not connected yet."""
    return Subscription(names.runtime, names.events_socket, _EVENTS, opened=opened, closing=closing)
