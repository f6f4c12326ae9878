"""Everything but encoding works where Pillow, NumPy and simplejpeg cannot be had (32-bit ARM)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.daemon import DaemonProcess
from tests.programs.doctor import doctor
from tests.programs.web_tier import Stream, WebTier
from tests.programs.without import without
from tests.samples.pictures import jpeg

PICTURES = [jpeg(number) for number in range(4)]
NO_PICTURE = Path(__file__).parents[2] / "web_workers/static/no-picture.jpg"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment without what encodes."""
    return without(tmp_path, "PIL", "Pillow", "numpy", "simplejpeg")


@pytest.fixture
def source(tmp_path: Path) -> str:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(PICTURES))
    old = time.time() - 60
    os.utime(clip, (old, old))
    return f"file:{clip}"


@pytest.fixture
def tier(runtime: Path, bare: dict[str, str]) -> Iterator[WebTier]:
    tier = WebTier(runtime, environ=bare)
    yield tier
    tier.close()


def test_a_stream_a_snapshot_and_the_page_are_served(
    runtime: Path, source: str, bare: dict[str, str], tier: WebTier
) -> None:
    with DaemonProcess(runtime, "--source", source, environ=bare) as daemon:
        daemon.until_state("streaming")
        viewer = Stream(tier.port).start()
        try:
            viewer.wait(lambda: len(viewer.frames) >= 10, "frames")
            viewer.check()
            assert all(part.body in PICTURES for part in viewer.frames)
        finally:
            viewer.close()
        status, _, body = tier.get("/snapshot")
        assert status == 200
        assert body in PICTURES
        assert tier.get("/")[0] == 200
        assert tier.json("/state")["camera"] == "camera"
        taken = subprocess.run(
            [sys.executable, "-m", "framebus", "snapshot", "-o", "-"],
            env={**os.environ, **bare, "FRAMEBUS_RUNTIME_DIR": str(runtime)},
            capture_output=True,
            timeout=60,
        )
        assert taken.stdout in PICTURES, taken.stderr


def test_an_absent_cameras_viewers_see_a_card_that_was_drawn_before(
    runtime: Path, source: str, bare: dict[str, str], tier: WebTier
) -> None:
    viewer = Stream(tier.port).start()
    try:
        viewer.wait(lambda: len(viewer.parts) >= 2, "placeholders")
        assert {part.body for part in viewer.parts} == {NO_PICTURE.read_bytes()}
        with DaemonProcess(runtime, "--source", source, environ=bare) as daemon:
            daemon.until_state("streaming")
            viewer.wait(lambda: len(viewer.frames) >= 3, "frames")
        viewer.wait(lambda: bool(viewer.parts[-1].placeholder), "a placeholder again")
        assert viewer.parts[-1].body == NO_PICTURE.read_bytes()
    finally:
        viewer.close()
    assert tier.log().count("Pillow is needed and not installed here") == 1


def test_the_test_pattern_says_what_it_lacks(runtime: Path, bare: dict[str, str]) -> None:
    with DaemonProcess(runtime, "--source", "test", environ=bare) as daemon:
        cause = daemon.until_state("failed", "backoff", "waiting")["cause"]
    assert cause["code"] == "no-pillow"
    assert "framebus doctor" in cause["remedy"]


def test_the_doctor_says_what_is_missing_and_what_that_costs(
    runtime: Path, bare: dict[str, str]
) -> None:
    said = " ".join(doctor(**bare, FRAMEBUS_RUNTIME_DIR=str(runtime)).stdout.split())
    assert "numpy and simplejpeg are not installed: a camera without MJPEG" in said
    assert "Pillow is not installed: the test pattern cannot be drawn" in said
