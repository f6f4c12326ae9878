"""Chromium and Firefox: the page, a stream's own address, a stream in a page of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import chromium, firefox
from tests.clients import page
from tests.helpers.waiting import until, until_it_moves

pytestmark = pytest.mark.slow
needs_chromium = pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium")
needs_firefox = pytest.mark.skipif(firefox.FIREFOX is None, reason="no firefox-esr")

ADDRESSES = page.block("Browsers", "text").lines()


@needs_chromium
def test_chromium_shows_the_page_and_the_bare_stream(base: str) -> None:
    the_page, stream = (address.replace(page.ADDRESS, base) for address in ADDRESSES)
    with chromium.page(the_page) as (opened, wrong):
        opened.wait_for_selector(".state.good", timeout=30_000)
        until_it_moves(opened.locator(".picture img").screenshot)
        assert wrong == []
        opened.goto(stream, wait_until="commit")
        until_it_moves(opened.locator("img").screenshot)


@needs_chromium
def test_a_stream_in_a_page_of_another_origin_moves(base: str, tmp_path: Path) -> None:
    file = tmp_path / "own.html"
    file.write_text(page.block("Browsers", "html").text.replace(page.ADDRESS, base))
    with chromium.page(file.as_uri()) as (opened, wrong):
        until_it_moves(opened.locator("img").screenshot)
        assert wrong == []


@needs_firefox
def test_firefox_shows_the_page_and_the_bare_stream(base: str, tmp_path: Path) -> None:
    the_page, stream = (address.replace(page.ADDRESS, base) for address in ADDRESSES)
    with firefox.window(tmp_path) as window:
        window.open(the_page)
        until(lambda: window.text(".state") == "Live", within_s=30)
        until_it_moves(lambda: window.screenshot(".picture img"))
        window.open(stream)
        until(lambda: window.run("return document.images[0]?.naturalWidth") == 640, within_s=30)
        until_it_moves(lambda: window.screenshot("img"))
