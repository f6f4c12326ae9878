"""The page in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import chromium
from tests.helpers.locks import lock_held
from tests.helpers.waiting import until
from tests.programs.guarded_web_tier import Guarded
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus
from tests.rigs.idle_daemon import served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]


def _rate(page: Page, rate: str) -> None:
    """Wait until it is shown: there is none for a moment where states are late."""
    page.wait_for_function(
        "rate => document.querySelector('.fps').textContent === rate", arg=rate, timeout=20_000
    )


def _viewers(tier: WebTier) -> int:
    """Viewers of the worker that answers; of all in the long run."""
    return int(tier.json("/state")["viewers"]["count"])


def test_the_page_shows_live_frames_and_state(tier: WebTier, live_bus: Bus) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        page.wait_for_function("() => document.querySelector('.camera img')?.naturalWidth === 64")
        chromium.moves(page)
        page.wait_for_function("() => document.querySelector('.state').textContent === 'Live'")
        assert page.inner_text(".size") == "64 \N{MULTIPLICATION SIGN} 48"
        _rate(page, "30.0 fps")
        page.wait_for_selector(".cause", state="hidden", timeout=20_000)
        assert wrong == []


def test_the_page_commands_a_camera_for_who_has_the_token() -> None:
    with (
        Guarded() as server,
        chromium.page(f"{server.origin}/?token={server.token}") as (page, wrong),
    ):
        assert page.url == f"{server.origin}/", "the token is not left in the address bar"
        chromium.moves(page)
        page.click('.commands [data-method="stop"]')
        page.wait_for_function(
            "() => document.querySelector('.commands output').textContent.startsWith('Done: ')"
        )
        server.daemon.until_state("stopped", within_s=30)
        page.wait_for_selector(".cause:not([hidden])", timeout=20_000)
        page.click('.commands [data-method="start"]')
        server.daemon.until_state("streaming", within_s=30)
        page.wait_for_selector(".state.good", timeout=20_000)
        assert wrong == []


def test_a_reset_is_offered_only_where_there_is_or_could_be_a_usb_device() -> None:
    offered = """() => [undefined, [], "grant it", ""].map((remedy) => {
        const unavailable = typeof remedy === "string" ? [{ rung: "usb-reset", remedy }] : remedy;
        page.take({ camera: "camera", state: "streaming", online: true, cause: null, age_s: 0,
                    recovery: { unavailable } });
        return !document.querySelector('[data-rung="usb-reset"]').hidden;
    })"""
    with (
        Guarded() as server,
        chromium.page(f"{server.origin}/?token={server.token}") as (page, wrong),
    ):
        page.wait_for_selector(".state.good", timeout=20_000)
        # The test pattern has none.
        page.wait_for_selector('[data-rung="usb-reset"]', state="hidden", timeout=20_000)
        assert page.is_visible('.commands [data-method="restart"]')
        assert page.evaluate(offered) == [True, True, True, False]
        assert wrong == []


def test_the_page_has_no_commands_where_nobody_may_command(tier: WebTier, live_bus: Bus) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, _):
        page.wait_for_selector(".state.good", timeout=20_000)
        assert page.query_selector(".commands") is None


def test_the_page_names_the_cause_and_recovers_by_itself(
    runtime: Path, tier: WebTier, live_bus: Bus
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        chromium.moves(page)
        live_bus.close()
        page.wait_for_selector(".cause:not([hidden])", timeout=20_000)
        assert "No capture daemon runs" in page.inner_text(".cause")
        live_bus.__init__(runtime)  # type: ignore[misc]  # the same fixture closes the next epoch
        live_bus.start()
        chromium.moves(page)
        page.wait_for_selector(".state.good", timeout=20_000)
        assert wrong == []


def test_the_page_says_that_a_fallback_is_not_the_camera(tier: WebTier, live_bus: Bus) -> None:
    granted = {"fourcc": "MJPG", "width": 160, "height": 120, "fps": 5.0}
    cause = {"code": "device-absent", "message": "it is unplugged", "remedy": "plug it in"}
    source = {"spec": "test", "granted": granted}
    with (
        lock_held(live_bus.names),
        chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong),
    ):
        live_bus.tell("backoff", cause, {"shown": True, "source": source, "frames": {"fps": 5.0}})
        page.wait_for_function("() => document.querySelector('.state')?.textContent === 'Fallback'")
        told = page.inner_text(".cause")
        assert told == "This is test, not the camera. It is unplugged. Plug it in."
        _rate(page, "5.0 fps")
        assert page.inner_text(".size") == "160 \N{MULTIPLICATION SIGN} 120"
        live_bus.tell("streaming")
        page.wait_for_function("() => document.querySelector('.state').textContent === 'Live'")
        page.wait_for_selector(".cause", state="hidden", timeout=20_000)
        assert wrong == []


def test_a_camera_that_appears_later_gets_its_card(
    runtime: Path, tier: WebTier, live_bus: Bus
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        page.wait_for_selector("[data-camera=camera]")
        (runtime / "front.lock").touch()
        front = Bus(runtime, "front")
        front.start()
        try:
            page.wait_for_function(
                "() => document.querySelector('[data-camera=front] img')?.naturalWidth === 64",
                timeout=20_000,
            )
            assert wrong == []
        finally:
            front.close()


def test_leaving_the_page_lets_its_connections_go(runtime: Path, live_bus: Bus) -> None:
    tier = WebTier(runtime)
    try:
        with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, _):
            chromium.moves(page)
            assert _viewers(tier) == 1
            page.goto("about:blank")
            until(lambda: _viewers(tier) == 0, what="the stream is let go")
    finally:
        tier.close()


def test_five_cameras_on_a_telephone_fit_and_the_fifth_says_how_it_is_shown(
    runtime: Path, tier: WebTier, live_bus: Bus
) -> None:
    others = [Bus(runtime, f"workshop-{number}", fps=5) for number in range(4)]
    try:
        for other in others:
            (runtime / f"{other.names.camera}.lock").touch()
            other.start()
        url = f"http://127.0.0.1:{tier.port}/"
        with chromium.page(url, width=390, height=844) as (page, wrong):
            page.wait_for_function(
                "() => [...document.querySelectorAll('.state')].map((state) => state.textContent)"
                ".sort().join() === 'Live,Live,Live,Live,Live, one picture a second'",
                timeout=30_000,
            )
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            links, numbers = (page.locator(f".bar {each}").first for each in ("nav", "dl"))
            above, below = links.bounding_box(), numbers.bounding_box()
            assert above is not None
            assert below is not None
            assert above["y"] + above["height"] <= below["y"]
            assert wrong == []
    finally:
        for other in others:
            other.close()


def test_the_keyboard_alone_opens_the_picture_on_the_whole_screen(
    tier: WebTier, live_bus: Bus
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        chromium.moves(page)
        while not page.evaluate("document.activeElement.matches('.full')"):
            page.keyboard.press("Tab")
        page.wait_for_function(
            "() => getComputedStyle(document.activeElement).opacity === '1'", timeout=20_000
        )
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.fullscreenElement?.matches('.picture')")
        assert wrong == []


def test_a_camera_that_rests_is_woken_by_the_page_and_let_rest_in_the_background(
    runtime: Path, tier: WebTier
) -> None:
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with (
        served(runtime) as daemon,
        chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong),
    ):
        page.wait_for_function("() => document.querySelector('.camera img')?.naturalWidth === 64")
        page.wait_for_function("() => document.querySelector('.state').textContent === 'Live'")
        assert daemon.wakes
        page.evaluate(hide, True)
        until(lambda: _viewers(tier) == 0, what="the stream is let go")
        daemon.rest()
        page.wait_for_function(
            "() => document.querySelector('.state').textContent === 'Off, nobody watches'"
        )
        assert not page.is_visible(".cause")
        woken = len(daemon.wakes)
        page.evaluate(hide, False)
        until(lambda: len(daemon.wakes) > woken, what="it is woken")
        page.wait_for_function("() => document.querySelector('.state').textContent === 'Live'")
        assert wrong == []
