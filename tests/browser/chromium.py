"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.helpers.waiting import until_it_moves

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PIXEL = """() => {
  const image = document.querySelector('.camera img');
  if (!image?.naturalWidth) return '';  // not there yet: nothing can be drawn of it
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 64, 64);
  return context.getImageData(0, 0, 64, 64).data.join(' ');
}"""
"""The page's first picture, small, nothing while there is none."""


@contextmanager
def page(
    url: str, *, width: int = 1280, height: int = 860, any_certificate: bool = False
) -> Iterator[tuple[Page, list[str]]]:
    """Open `url`; yields the page and the list of what went wrong in it so far."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            opened = browser.new_page(
                viewport={"width": width, "height": height}, ignore_https_errors=any_certificate
            )
            wrong: list[str] = []
            opened.on("pageerror", lambda error: wrong.append(str(error)))
            opened.on(
                "console",
                lambda message: wrong.append(message.text) if message.type == "error" else None,
            )
            opened.goto(url, wait_until="domcontentloaded")
            yield opened, wrong
        finally:
            browser.close()


def moves(page: Page) -> None:
    """Wait until the page's first picture has been of three colours."""
    until_it_moves(lambda: page.evaluate(PIXEL))
