"""`framebus up` on a clip, for stress: where it listens, its workers, and what they take."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from framebus.liveness import holder
from framebus.names import CameraNames

from tests.helpers.metrics import Scrape, parsed
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.stress.outlive_kills import free_port, make_clip


@dataclass(frozen=True)
class Serving:
    """What runs."""

    port: int
    up: subprocess.Popen[bytes]
    daemon: int
    master: int
    """gunicorn's."""
    frame_bytes: int
    """Of the mean frame."""

    def workers(self) -> list[int]:
        return children(self.master)

    def scrape(self) -> Scrape:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            return parsed(connection.getresponse().read())

    def descriptors(self) -> int:
        """How many descriptors all workers have open.

        But for event descriptors: those of ZeroMQ a worker makes with its first viewer, and keeps.
        """
        return sum(not link.startswith("anon_inode:") for link in self._links())

    def _links(self) -> Iterator[str]:
        for pid in self.workers():
            for fd in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    yield os.readlink(fd)

    def private(self) -> int:
        """Bytes of memory that the workers have, together, without what they share.

        The ring is of that: each of its pages counts as resident once a worker has read it.
        """
        pages = (Path(f"/proc/{pid}/statm").read_text().split()[1:3] for pid in self.workers())
        total = sum(int(resident) - int(shared) for resident, shared in pages)
        return total * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def serving(runtime: Path, *, workers: int, width: int, height: int) -> Iterator[Serving]:
    """Run it until the end of the context; it must end well."""
    clip = runtime / "clip.mjpeg"
    frames = len(make_clip(clip, frames=30, width=width, height=height))
    port = free_port()
    command = [
        *(sys.executable, "-m", "framebus", "up", "--source", f"file:{clip}", "--fps", "30"),
        *("--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
    ]
    environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)}
    up = subprocess.Popen(command, env=environ)
    lock = CameraNames(runtime).lock
    try:
        daemon = until(lambda: holder(lock), within_s=60, what="the daemon is there")
        master = until(
            lambda: next(
                (
                    pid
                    for pid in children(up.pid)
                    if pid != daemon and len(children(pid)) == workers
                ),
                0,
            ),
            within_s=60,
            what="the workers are there",
        )
        found = Serving(port, up, daemon, master, clip.stat().st_size // frames)
        until(lambda: _online(found), within_s=60, what="frames are served")
        yield found
    finally:
        up.send_signal(signal.SIGINT)
        try:
            code = up.wait(30)
        finally:
            up.kill()
            up.wait()
    assert code == 0, code


def _online(found: Serving) -> bool:
    try:
        return found.scrape().value("framebus_camera_online", camera="camera") == 1
    except OSError:
        return False


def published(found: Serving) -> tuple[float, float]:
    """Return when, monotonic seconds, and the newest frame's number."""
    sequence = found.scrape().value("framebus_ring_sequence", camera="camera")
    assert sequence is not None
    return time.monotonic(), sequence
