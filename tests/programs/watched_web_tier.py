"""A web tier with viewers, whose workers come and go."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier


class Watched:
    """A web tier with viewers."""

    def __init__(self, runtime: Path, viewers: int, **options: Any) -> None:
        self.tier = WebTier(runtime, **options)
        self.viewers = [Stream(self.tier.port).start() for _ in range(viewers)]
        try:
            self.all_see_more()
        except BaseException:
            self.close()
            raise

    def all_see_more(self, frames: int = 3) -> None:
        """Wait until each viewer has got so many more frames; fail if one lost its connection."""
        goals = [(viewer, len(viewer.frames) + frames) for viewer in self.viewers]
        for viewer, goal in goals:
            viewer.wait(lambda viewer=viewer, goal=goal: len(viewer.frames) >= goal, "more frames")  # type: ignore[misc]
            viewer.check()
            sequences = [part.sequence for part in viewer.frames]
            assert sequences == sorted(sequences)

    def after(self, act: Callable[[], object], workers: int) -> None:
        """Act, and wait until as many workers are there as there should be, all of them new."""
        old = self.tier.workers()
        act()

        def replaced() -> bool:
            now = self.tier.workers()
            return len(now) == workers and not set(now) & set(old)

        until(replaced, within_s=60, what="the workers are replaced")
        self.all_see_more()

    def reload(self) -> None:
        self.tier.process.send_signal(signal.SIGHUP)

    def count(self, name: str, **labels: str) -> float:
        return self.tier.scrape().value(f"framebus_{name}", **labels) or 0.0

    def per_worker(self) -> dict[int, list[str]]:
        """The peers of the viewers of each worker, by asking until all have answered."""
        found: dict[int, list[str]] = {}

        def all_answered() -> bool:
            told = self.tier.json("/state")["viewers"]
            found[told["worker"]] = [viewer["peer"] for viewer in told["list"]]
            return set(self.tier.workers()) <= set(found)

        until(all_answered, within_s=60, what="each worker has answered")
        return {worker: found[worker] for worker in self.tier.workers()}

    def close(self) -> None:
        for viewer in self.viewers:
            viewer.close()
        self.tier.close()


@contextlib.contextmanager
def watched(runtime: Path, viewers: int, **options: Any) -> Iterator[Watched]:
    watched = Watched(runtime, viewers, **options)
    try:
        yield watched
    finally:
        watched.close()
