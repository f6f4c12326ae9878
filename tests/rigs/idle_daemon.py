"""A daemon whose camera rests until somebody wakes it: a ring, and the socket of who may ask."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from capture_daemon.control.refusal import Answer
from capture_daemon.control.server import ControlServer
from tests.helpers.locks import lock_held
from tests.rigs.bus import Bus, jpeg

DEMAND = {"watched": False, "idle_after_s": 60.0, "idle_fps": None}
IDLE = {"code": "idle", "message": "off, nobody watches", "remedy": "whoever looks wakes it"}
OPENING = {"code": "opening", "message": "test is being opened", "remedy": ""}


class IdleDaemon:
    """Its camera gives a frame when it is woken, unless `broken` says why not."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.wakes: list[tuple[int, dict[str, Any]]] = []
        """Who woke it: the user, and the parameters."""
        self.broken: dict[str, str] | None = None
        self.listen()
        self.rest()

    def listen(self) -> None:
        """Bind the socket, as a new daemon does."""
        self.server = ControlServer(path=self.bus.names.queries_socket, call=self._call)

    def rest(self) -> None:
        """Have the camera off."""
        self.bus.tell("idle", IDLE, demand=DEMAND)

    def step(self) -> None:
        """Take what has come."""
        for _ in range(8):  # greeting, handshake and call each have their turn
            self.server.step()

    def _call(self, name: str, params: Any, answer: Answer) -> None:
        assert name == "wake"
        self.wakes.append((answer.user, params))
        if self.broken is None:
            self.bus.tell("streaming", demand=DEMAND)
            self.bus.publish(jpeg(len(self.wakes)))
        else:
            self.bus.tell("backoff", self.broken, demand=DEMAND)
        answer.result({"state": "opening"})


@contextmanager
def served(runtime: Path, prepare: Callable[[IdleDaemon], None] = lambda _: None) -> Iterator[Any]:
    """Run one in a thread; yield it."""
    bus = Bus(runtime, fps=0.2)
    with lock_held(bus.names):
        daemon = IdleDaemon(bus)
        prepare(daemon)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                select.select([daemon.server], [], [], 0.02)
                daemon.step()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield daemon
        finally:
            stop.set()
            thread.join()
            daemon.server.close()
            bus.close()
