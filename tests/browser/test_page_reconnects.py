"""The page when workers, the web tier or an answer are not there for a while."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Route

from tests.browser import chromium
from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]


def test_a_killed_worker_costs_the_page_its_picture_for_a_moment(
    tier: WebTier, live_bus: Bus
) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, _):
        chromium.moves(page)
        for worker in tier.workers():
            os.kill(worker, signal.SIGKILL)
            chromium.moves(page)
            until(lambda gone=worker: gone not in tier.workers(), what="it is replaced")  # type: ignore[misc]
        chromium.moves(page)


def test_a_reload_of_the_workers_costs_the_page_nothing(tier: WebTier, live_bus: Bus) -> None:
    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, wrong):
        chromium.moves(page)
        source = page.get_attribute(".camera img", "src")
        old = tier.workers()
        tier.process.send_signal(signal.SIGHUP)
        until(
            lambda: len(tier.workers()) == 2 and not set(old) & set(tier.workers()),
            within_s=60,
            what="the workers are replaced",
        )
        chromium.moves(page)
        # Each attempt to have the picture has an address of its own: this is the first one still.
        assert page.get_attribute(".camera img", "src") == source
        assert tier.scrape().sum("framebus_viewers_closed_total") == 0
        assert wrong == []


def test_a_page_in_the_background_has_its_picture_back_from_a_restarted_web_tier(
    runtime: Path, live_bus: Bus
) -> None:
    first = WebTier(runtime)
    with chromium.page(f"http://127.0.0.1:{first.port}/") as (page, _):
        chromium.moves(page)
        page.evaluate("clearInterval(page.watch)")  # browsers run timers there once a minute
        first.close()
        second = WebTier(runtime, environ={"FRAMEBUS_BIND": f"127.0.0.1:{first.port}"})
        try:
            chromium.moves(page)
        finally:
            second.close()


def test_a_page_that_is_refused_says_why_and_comes_when_there_is_a_place(
    runtime: Path, live_bus: Bus
) -> None:
    tier = WebTier(runtime, environ={"FRAMEBUS_MAX_VIEWERS": "1"})
    try:
        other = Stream(tier.port).start()
        with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, _):
            page.wait_for_function(
                "() => document.querySelector('#link').textContent.includes('viewers')",
                timeout=20_000,
            )
            other.close()
            page.wait_for_selector(".camera", timeout=60_000)
            page.wait_for_function("() => document.querySelector('#link').textContent === ''")
    finally:
        tier.close()


def test_a_page_that_is_refused_asks_again_no_sooner_than_it_was_told(
    tier: WebTier, live_bus: Bus
) -> None:
    problem = {"error": "full", "message": "there is no place", "remedy": "wait"}

    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers={"Retry-After": "3600"}, json=problem)

    with chromium.page(f"http://127.0.0.1:{tier.port}/") as (page, _):
        page.evaluate("clearInterval(page.watch)")  # it asks once more, and after that not
        page.route("**/events?*", refuse)
        page.evaluate("page.connect(); page.watch = setInterval(() => page.check(), 500)")
        page.wait_for_function(
            "() => document.querySelector('#link').textContent === 'There is no place. Wait.'",
            timeout=20_000,
        )
        asked = page.evaluate(
            """() => {
              let asked = 0;
              page.ask = page.connect = () => { asked += 1; };
              for (let i = 0; i < 20; i += 1) page.check();
              return asked;
            }"""
        )
        assert asked == 0


def test_incidents_that_could_not_be_asked_for_are_asked_for_again(
    tier: WebTier, live_bus: Bus
) -> None:
    broken: list[str] = []

    def breaks(route: Route) -> None:
        broken.append(route.request.url)
        if len(broken) == 1:
            route.abort()
        else:
            route.fulfill(status=502, body="no gateway")

    incident = {"began_utc_ns": 1, "ended_utc_ns": 2, "away_s": 1.0, "cured_by": "itself"}
    with chromium.page("about:blank") as (page, _):
        found = {"incidents": [incident], "left_off": 0}
        page.route("**/incidents?*", lambda route: route.fulfill(json=found))
        page.route("**/incidents?*", breaks, times=2)
        page.goto(f"http://127.0.0.1:{tier.port}/")
        page.wait_for_function(
            "() => document.querySelector('.incidents summary')?.textContent.endsWith('lost once')",
            timeout=20_000,
        )
        assert len(broken) == 2
