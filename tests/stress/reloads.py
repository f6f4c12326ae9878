"""Viewers who outlive their workers: `python -m tests.stress.reloads --help`.

`framebus up` serves a clip whose frames are known byte for byte (outlive_kills.py judges the
parts). Viewers read it while the web tier is sent SIGHUP again and again. Meanwhile `/healthz` and
`/snapshot` are asked, over connections of their own and over one that is kept, and a reader of
every frame watches the capture (beside.py). Forbidden:

    disconnected   the end of any viewer's connection
    torn, older    a part that is no frame of the clip, or is older than the one before
    refused        an answer that is no 200, or breaks off
    capture_gaps   sequence numbers that the reader did not get, though the ring still held them
    open_at_end    connections that the tier still has when all viewers have left
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.helpers.metrics import Scrape, parsed
from tests.helpers.processes import alive, children
from tests.helpers.waiting import until
from tests.stress.beside import Beside
from tests.stress.outlive_kills import Session

_WAITING_OR_GONE = {"0A", "06"}  # LISTEN and TIME_WAIT of /proc/net/tcp


@dataclass(frozen=True)
class Result:
    """What a run saw."""

    viewers: int
    reloads: int
    frames: int
    placeholders: int
    torn: int
    older: int
    disconnected: int
    answers: int
    refused: list[str]
    capture_frames: int
    capture_gaps: int
    capture_lapped: int
    handovers: dict[str, float]
    accepted: float
    open_at_end: int
    master_descriptors: tuple[int, int]
    longest_gap_s: float
    old_worker_gone_s: list[float]
    exit_status: int

    def forbidden(self) -> list[str]:
        """Name all that must not be."""
        lost = sum(n for outcome, n in self.handovers.items() if outcome != "done")
        first, last = self.master_descriptors
        checks = {
            "torn": self.torn,
            "older": self.older,
            "disconnected": self.disconnected,
            "refused": self.refused,
            "capture_gaps": self.capture_gaps,
            "lost hand-overs": lost,
            "accepted anew": self.accepted != self.viewers,
            "open_at_end": self.open_at_end,
            "descriptors of the master": max(0, last - first),
            "exit_status": self.exit_status,
        }
        return [name for name, found in checks.items() if found]


def gunicorn_of(up: int) -> int:
    """The process id of gunicorn's master under `framebus up`."""

    def found() -> int:
        for pid in children(up):
            with contextlib.suppress(OSError):  # it may have ended meanwhile
                if b"web_workers.run_gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes().split(
                    b"\0"
                ):
                    return pid
        return 0

    return until(found, within_s=60, what="gunicorn is there")


def connections(port: int) -> int:
    """How many ends of connections this machine's servers on a port of loopback have."""
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        count += local == f"0100007F:{port:04X}" and state not in _WAITING_OR_GONE
    return count


def scrape(port: int) -> Scrape:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return parsed(connection.getresponse().read())
    finally:
        connection.close()


def run(*, viewers: int, reloads: int, workers: int = 2, within_s: float = 60.0) -> Result:
    """Reload the web tier `reloads` times under `viewers` viewers and say what they saw."""
    with tempfile.TemporaryDirectory(prefix="fb-") as directory:
        runtime = Path(directory)
        session = Session(runtime, viewers=viewers, options=("--workers", str(workers)))
        gone_s: list[float] = []
        try:
            master = gunicorn_of(session.up.pid)
            session.watch(until_newer_than=time.time() + 0.5, within_s=within_s)
            beside = Beside(session.port, runtime)
            try:
                first = _descriptors(master)
                for _ in range(reloads):
                    gone_s.append(_reload(session, master, workers, within_s))
                _until(lambda: _descriptors(master) <= first, within_s)
                last = _descriptors(master)
            finally:
                beside.end()
            told = _settled(session, viewers, within_s)
            for watcher in session.watchers:
                watcher.connection.close()
            _until(lambda: connections(session.port) == 0, within_s)
            left_open = connections(session.port)
        finally:
            status = session.end()
        watchers = session.watchers
        return Result(
            viewers=len(watchers),
            reloads=len(gone_s),
            frames=sum(w.frames for w in watchers),
            placeholders=sum(w.placeholders for w in watchers),
            torn=sum(w.torn for w in watchers),
            older=sum(w.older for w in watchers),
            disconnected=sum(w.ended for w in watchers),
            answers=beside.answers,
            refused=beside.refused,
            capture_frames=beside.frames,
            capture_gaps=beside.gaps,
            capture_lapped=beside.lapped,
            handovers={
                labels["outcome"]: told.value("framebus_handovers_total", **labels) or 0.0
                for labels in told.labels("framebus_handovers_total")
            },
            accepted=told.sum("framebus_viewers_accepted_total"),
            open_at_end=left_open,
            master_descriptors=(first, last),
            longest_gap_s=round(max(w.gap_s for w in watchers), 3),
            old_worker_gone_s=gone_s,
            exit_status=status,
        )


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _reload(session: Session, master: int, workers: int, within_s: float) -> float:
    """Send SIGHUP; return after how many seconds the old workers were gone.

    By then all viewers have seen a frame that was captured after that.
    """
    old = children(master)
    began, deadline = time.monotonic(), time.monotonic() + within_s
    os.kill(master, signal.SIGHUP)
    while any(alive(pid) for pid in old) or len(children(master)) != workers:
        session.read()
        if time.monotonic() > deadline:
            raise TimeoutError("the workers were not replaced")
    gone_s = round(time.monotonic() - began, 3)
    session.watch(until_newer_than=time.time(), within_s=within_s)
    return gone_s


def _settled(session: Session, viewers: int, within_s: float) -> Scrape:
    """Return what is told once all viewers are accounted for again."""
    result: list[Scrape] = []

    def look() -> bool:
        session.read()
        result[:] = [scrape(session.port)]
        return result[0].sum("framebus_viewers") == viewers

    _until(look, within_s)
    return result[0]


def _until(condition: Callable[[], bool], within_s: float) -> None:
    """Wait no longer than that, and leave it to others to judge."""
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        pass


def main() -> None:
    """Run once and print the result as JSON; exit 1 when something forbidden was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result = run(viewers=options.viewers, reloads=options.reloads, workers=options.workers)
    forbidden = result.forbidden()
    print(json.dumps({**asdict(result), "forbidden": forbidden}))
    sys.exit(1 if forbidden else 0)


if __name__ == "__main__":
    main()
