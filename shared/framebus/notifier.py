"""The daemon's ends of the notifications: a PUB hint per frame, and a PUB of JSON events.

framebus.zmtp serves them. Readers' ends are in listener.py, apart: the daemon needs no libzmq,
which would take a fifteenth of its start and two megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from framebus.contract.words import EventName
from framebus.names import CameraNames
from framebus.ring.announcement import Announcement
from framebus.zmtp.publisher import Acceptor, Publisher

_FRAMES_KERNEL: Final = 8192
"""Bytes: some twenty hints. Who is that far behind wants the newest, not these."""
_EVENTS_KERNEL: Final = 16384
_EVENTS_QUEUED: Final = 16384
"""Bytes more; a status document has three thousand."""


class Notifier(Publisher):
    """The daemon's end of CAMERA.frames."""

    def __init__(
        self,
        acceptor: Acceptor,
        names: CameraNames,
        *,
        lock: AbstractContextManager[object] | None = None,
        subscribed: Callable[[Sequence[int] | None], None] | None = None,
    ) -> None:
        """Bind; the caller holds the camera's lock. Raises NoPermission and OutOfResources.

        `lock` and `subscribed` are for who tells of frames as well (Publisher).
        """
        super().__init__(
            acceptor,
            names.frames_socket,
            queue_max=0,
            kernel_max=_FRAMES_KERNEL,
            lock=lock,
            subscribed=subscribed,
        )

    def announce(self, announcement: Announcement) -> None:
        """Tell all listeners about one frame. Never blocks: who lags misses it."""
        if self.wanted:
            self.send(announcement.pack())


class EventNotifier(Publisher):
    """The daemon's end of CAMERA.events: one JSON object a message, with a key `event`."""

    def __init__(self, acceptor: Acceptor, names: CameraNames) -> None:
        """Bind; the caller holds the camera's lock. Raises NoPermission and OutOfResources."""
        path = names.events_socket
        super().__init__(acceptor, path, queue_max=_EVENTS_QUEUED, kernel_max=_EVENTS_KERNEL)

    def tell(self, event: EventName, document: Mapping[str, object]) -> None:
        """Tell all listeners that `event` happened."""
        if self.wanted:
            text = json.dumps({"event": event, **document}, separators=(",", ":"))
            self.send(text.encode())
