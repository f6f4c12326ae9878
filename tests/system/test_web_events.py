"""Server-sent events out of a real gunicorn."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Self

from tests.helpers.locks import lock_held
from tests.helpers.multipart import split_head
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus


class Events:
    """One event stream, read event by event."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._socket.recv(4096)
        self.status, self.headers, self._buffer = split_head(self._buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def next(self, wanted: str = "state") -> dict[str, Any]:
        """Return the data of the next event of this kind."""
        while True:
            while b"\n\n" not in self._buffer:
                data = self._socket.recv(65536)
                assert data, "the event stream ended"
                self._buffer += data
            event, _, self._buffer = self._buffer.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in event.decode().splitlines())
            if fields.get("event") == wanted:
                told: dict[str, Any] = json.loads(fields["data"])
                return told


def test_the_state_comes_at_once_and_every_second(bus: Bus, tier: WebTier) -> None:
    bus.start()
    with Events(tier.port, "/cameras/camera/events") as events:
        assert events.status == "HTTP/1.1 200 OK"
        assert events.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert events.headers["X-Accel-Buffering"] == "no"
        told: list[dict[str, Any]] = []
        while len(told) < 3:
            state = events.next()
            if state["online"]:  # not where the machine stood still meanwhile
                told.append(state)
    assert told[0]["sequence"] < told[1]["sequence"] < told[2]["sequence"]
    assert told[0]["source"]["granted"]["width"] == 64


def test_a_change_is_told_in_the_daemons_words(bus: Bus, tier: WebTier) -> None:
    cause = {"code": "device-gone", "message": "unplugged", "remedy": "plug it in"}
    with lock_held(bus.names), Events(tier.port, "/cameras/camera/events") as events:
        assert events.next()["state"] == "streaming"
        bus.tell("backoff", cause)
        while (told := events.next())["state"] != "backoff":
            assert told["state"] == "streaming"
    assert told["cause"] == cause


def test_one_connection_tells_of_all_cameras_and_of_new_ones(
    runtime: Path, bus: Bus, tier: WebTier
) -> None:
    with Events(tier.port, "/events") as events:
        assert events.next()["camera"] == "camera"
        (runtime / "front.lock").touch()
        seen = {events.next()["camera"] for _ in range(4)}
    assert seen == {"camera", "front"}


def test_the_workers_are_told_so_that_a_page_knows_when_one_is_gone(tier: WebTier) -> None:
    with Events(tier.port, "/events") as events:
        assert events.next("server")["workers"] == tier.workers()
