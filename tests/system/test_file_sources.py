"""The daemon with pictures that are rewritten, go away, or are too large for its ring."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.samples import pictures

FRAMES = [pictures.jpeg(number) for number in range(4)]


@contextmanager
def rewriting(path: Path, pause_s: float) -> Iterator[None]:
    """Rewrite a picture in place, as programs do that truncate it and take their time."""
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            data = FRAMES[number % len(FRAMES)]
            with path.open("wb", buffering=0) as file:
                over.wait(pause_s)
                file.write(data[:300])
                over.wait(pause_s)
                file.write(data[300:])
            over.wait(2 * pause_s)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def rejected(daemon: DaemonProcess) -> dict[str, int]:
    found: dict[str, int] = daemon.status()["frames"]["rejected"]
    return found


def test_a_picture_that_is_rewritten_in_place_costs_ticks_and_no_outage(
    runtime: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "now.jpg"
    picture.write_bytes(FRAMES[0])
    options = ("--source", f"file:{picture}", "--fps", "50")
    with DaemonProcess(runtime, *options) as daemon:
        before = daemon.until_state("streaming")
        with rewriting(picture, 0.05):
            until(lambda: rejected(daemon).get("empty", 0) > 20, what="ticks of an empty file")
            until(lambda: rejected(daemon).get("no-eoi", 0) > 20, what="ticks of half a file")
        after = daemon.status()
        # It streamed all the time.
        assert after["since_utc_ns"] == pytest.approx(before["since_utc_ns"], abs=1e8)
        assert after["cause"] is after["incident"] is None
        frames = after["frames"]
        assert frames["captured"] == frames["published"] + sum(frames["rejected"].values())


def test_a_picture_that_is_gone_for_good_is_a_cause_and_is_shown_when_it_is_back(
    runtime: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "now.jpg"
    picture.write_bytes(FRAMES[0])
    with DaemonProcess(runtime, "--source", f"file:{picture}") as daemon:
        daemon.until_state("streaming")
        picture.unlink()
        status = daemon.until_state("backoff")
        assert status["cause"]["code"] == "no-such-file"
        picture.write_bytes(FRAMES[1])
        daemon.until_state("streaming")


def blamed(daemon: DaemonProcess, code: str) -> dict[str, str]:
    """Return the cause if it is this one, nothing otherwise."""
    cause: dict[str, str] = daemon.status().get("cause") or {}
    return cause if cause.get("code") == code else {}


def test_frames_that_are_too_large_name_a_ring_size_that_helps(runtime: Path) -> None:
    options = ("--source", "test", "--size", "1280x720")
    with DaemonProcess(runtime, *options, "--ring-size", "64K") as daemon:
        # Between two openings it is in backoff for a moment only, which a look may miss.
        cause = until(lambda: blamed(daemon, "too-large"), what="the cause")
        words = cause["remedy"].replace(",", "").split()
        size = words[words.index("--ring-size") + 1]
        assert f'ring_size = "{size}"' in cause["remedy"]
        assert f"--ring-size {size}" in daemon.log()
    with DaemonProcess(runtime, *options, "--ring-size", size) as daemon:
        daemon.until_state("streaming")
        assert "too-large" not in rejected(daemon)
