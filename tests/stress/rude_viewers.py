"""Good viewers among rude ones: `python -m tests.stress.rude_viewers --help`.

`framebus up` serves a clip. Of a thousand viewers 500 stop reading, 100 read 1 kB a second, 50 come
and 50 go each second, and the rest, the benchmark's load client, watch. What is reported:

    least_share      of the frames that were published, what the unluckiest good viewer got
    disconnected     good viewers that lost their connection
    worker_frames    what each viewer who stalls or dawdles has cost the workers at most, in frames
    server_frames    what the kernel held at most for each of those at the server's end, in frames
    client_frames    the same at their own end, which is no matter of the server's
    descriptors      of all workers, before the rude ones came and once they had left
    back_after_s     how long after they left that was
    capture_fps      frames published a second, and `missed`: gaps that the daemon counted
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks import tools
from benchmarks.client import Stamp, Viewers
from tests.helpers.waiting import until
from tests.stress.rude_clients import RudeClients
from tests.stress.serving import Serving, published, serving
from tests.stress.tcp_memory import held

OF = {"camera": "camera", "kind": "stream"}


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    good: int
    stalled: int
    slow: int
    passing: int
    seconds: float
    frame_bytes: int
    least_share: float
    median_share: float
    disconnected: int
    broken: int
    worker_frames: float
    server_frames: float
    client_frames: float
    descriptors: tuple[int, int]
    back_after_s: float
    capture_fps: float
    missed: float
    rejected: float
    accepted: float
    closed: dict[str, float]
    left: float
    """Viewers still counted when all had left."""


def run(*, viewers: int, seconds: float, workers: int, within_s: float) -> Result:
    """Half of `viewers` stop reading, a tenth read slowly, and a twentieth come and go a second."""
    stalled, slow, passing = viewers // 2, viewers // 10, viewers // 20
    good = viewers - stalled - slow - passing
    with tempfile.TemporaryDirectory(prefix="fb-") as directory:
        runtime = Path(directory)
        load = tools.program("load", runtime)
        with serving(runtime, workers=workers, width=1280, height=720) as site:
            watching = Viewers(
                load,
                port=site.port,
                path="/stream",
                count=good,
                stamp=Stamp(),
                cores=sorted(os.sched_getaffinity(0)),
            )
            with closing(watching):
                watching.wait()
                return _beside(site, watching, stalled, slow, passing, seconds, within_s)


def _beside(
    site: Serving,
    watching: Viewers,
    stalled: int,
    slow: int,
    passing: int,
    seconds: float,
    within_s: float,
) -> Result:
    settled_s = 5.0  # of good viewers alone, by which workers have what they need for them
    time.sleep(settled_s)
    descriptors, before = site.descriptors(), site.private()
    worker = server = client = 0
    rude = RudeClients(site.port, stalled=stalled, slow=slow, passing=passing)
    rude.start()
    try:
        until(lambda: rude.settled or rude.error, within_s=within_s, what="the rude ones are there")
        since, first = published(site)
        watching.measure()
        while time.monotonic() < since + seconds:
            time.sleep(0.25)
            worker = max(worker, site.private() - before)
            kernel = held(site.port, rude.staying)
            server, client = max(server, kernel.server), max(client, kernel.clients)
        report = watching.report()
        until_, last = published(site)
    finally:
        rude.close()
    gone = time.monotonic()
    until(lambda: site.descriptors() <= descriptors, within_s=within_s, what="descriptors are back")
    back_after_s = time.monotonic() - gone
    after = site.descriptors()
    watching.close()
    until(lambda: _viewers(site) == 0, within_s=within_s, what="all have left")
    scrape = site.scrape()
    rate = (last - first) / (until_ - since)
    shares = sorted(parts / (rate * report.elapsed_s) for parts in report.parts)
    closed = {
        labels["reason"]: value
        for labels in scrape.labels("framebus_viewers_closed_total")
        if labels["kind"] == "stream"
        and (value := scrape.value("framebus_viewers_closed_total", **labels))
    }
    camera = {"camera": "camera", "origin": "camera"}
    each = site.frame_bytes * (stalled + slow)
    return Result(
        good=len(report.parts),
        stalled=stalled,
        slow=slow,
        passing=passing,
        seconds=round(report.elapsed_s, 2),
        frame_bytes=site.frame_bytes,
        least_share=round(shares[0], 4),
        median_share=round(shares[len(shares) // 2], 4),
        disconnected=report.closed,
        broken=report.broken + report.backwards,
        worker_frames=round(worker / each, 2),
        server_frames=round(server / each, 2),
        client_frames=round(client / each, 2),
        descriptors=(descriptors, after),
        back_after_s=round(back_after_s, 2),
        capture_fps=round(rate, 2),
        missed=scrape.value("framebus_frames_missed_total", **camera) or 0.0,
        rejected=scrape.sum("framebus_frames_rejected_total", **camera),
        accepted=scrape.value("framebus_viewers_accepted_total", **OF) or 0.0,
        closed=closed,
        left=_viewers(site),
    )


def _viewers(site: Serving) -> float:
    return site.scrape().value("framebus_viewers", **OF) or 0.0


def main() -> None:
    """Run once and print the result as JSON; exit 1 when it is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--viewers", type=int, default=1000, help="rude and good together")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result = run(
        viewers=options.viewers,
        seconds=options.seconds,
        workers=options.workers,
        within_s=60.0,
    )
    print(json.dumps(result.__dict__))
    good = (
        result.least_share >= 0.95
        and not (result.disconnected or result.broken or result.left)
        and result.worker_frames + result.server_frames <= 1.25  # with what managing them takes
        and result.back_after_s <= 20.0
        and not (result.missed or result.rejected)
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
