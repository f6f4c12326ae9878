"""docs/clients.md says nothing that no test looked at."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from functools import partial

from tests.clients import page
from tests.helpers.waiting import until

LOOKED_AT = {
    ("Browsers", "text"),
    ("Browsers", "html"),
    ("OctoPrint, Mainsail, Fluidd, Moonraker", "text"),
    ("OctoPrint, Mainsail, Fluidd, Moonraker", "nginx"),
    ("OctoPrint, Mainsail, Fluidd, Moonraker", "ini"),
    ("Home Assistant", "text"),
    ("Clients of ustreamer", "text"),
    ("Proxies", "lighttpd"),
    ("Proxies", "vcl"),
}
"""By test_browsers.py, test_printers.py, test_aiohttp.py and test_proxies.py, each line of them."""


def test_every_block_is_one_that_is_run_or_looked_at() -> None:
    rest = page.languages() - {"sh", "python"}  # of which all are run (test_commands.py)
    found = [(block.section, block.language) for block in page.blocks(*rest)]
    assert sorted(found) == sorted(LOOKED_AT)


def test_every_address_in_the_text_is_served(base: str) -> None:
    found = re.findall(rf"`(?:{re.escape(page.ADDRESS)})?(/[^`\s]*)`", page.PAGE.read_text())
    paths = {path.removeprefix("/webcam").replace("NAME", "camera") for path in found}
    assert {"/stream", "/snapshot?placeholder=1", "/cameras/camera/stream"} <= paths
    for path in paths:
        until(partial(_served, base + path), within_s=30, what=path)


def _served(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 503:  # that: no fresh frame, on a machine that was stalled
            raise
        return False
