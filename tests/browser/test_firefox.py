"""The page in Firefox, which like Chromium tells nobody that a picture's connection was lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.browser import firefox
from tests.helpers.waiting import until, until_it_moves
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(firefox.FIREFOX is None, reason="no firefox-esr"),
]


def test_the_page_gets_its_picture_back_from_a_killed_worker(runtime: Path, tmp_path: Path) -> None:
    tier = WebTier(runtime, workers=1)
    bus = Bus(runtime)
    bus.start()
    try:
        with firefox.window(tmp_path) as window:
            window.open(f"http://127.0.0.1:{tier.port}/")
            until(lambda: window.text(".state") == "Live", within_s=30)
            until_it_moves(lambda: window.screenshot(".picture img"))
            (worker,) = tier.workers()
            os.kill(worker, signal.SIGKILL)
            until(lambda: worker not in tier.workers(), within_s=30, what="it is gone")
            until_it_moves(lambda: window.screenshot(".picture img"))
    finally:
        bus.close()
        tier.close()
