"""What OctoPrint, Mainsail and Fluidd do with a camera, in Chromium and behind nginx.

They are not installed: their requests are made here as they make them (mainsail-crew/mainsail:
src/components/webcams/streamers/, OctoPrint/OctoPrint:src/octoprint/plugins/classicwebcam/).
"""

from __future__ import annotations

import configparser
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import chromium
from tests.clients import page
from tests.helpers.waiting import until, until_it_moves
from tests.programs import nginx
from tests.samples.pictures import decode

SECTION = "OctoPrint, Mainsail, Fluidd, Moonraker"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.CHROMIUM.exists(), reason="no /usr/bin/chromium"),
    pytest.mark.skipif(nginx.NGINX is None, reason="nginx is not installed"),
]

SNAPSHOTS = """async (address) => {
  const image = new Image();
  const canvas = document.createElement("canvas");
  const seen = new Set();
  while (seen.size < 3) {
    const url = new URL(address, location);
    url.searchParams.append("bypassCache", Date.now());
    const loaded = new Promise((done) => { image.onload = image.onerror = done; });
    image.src = url;
    await loaded;
    if (!image.naturalWidth) continue;
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    seen.add(canvas.toDataURL());
  }
  return [canvas.width, canvas.height];
}"""
"""One snapshot after another, until three differ."""

STREAM = """async (address) => {
  const url = new URL(address, location);
  url.searchParams.append("timestamp", Date.now());
  const reader = (await fetch(url, { mode: "cors" })).body.getReader();
  const text = new TextDecoder("latin1");
  const canvas = document.createElement("canvas");
  const seen = new Set();
  let data = new Uint8Array();
  while (seen.size < 3) {
    const { value } = await reader.read();
    const more = new Uint8Array(data.length + value.length);
    more.set(data);
    more.set(value, data.length);
    data = more;
    const head = text.decode(data).split("\\r\\n\\r\\n")[0];
    const length = Number(/content-length: *(\\d+)/i.exec(head)?.[1]);
    const start = head.length + 4;
    if (!length || data.length < start + length) continue;
    const picture = new Blob([data.slice(start, start + length)], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(picture);
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    seen.add(canvas.toDataURL());
    data = data.slice(start + length + 2);
  }
  await reader.cancel();
  return [canvas.width, canvas.height];
}"""
"""A stream taken apart by script, until three of its pictures differ."""


@pytest.fixture
def printer(base: str, tmp_path: Path) -> Iterator[str]:
    """The address of a printer's nginx, with the page's location in it and nothing else."""
    port = nginx.free_port()
    location = page.block(SECTION, "nginx").text.replace(page.ADDRESS, base)
    site = f"server {{ listen 127.0.0.1:{port}; {location} }}"
    with nginx.running(tmp_path, site, port):
        yield f"http://127.0.0.1:{port}"


def webcam() -> dict[str, str]:
    """The page's section of moonraker.conf."""
    parser = configparser.ConfigParser()
    parser.read_string(page.block(SECTION, "ini").text)
    (section,) = parser.sections()
    return dict(parser[section])


def within(opened: Page, script: str, address: str) -> None:
    assert opened.evaluate(script, address) == [640, 360]


def test_mainsail_polls_snapshots_and_reads_the_stream_by_script(printer: str) -> None:
    conf = webcam()
    assert conf["service"] == "mjpegstreamer-adaptive"
    with chromium.page(printer + conf["snapshot_url"]) as (opened, _):
        within(opened, SNAPSHOTS, conf["snapshot_url"])
        within(opened, STREAM, conf["stream_url"])


def test_octoprint_shows_the_stream_and_takes_snapshots(
    printer: str, base: str, tmp_path: Path
) -> None:
    stream, snapshot = page.block(SECTION, "text").lines()

    def taken() -> bytes:
        try:
            address = snapshot.replace(page.ADDRESS, base)
            with urllib.request.urlopen(address, timeout=30) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:  # 503: a stalled machine has no fresh frame
            error.close()
            return b""

    first = until(taken, within_s=30)
    assert decode(first) == (640, 360)
    until(lambda: taken() not in (b"", first), within_s=30, what="another snapshot")
    file = tmp_path / "octoprint.html"
    file.write_text(f'<img src="{printer}{stream}&1700000000000">')  # as with its cache buster
    with chromium.page(file.as_uri()) as (opened, wrong):
        until_it_moves(opened.locator("img").screenshot)
        assert wrong == []
