"""The page's list of losses of frames, with a real daemon behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import chromium
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import WebTier

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]

SUMMARY = "() => document.querySelector('.incidents summary').textContent.endsWith('lost once')"


def test_a_loss_of_frames_appears_on_the_page_and_then_its_length_and_cure(
    runtime: Path, tmp_path: Path
) -> None:
    tier = WebTier(runtime, workers=1)
    try:
        with (
            DaemonProcess(runtime, "--source", "test") as daemon,
            chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong),
        ):
            daemon.until_state("streaming")
            page.wait_for_selector(".state.good", timeout=20_000)
            assert page.is_hidden(".incidents")
            clip = tmp_path / "clip.mjpeg"
            clip.touch()
            daemon.call("configure", source=f"file:{clip}")
            daemon.until_state("failed", "backoff")
            page.wait_for_function(SUMMARY, timeout=20_000)
            page.click(".incidents summary")
            assert "not back" in page.inner_text(".incidents li")
            daemon.call("configure", source="test")
            daemon.until_state("streaming")
            page.wait_for_function(
                "() => document.querySelector('.incidents li')"
                ".textContent.includes('until a person helped')",
                timeout=20_000,
            )
            page.screenshot(path=str(tmp_path / "page.png"))
            assert wrong == []
    finally:
        tier.close()
