"""What goes on beside viewers while a web tier is reloaded: requests, and a reader of frames."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass, field
from pathlib import Path

from framebus.errors import FrameTimeout
from framebus.reader import FrameReader


@dataclass
class Beside:
    """Asks and reads, in threads, until it is ended.

    A camera that is late is not the web tier's fault, so snapshots may be of a placeholder.
    """

    port: int
    runtime: Path
    answers: int = 0
    refused: list[str] = field(default_factory=list)
    frames: int = 0
    gaps: int = 0
    lapped: int = 0

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=target)
            for target in (self._ask, self._ask_over_one_connection, self._read_every_frame)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._end.wait(0.02):
            for path in ("/healthz", "/snapshot?placeholder=1"):
                connection = self._connection()
                try:
                    self._judge(path, connection)
                except OSError as error:
                    self.refused.append(f"{path}: {error!r}")
                finally:
                    connection.close()

    def _ask_over_one_connection(self) -> None:
        """Ask again and again; a server may close a connection between two answers (RFC 9112)."""
        connection = self._connection()
        fresh = True
        while not self._end.wait(0.05):
            try:
                self._judge("/healthz", connection)
                fresh = False
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                connection.close()
                if fresh:
                    self.refused.append(f"first on a connection: {error!r}")
                fresh = True
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def _judge(self, path: str, connection: http.client.HTTPConnection) -> None:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except http.client.IncompleteRead as error:
            self.refused.append(f"{path}: {error!r}")
            return
        self.answers += 1
        if response.status != 200:
            self.refused.append(f"{path}: {response.status} {body[:200]!r}")

    def _read_every_frame(self) -> None:
        last = 0
        with FrameReader(runtime=self.runtime, every=True) as reader:
            while not self._end.is_set():
                try:
                    frame = reader.next(1.0)
                except FrameTimeout:
                    continue
                self.frames += 1
                if last:
                    self.gaps += frame.sequence - last - 1
                last = frame.sequence
            self.lapped = reader.lapped
            self.gaps -= reader.lapped
