"""What the page links to, in tabs of their own, and the page where it cannot be what it should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.programs.guarded_web_tier import Guarded
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]

LIMIT_MS = 60_000
MIDDLE = """() => {
  const box = document.images[0].getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}"""


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime, environ={"FRAMEBUS_CAMERAS": "camera garden"})
    yield tier
    tier.close()


@pytest.mark.parametrize("path", ["stream", "snapshot?placeholder=1", "?action=stream"])
def test_a_picture_in_a_tab_of_its_own_is_in_the_middle_of_it(
    tier: WebTier, live_bus: Bus, path: str
) -> None:
    with chromium.page("about:blank", width=1000, height=800) as (page, wrong):
        page.goto(f"http://127.0.0.1:{tier.port}/{path}", wait_until="commit")
        page.wait_for_function("() => document.images[0]?.naturalWidth > 0", timeout=LIMIT_MS)
        assert page.evaluate(MIDDLE) == [500, 400]
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)"
        )
        assert wrong == []


@pytest.mark.parametrize("path", ["state", "cameras", "cameras/camera", "metrics", "robots.txt"])
def test_a_document_in_a_tab_of_its_own_is_shown_without_errors(
    tier: WebTier, live_bus: Bus, path: str
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/{path}") as (page, wrong):
        assert len(page.inner_text("pre")) > 10
        assert wrong == []


def test_a_camera_whose_daemon_never_ran_is_shown_as_not_running(
    tier: WebTier, live_bus: Bus
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        garden = page.locator("[data-camera=garden]")
        garden.locator(".cause").wait_for(timeout=LIMIT_MS)
        assert garden.locator(".state").inner_text() == "Not running"
        assert "framebus capture --name garden" in garden.locator(".cause").inner_text()
        assert wrong == []


def test_a_picture_is_marked_as_old_while_the_server_is_away_also_on_the_whole_screen(
    runtime: Path, live_bus: Bus
) -> None:
    first = WebTier(runtime)
    with chromium.page(f"http://127.0.0.1:{first.port}/") as (page, _):
        page.wait_for_selector(".state.good", timeout=LIMIT_MS)
        assert page.locator(".lost").is_hidden()
        page.locator(".full").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.fullscreenElement?.matches('.picture')")
        first.close()
        page.wait_for_selector(":fullscreen .lost:not([hidden])", timeout=LIMIT_MS)
        assert page.inner_text(".lost") == "Old picture: no connection to framebus"
        covers = "document.elementFromPoint(innerWidth / 2, innerHeight / 2).className"
        assert page.evaluate(covers) == "lost"
        second = WebTier(runtime, environ={"FRAMEBUS_BIND": f"127.0.0.1:{first.port}"})
        try:
            page.wait_for_selector(":fullscreen .lost", state="hidden", timeout=LIMIT_MS)
        finally:
            second.close()


def test_where_commanding_needs_a_password_and_looking_none_the_page_says_how_to_log_in() -> None:
    with Guarded(FRAMEBUS_VIEW="open") as server, chromium.page("about:blank") as (page, wrong):
        page.goto(server.origin, wait_until="domcontentloaded")
        page.wait_for_selector(".state.good", timeout=LIMIT_MS)
        assert page.query_selector(".commands") is None
        href = page.evaluate("document.querySelector('.login').href")
        assert href == f"{server.origin}/login"
        address = server.origin.replace("//", f"//anybody:{server.token}@")
        page.goto(f"{address}/login", wait_until="domcontentloaded")
        assert page.url.rstrip("/").endswith(str(server.tier.port))
        page.wait_for_selector('.commands [data-method="stop"]', timeout=LIMIT_MS)
        assert page.query_selector(".login") is None
        assert wrong == []
