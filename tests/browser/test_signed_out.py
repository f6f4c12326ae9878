"""The page when its session has ended, in a real browser."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import Page

from tests.browser import chromium
from tests.programs.guarded_web_tier import Guarded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]

LIMIT_MS = 60_000


def _sign_in_boxes(page: Page) -> list[str]:
    """Cancel each sign-in box that the browser would open from now on, and note what it is for."""
    opened: list[str] = []
    session = page.context.new_cdp_session(page)

    def cancel(event: dict[str, object]) -> None:
        opened.append(str(event["resourceType"]))
        answer = {"response": "CancelAuth"}
        session.send(
            "Fetch.continueWithAuth",
            {"requestId": event["requestId"], "authChallengeResponse": answer},
        )

    def go_on(event: dict[str, object]) -> None:
        session.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    session.on("Fetch.authRequired", cancel)
    session.on("Fetch.requestPaused", go_on)
    session.send("Fetch.enable", {"handleAuthRequests": True})
    return opened


def _says(page: Page, selector: str, words: str) -> None:
    page.wait_for_function(
        "([selector, words]) => document.querySelector(selector).textContent.includes(words)",
        arg=[selector, words],
        timeout=LIMIT_MS,
    )


def test_a_page_whose_session_has_ended_says_so_once_and_comes_back_by_itself() -> None:
    with (
        Guarded() as server,
        chromium.page(f"{server.origin}/?token={server.token}") as (page, _),
    ):
        page.wait_for_selector(".state.good", timeout=LIMIT_MS)
        boxes = _sign_in_boxes(page)
        page.context.clear_cookies()
        for worker in server.tier.workers():  # and with them the connections that were let in
            os.kill(worker, signal.SIGKILL)
        _says(page, "#link", "This needs the token")
        assert page.inner_text(".state") == "No connection"
        page.click('.commands [data-method="stop"]')
        _says(page, ".commands output", "This needs the token")
        page.evaluate("page.retryAt = 0")
        page.wait_for_function("() => page.retryAt > Date.now()", timeout=LIMIT_MS)
        _says(page, "#link", "Open the URL that `framebus up` printed")
        assert boxes == []

        page.request.get(f"{server.origin}/?token={server.token}")  # as in another tab: its cookie
        page.wait_for_function(
            "() => document.querySelector('#link').textContent === ''", timeout=LIMIT_MS
        )
        page.wait_for_selector(".state.good", timeout=LIMIT_MS)
        page.click('.commands [data-method="stop"]')
        _says(page, ".commands output", "Load the page again")
        page.reload(wait_until="domcontentloaded")
        page.click('.commands [data-method="stop"]', timeout=LIMIT_MS)
        _says(page, ".commands output", "Done: ")
        assert boxes == []
