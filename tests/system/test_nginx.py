"""Viewers behind nginx, with deploy/nginx/framebus.conf in front of a real web tier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import nginx
from tests.bus import Bus
from tests.system.webtier import Stream, WebTier

SITE = Path(__file__).parents[2] / "deploy" / "nginx" / "framebus.conf"

pytestmark = pytest.mark.skipif(nginx.NGINX is None, reason="nginx is not installed")


def site(upstream: int, port: int) -> str:
    """The site as it is, but for its two addresses."""
    text = SITE.read_text()
    for old, new in (
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("listen [::]:80;", ""),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime)
    yield tier
    tier.close()


@pytest.fixture
def port(tier: WebTier, tmp_path: Path) -> Iterator[int]:
    """The port of an nginx in front of `tier`."""
    port = nginx.free_port()
    with nginx.running(tmp_path, site(tier.port, port), port):
        yield port


@pytest.mark.parametrize("path", ["/cameras/camera/stream", "/stream", "/?action=stream"])
def test_frames_come_through_one_by_one_and_unchunked(runtime: Path, port: int, path: str) -> None:
    bus = Bus(runtime)
    try:
        first = bus.publish()
        viewer = Stream(port, path).start()
        try:
            assert "chunked" not in viewer.headers.get("transfer-encoding", "")
            viewer.wait(lambda: first in seen(viewer), "the first frame, with none after it")
            second = bus.publish()
            viewer.wait(lambda: second in seen(viewer), "the second")
            assert seen(viewer) == {first, second}
            viewer.check()
        finally:
            viewer.close()
    finally:
        bus.close()


def seen(viewer: Stream) -> set[int]:
    """The sequences of the frames that came; a frame is repeated while no newer one is there."""
    return {frame.sequence for frame in viewer.frames}
