"""Snapshots beside half-open requests: `python -m tests.stress.half_open --help`.

A thousand connections send all of a request but its end, and come again when they are thrown out.
Meanwhile one client asks for snapshots, each over a connection of its own, and is timed from before
it connects until it has the whole picture.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.waiting import until
from tests.stress.rude_clients import RudeClients
from tests.stress.serving import serving


@dataclass(frozen=True)
class Result:
    """Milliseconds of the snapshots, alone and beside the half-open requests."""

    half_open: int
    snapshots: int
    thrown_out: int
    alone_p50_ms: float
    alone_p99_ms: float
    p50_ms: float
    p99_ms: float
    most_ms: float


def run(*, half_open: int, snapshots: int, workers: int, within_s: float) -> Result:
    """Ask for `snapshots` pictures, alone and then beside `half_open` requests."""
    with (
        tempfile.TemporaryDirectory(prefix="fb-") as directory,
        serving(Path(directory), workers=workers, width=1280, height=720) as site,
    ):
        alone = _times_ms(site.port, snapshots, within_s)
        rude = RudeClients(site.port, half_open=half_open)
        rude.start()
        try:
            until(lambda: rude.settled or rude.error, within_s=within_s, what="they are there")
            beside = _times_ms(site.port, snapshots, within_s)
        finally:
            rude.close()
    return Result(
        half_open=half_open,
        snapshots=len(beside),
        thrown_out=rude.ended["half-open"],
        alone_p50_ms=_share(alone, 0.5),
        alone_p99_ms=_share(alone, 0.99),
        p50_ms=_share(beside, 0.5),
        p99_ms=_share(beside, 0.99),
        most_ms=_share(beside, 1.0),
    )


def _times_ms(port: int, count: int, within_s: float) -> list[float]:
    times = []
    for _ in range(count):
        begun = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)) as client:
            # Of a placeholder, where the machine stood still and no frame is fresh.
            client.request("GET", "/snapshot?placeholder=1", headers={"Connection": "close"})
            response = client.getresponse()
            picture = response.read()
        times.append((time.monotonic() - begun) * 1000)
        if response.status != 200 or picture[:2] != b"\xff\xd8":
            raise RuntimeError(f"no snapshot: {response.status} {picture[:200]!r}")
        time.sleep(0.02)
    return sorted(times)


def _share(times: list[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(len(times) * share))], 1)


def main() -> None:
    """Run once and print the result as JSON; exit 1 when the 99th percentile is over 200 ms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--half-open", type=int, default=1000)
    parser.add_argument("--snapshots", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result = run(
        half_open=options.half_open,
        snapshots=options.snapshots,
        workers=options.workers,
        within_s=30.0,
    )
    print(json.dumps(result.__dict__))
    sys.exit(0 if result.p99_ms <= 200 else 1)


if __name__ == "__main__":
    main()
