"""A real gunicorn over a test's runtime directory, and a client that reads streams strictly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.helpers.metrics import Scrape, parsed
from tests.helpers.multipart import Parser, Part, split_head
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.rigs.bus import Bus

STREAM_WORKER = "web_workers.reloading_worker.ReloadingWorker"


class WebTier:
    """gunicorn with framebus web's settings, on a free port of loopback."""

    def __init__(
        self,
        runtime: Path,
        *,
        workers: int = 1,
        worker_class: str = STREAM_WORKER,
        environ: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        self._log = runtime / "gunicorn.log"
        options = [
            item for key, value in more.items() for item in (f"--{key.replace('_', '-')}", value)
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "web_workers.run_gunicorn"),
                    *("--config", "python:web_workers.gunicorn_conf"),
                    *("--worker-class", worker_class, *options),
                ],
                env={
                    **os.environ,
                    "FRAMEBUS_RUNTIME_DIR": str(runtime),
                    "FRAMEBUS_BIND": "127.0.0.1:0",
                    "FRAMEBUS_WORKERS": str(workers),
                    **(environ or {}),
                },
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        found = until(
            lambda: re.search(r"Listening at: https?://127\.0\.0\.1:(\d+)", self.log()),
            within_s=30,
            what="gunicorn listens",
        )
        assert found is not None
        self.port = int(found[1])
        until(lambda: len(self.workers()) == workers, what="workers are there")
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(
                b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            with contextlib.suppress(OSError):  # over TLS that is no request, and no answer
                connection.recv(4096)  # one of them serves

    def log(self) -> str:
        return self._log.read_text()

    def workers(self) -> list[int]:
        return children(self.process.pid)

    def get(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return (status, headers, body) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return (status, body) of one POST."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        status, _, body = self.get(path, headers={"Accept": "application/json"})
        assert status == 200, body
        return json.loads(body)

    def scrape(self) -> Scrape:
        """What it tells Prometheus."""
        status, headers, body = self.get("/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=")
        return parsed(body)

    def close(self) -> None:
        """End it, and fail if it does not end cleanly."""
        self.process.terminate()
        try:
            code = self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
        assert code == 0, self.log()
        assert "Traceback" not in self.log(), self.log()


class Stream:
    """A viewer with a thread of its own: checks every part as it comes."""

    def __init__(self, port: int, path: str = "/stream", *, receive_buffer: int = 0) -> None:
        self._socket = socket.socket()
        if receive_buffer:  # must be set before connect to bound the window (tcp(7))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        self.local_port: int = self._socket.getsockname()[1]
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.parts: list[Part] = []
        self.times: list[float] = []
        self.error: Exception | None = None
        self.closed = False
        self.status, self.headers, rest = self._head()
        self._parser = Parser()
        self._take(rest)
        self._thread = threading.Thread(target=self._run)

    def start(self) -> Self:
        self._thread.start()
        return self

    def read_a_frame(self) -> None:
        """Read until there is one, in place of `start`; what comes after stays unread."""
        while not self.frames:
            got = self._socket.recv(4096)
            assert got, "the stream ended"
            self._take(got)

    def read_some(self) -> None:
        """Read a little, without a thread, if there is anything."""
        with contextlib.suppress(BlockingIOError):
            self._take(self._socket.recv(4096, socket.MSG_DONTWAIT))

    def read_a_part(self) -> None:
        """Read until there is a part, in place of `start`."""
        while not self.parts:
            got = self._socket.recv(4096)
            assert got, "the stream ended"
            self._take(got)

    def _head(self) -> tuple[str, dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            got = self._socket.recv(65536)
            assert got, data
            data += got
        return split_head(data)

    def _take(self, data: bytes) -> None:
        for part in self._parser.feed(data):
            self.parts.append(part)
            self.times.append(time.monotonic())

    def _run(self) -> None:
        try:
            while data := self._socket.recv(1 << 20):
                self._take(data)
        except Exception as error:  # noqa: BLE001  shown by whoever checks
            self.error = error
        self.closed = True

    @property
    def frames(self) -> list[Part]:
        """The parts that are frames, no placeholders."""
        return [part for part in self.parts if not part.placeholder]

    def wait(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until `condition`, failing at once when the stream ends."""
        until(lambda: condition() or self.closed, within_s=20, what=what)
        assert not self.closed, self.error

    def check(self) -> None:
        """Fail unless everything so far was in order."""
        assert self.error is None, self.error
        stamps = [part.timestamp for part in self.frames]
        assert stamps == sorted(stamps)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):  # the other end may be gone, and not be noticed yet
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()


def with_a_frame(
    tier: WebTier, bus: Bus, path: str = "/stream", *, receive_buffer: int = 0
) -> Stream:
    """A viewer, not started, that was sent a frame that was published before it joined.

    On a machine that stood still meanwhile it is an old one, and a placeholder comes: then again.
    """
    while True:
        bus.publish()
        viewer = Stream(tier.port, path, receive_buffer=receive_buffer)
        viewer.read_a_part()
        if not viewer.parts[0].placeholder:
            return viewer
        viewer.close()
