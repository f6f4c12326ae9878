"""The page behind nginx: below a prefix, and over HTTP/2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import chromium
from tests.helpers.certificate import OPENSSL
from tests.helpers.waiting import until
from tests.programs import nginx
from tests.programs.guarded_web_tier import Guarded
from tests.programs.nginx_site import site_at
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
    pytest.mark.skipif(nginx.NGINX is None or OPENSSL is None, reason="nginx and openssl wanted"),
]

LIMIT_MS = 60_000
STREAMS = 8
"""More than the six connections that a browser has to a host over HTTP/1.1."""


@contextmanager
def below(prefix: str, upstream: int, directory: Path, told: str = "") -> Iterator[str]:
    """The origin of an nginx that serves `upstream` below `prefix` and nothing else."""
    port = nginx.free_port()
    site = (
        f"server {{ listen 127.0.0.1:{port}; location {prefix}/ {{\n"
        f"proxy_pass http://127.0.0.1:{upstream}/; proxy_http_version 1.1; proxy_buffering off;\n"
        f"proxy_set_header Host $http_host; {told} }} }}\n"
    )
    with nginx.running(directory, site, port):
        yield f"http://127.0.0.1:{port}"


def commands(page: Page, server: Guarded) -> None:
    """Stop and start the camera from the page."""
    page.wait_for_selector(".state.good", timeout=LIMIT_MS)
    for method, state in (("stop", "stopped"), ("start", "streaming")):
        page.click(f'.commands [data-method="{method}"]')
        server.daemon.until_state(state, within_s=30)


@pytest.mark.parametrize(
    "told", ["", "proxy_set_header X-Forwarded-Prefix /webcam;"], ids=["untold", "told"]
)
def test_the_whole_page_works_below_a_prefix(tmp_path: Path, told: str) -> None:
    with (
        Guarded(FRAMEBUS_TRUSTED_PROXY="127.0.0.1") as server,
        below("/webcam", server.tier.port, tmp_path, told) as origin,
        chromium.page(f"{origin}/webcam/?token={server.token}") as (page, wrong),
    ):
        assert page.url == f"{origin}/webcam/"
        (cookie,) = page.context.cookies()
        assert cookie["path"].rstrip("/") == "/webcam", "other sites of the host do not get it"
        page.wait_for_function(
            "() => document.querySelector('.camera img')?.naturalWidth === 160", timeout=LIMIT_MS
        )
        commands(page, server)
        assert page.evaluate("getComputedStyle(document.querySelector('.camera')).overflow") == (
            "hidden"
        ), "the style sheet is there"
        for link in ("stream", "snapshot", "json"):
            href = page.evaluate(f"document.querySelector('nav .{link}').href")
            assert href.startswith(f"{origin}/webcam/cameras/camera/")
        assert wrong == []


def test_two_web_tiers_below_two_prefixes_of_one_host_are_apart(tmp_path: Path) -> None:
    """As for a second printer: each has its session, its pictures and its commands."""
    with Guarded() as one, Guarded() as two:
        port = nginx.free_port()
        locations = "\n".join(
            f"location /{name}/ {{ proxy_pass http://127.0.0.1:{server.tier.port}/;"
            " proxy_http_version 1.1; proxy_buffering off; proxy_set_header Host $http_host; }"
            for name, server in (("one", one), ("two", two))
        )
        site = f"server {{ listen 127.0.0.1:{port}; {locations} }}"
        origin = f"http://127.0.0.1:{port}"
        with (
            nginx.running(tmp_path, site, port),
            chromium.page(f"{origin}/one/?token={one.token}") as (page, wrong),
        ):
            commands(page, one)
            page.goto(f"{origin}/two/?token={two.token}", wait_until="domcontentloaded")
            commands(page, two)
            page.goto(f"{origin}/one/", wait_until="domcontentloaded")
            commands(page, one)
            assert sorted(each["path"] for each in page.context.cookies()) == ["/one", "/two"]
            assert wrong == []


def test_over_http_2_a_browser_shows_more_streams_than_it_has_connections(
    runtime: Path, tmp_path: Path
) -> None:
    tier = WebTier(runtime, environ={"FRAMEBUS_TRUSTED_PROXY": "127.0.0.1"})
    bus = Bus(runtime, fps=5)
    try:
        bus.start()
        plain, tls = nginx.free_port(), nginx.free_port()
        site = site_at(tmp_path, tier.port, plain, tls)
        with (
            nginx.running(tmp_path, site, tls),
            chromium.page(f"https://127.0.0.1:{tls}/", any_certificate=True) as (page, wrong),
        ):
            page.wait_for_selector(".state.good", timeout=LIMIT_MS)
            protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
            assert page.evaluate(protocol) == "h2"
            page.evaluate(
                """(count) => {
                  for (let number = 0; number < count; number += 1) {
                    const image = new Image();
                    image.className = "further";
                    image.src = `stream?further=${number}`;
                    document.body.append(image);
                  }
                }""",
                STREAMS,
            )
            page.wait_for_function(
                """(count) => [...document.querySelectorAll(".further")]
                  .filter((image) => image.naturalWidth === 64).length === count""",
                arg=STREAMS,
                timeout=LIMIT_MS,
            )
            assert page.evaluate("fetch('state').then((answer) => answer.status)") == 200
            until(lambda: tier.json("/state")["viewers"]["count"] == STREAMS + 1)
            assert wrong == []
    finally:
        bus.close()
        tier.close()
