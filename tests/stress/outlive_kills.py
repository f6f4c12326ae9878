"""Viewers who outlive their daemon: `python -m tests.stress.outlive_kills --help`.

`framebus up` serves a clip whose frames are known byte for byte. Viewers read it while the daemon
is SIGKILLed again and again. Each part is judged:

    frame        bytes are one of the clip's frames, captured later than the viewer's last one
    placeholder  says so in its headers, and stands for no frame older than the last one
    torn, older  anything else: forbidden, as is the end of any viewer's connection
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framebus.liveness import holder
from framebus.names import SHARED_MEMORY, CameraNames, segments_prefix
from PIL import Image

from tests.helpers.multipart import Parser, Part, split_head

_HOARD = 1 << 19
"""What a viewer's socket holds for it, bytes (SO_RCVBUF). Python is slow to judge frames, and left
to the kernel (32 MiB a socket) five hundred viewers fill net.ipv4.tcp_mem: then packets are dropped
on the loopback device, and a connection may need ten seconds to recover."""


def make_clip(path: Path, *, frames: int, width: int, height: int) -> set[int]:
    """Write JPEGs one after another, none like another, and return the CRC-32 of each."""
    chance = random.Random(7)
    checks = set()
    with path.open("wb") as clip:
        for _ in range(frames):
            coarse = Image.frombytes("RGB", (320, 180), chance.randbytes(320 * 180 * 3))
            buffer = io.BytesIO()
            coarse.resize((width, height), Image.Resampling.BILINEAR).save(
                buffer, "JPEG", quality=70
            )
            clip.write(buffer.getvalue())
            checks.add(zlib.crc32(buffer.getvalue()))
    return checks


@dataclass
class Watcher:
    """One viewer and what it saw."""

    connection: socket.socket
    checks: set[int]
    head: bytes = b""
    parser: Parser | None = None
    frames: int = 0
    placeholders: int = 0
    torn: int = 0
    older: int = 0
    ended: bool = False
    last_timestamp: float = 0.0
    last_frame_at: float = 0.0
    gap_s: float = 0.0  # the longest between two frames

    def read(self) -> None:
        """Take in what has arrived."""
        data = self.connection.recv(1 << 20)
        if not data:
            self.ended = True
            return
        if self.parser is None:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            status, headers, data = split_head(self.head)
            assert status.split()[1] == "200", status
            assert "Transfer-Encoding" not in headers
            self.parser = Parser()
        for part in self.parser.feed(data):
            self._judge(part)

    def _judge(self, part: Part) -> None:
        if part.placeholder:
            self.placeholders += 1
            if part.sequence and part.timestamp < self.last_timestamp:
                self.older += 1
            return
        if zlib.crc32(part.body) not in self.checks:
            self.torn += 1
        if part.timestamp < self.last_timestamp:
            self.older += 1
        if part.timestamp > self.last_timestamp:
            now = time.monotonic()
            if self.last_frame_at:
                self.gap_s = max(self.gap_s, now - self.last_frame_at)
            self.last_frame_at = now
            self.frames += 1
        self.last_timestamp = part.timestamp


@dataclass(frozen=True)
class Result:
    """What a run saw; all but `gaps_s` and the counts of good parts must be zero."""

    viewers: int
    kills: int
    frames: int
    placeholders: int
    torn: int
    older: int
    disconnected: int
    gaps_s: list[float]
    left_in_shm: list[str]
    left_in_runtime: list[str]
    exit_status: int


class Session:
    """`framebus up` on a clip, and viewers on it."""

    def __init__(self, runtime: Path, *, viewers: int, options: Sequence[str] = ()) -> None:
        """`options` are further ones of `framebus up`."""
        self.names = CameraNames(runtime)
        clip = runtime / "clip.mjpeg"
        checks = make_clip(clip, frames=30, width=1280, height=720)
        self.port = free_port()
        command = [
            *(sys.executable, "-m", "framebus", "up", "--source", f"file:{clip}"),
            *("--fps", "30", "--bind", f"127.0.0.1:{self.port}"),
            *options,
        ]
        environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)}
        self.up = subprocess.Popen(command, env=environ)
        self._selector = selectors.DefaultSelector()
        self.watchers: list[Watcher] = []
        try:
            self._connect(viewers, checks)
        except BaseException:
            self.end()
            raise

    def _connect(self, viewers: int, checks: set[int]) -> None:
        deadline = time.monotonic() + 30
        while not self.watchers:
            if self.up.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"`framebus up` does not serve (exit {self.up.returncode})")
            try:
                self._add(checks)
            except OSError:
                time.sleep(0.05)
        while len(self.watchers) < viewers:
            self._add(checks)

    def _add(self, checks: set[int]) -> None:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _HOARD)
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        watcher = Watcher(connection, checks)
        self._selector.register(watcher.connection, selectors.EVENT_READ, watcher)
        self.watchers.append(watcher)

    def watch(self, *, until_newer_than: float, within_s: float) -> float:
        """Read until every viewer has a frame captured after this moment (UTC seconds).

        Returns the monotonic time at which the last of them had it; raises TimeoutError.
        """
        deadline = time.monotonic() + within_s
        while True:
            waiting = [w for w in self.watchers if w.last_timestamp <= until_newer_than]
            if not [w for w in waiting if not w.ended]:
                return max(w.last_frame_at for w in self.watchers)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(waiting)} viewers without a new frame")
            self.read()

    def read(self) -> None:
        """Read what there is, after waiting a tenth of a second at most."""
        for key, _ in self._selector.select(0.1):
            watcher: Watcher = key.data
            watcher.read()
            if watcher.ended:
                self._selector.unregister(watcher.connection)

    def kill_daemon(self) -> tuple[float, float]:
        """SIGKILL the daemon; return when, monotonic and UTC."""
        pid = holder(self.names.lock)
        if not pid:
            raise RuntimeError("no daemon to kill")
        os.kill(pid, signal.SIGKILL)
        return time.monotonic(), time.time()

    def end(self) -> int:
        """Ctrl-C, and close everything; return what `framebus up` ended with."""
        self.up.send_signal(signal.SIGINT)
        try:
            return self.up.wait(30)
        finally:
            self.up.kill()
            self.up.wait()
            for watcher in self.watchers:
                watcher.connection.close()
            self._selector.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def run(*, viewers: int, kills: int, within_s: float) -> Result:
    """Kill the daemon `kills` times under `viewers` viewers and say what they saw."""
    with tempfile.TemporaryDirectory(prefix="fb-") as directory:
        runtime = Path(directory)
        session = Session(runtime, viewers=viewers)
        gaps = []
        try:
            session.watch(until_newer_than=time.time() + 1.0, within_s=within_s)
            for _ in range(kills):
                killed, killed_utc = session.kill_daemon()
                first = session.watch(until_newer_than=killed_utc, within_s=within_s)
                gaps.append(round(first - killed, 3))
                session.watch(until_newer_than=time.time() + 0.5, within_s=within_s)
        finally:
            status = session.end()
        watchers = session.watchers
        prefix = segments_prefix(session.names.runtime)
        return Result(
            viewers=len(watchers),
            kills=len(gaps),
            frames=sum(w.frames for w in watchers),
            placeholders=sum(w.placeholders for w in watchers),
            torn=sum(w.torn for w in watchers),
            older=sum(w.older for w in watchers),
            disconnected=sum(w.ended for w in watchers),
            gaps_s=gaps,
            left_in_shm=[name for name in os.listdir(SHARED_MEMORY) if name.startswith(prefix)],
            left_in_runtime=[name for name in os.listdir(runtime) if name != "clip.mjpeg"],
            exit_status=status,
        )


def main() -> None:
    """Run once and print the result as JSON; exit 1 when something forbidden was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--within", type=float, default=1.0, help="seconds to a new frame")
    options = parser.parse_args()
    result = run(viewers=options.viewers, kills=options.kills, within_s=max(10.0, options.within))
    print(json.dumps(result.__dict__))
    bad = result.torn + result.older + result.disconnected + result.exit_status
    left = result.left_in_shm + result.left_in_runtime
    sys.exit(1 if bad or left or max(result.gaps_s, default=0.0) > options.within else 0)


if __name__ == "__main__":
    main()
