"""Viewers over TLS, behind nginx: `python -m tests.stress.over_tls --help`.

nginx is set up as deploy/nginx has it, `framebus up` serves a clip at 30 frames a second, and every
viewer is a curl of its own. Reported:

    least_share     of the bytes that were published, what the unluckiest viewer got
    median_share    and the one in the middle
    failed          curls that ended for another reason than that their time was up
    nginx_percent, web_percent
                    what nginx and the web tier took of a core
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import cpu
from tests.helpers.processes import children
from tests.programs import nginx
from tests.programs.nginx_site import site_at
from tests.stress.serving import Serving, published, serving

_TIME_IS_UP = 28  # curl(1), EXIT CODES


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    viewers: int
    seconds: float
    frame_bytes: int
    least_share: float
    median_share: float
    failed: int
    nginx_percent: float
    web_percent: float


def run(*, viewers: int, seconds: float, workers: int, width: int, height: int) -> Result:
    """Have `viewers` watch for so long."""
    with tempfile.TemporaryDirectory(prefix="fb-") as directory:
        runtime, front = Path(directory, "run"), Path(directory, "nginx")
        runtime.mkdir()
        front.mkdir()
        with serving(runtime, workers=workers, width=width, height=height) as site:
            plain, tls = nginx.free_port(), nginx.free_port()
            text = site_at(front, site.port, plain, tls)
            with nginx.running(front, text, plain, connections=2 * viewers + 64) as proxy:
                return _watched(site, proxy, tls, viewers, seconds)


def _watched(site: Serving, proxy: int, port: int, viewers: int, seconds: float) -> Result:
    command = [
        *("curl", "--silent", "--insecure", "--output", "/dev/null", "--max-time", str(seconds)),
        *("--write-out", "%{size_download} %{time_total}"),
        f"https://127.0.0.1:{port}/cameras/camera/stream",
    ]
    groups = ({proxy, *children(proxy)}, {site.master, *site.workers()})
    before = [cpu.times_ns(group)[0] for group in groups]
    since, first = published(site)
    curls = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(viewers)]
    try:
        told = [curl.communicate(timeout=seconds + 60)[0].split() for curl in curls]
    finally:
        for curl in curls:
            curl.kill()
            curl.wait()
    until, last = published(site)
    wall_s = time.monotonic() - since
    spent = [cpu.times_ns(g)[0] - b for g, b in zip(groups, before, strict=True)]
    rate = (last - first) / (until - since) * site.frame_bytes
    shares = sorted(int(size) / float(took) / rate for size, took in told)
    return Result(
        viewers=viewers,
        seconds=seconds,
        frame_bytes=site.frame_bytes,
        least_share=round(shares[0], 4),
        median_share=round(statistics.median(shares), 4),
        failed=sum(curl.returncode != _TIME_IS_UP for curl in curls),
        nginx_percent=round(spent[0] / wall_s / 1e7, 1),
        web_percent=round(spent[1] / wall_s / 1e7, 1),
    )


def main() -> None:
    """Run once and print the result as JSON; exit 1 when it is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    options = parser.parse_args()
    result = run(**vars(options))
    print(json.dumps(asdict(result)))
    sys.exit(0 if result.least_share >= 0.95 and not result.failed else 1)


if __name__ == "__main__":
    main()
