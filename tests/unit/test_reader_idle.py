"""FrameReader over a camera that rests while nobody watches."""

from __future__ import annotations

from pathlib import Path

from framebus import FrameReader

from tests.helpers.waiting import until
from tests.rigs.idle_daemon import served


def test_next_and_latest_wake_a_camera_that_rests(runtime: Path) -> None:
    with served(runtime) as daemon, FrameReader(runtime=runtime) as reader:
        assert reader.next(20.0).sequence == 1
        assert len(daemon.wakes) == 1
        with FrameReader(runtime=runtime) as other:
            other.latest()
            until(lambda: len(daemon.wakes) == 2)
        assert reader.history(60.0)
        assert reader.status()
