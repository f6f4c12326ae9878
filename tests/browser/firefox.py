"""Debian's Firefox, driven by its own remote protocol, Marionette.

geckodriver is no Debian package, and Firefox of today no longer speaks to Playwright unless it is
Playwright's own build. Marionette is small: over TCP, each message is its length, a colon, and
JSON; a command is `[0, number, name, parameters]` and its answer `[1, number, error, result]`
(Firefox's source, remote/doc/marionette/Protocol.md).
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.waiting import until

FIREFOX = shutil.which("firefox-esr")

_PREFERENCES = {
    "marionette.port": 0,  # any that is free; Firefox writes down which
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "browser.safebrowsing.update.enabled": False,
}


class FirefoxError(Exception):
    """Firefox did not do what it was told; its own words."""


class Firefox:
    """One window of a running Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._number = 0
        self._receive()  # it says what it is
        self._call("WebDriver:NewSession", capabilities={})

    def open(self, url: str) -> None:
        """Go to `url`, and wait until it is there; not until it is loaded, a stream never is."""
        self.run("window.location.href = arguments[0]", url)
        until(lambda: self._at(url), within_s=30, what=f"Firefox is at {url}")

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a script's body returns in the page."""
        return self._call("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def text(self, selector: str) -> str:
        """Return the text of the first element that matches; empty while there is none."""
        text = "return document.querySelector(arguments[0])?.textContent ?? ''"
        return str(self.run(text, selector))

    def screenshot(self, selector: str = "") -> bytes:
        """Return what the window, or the first element that matches, looks like, as PNG."""
        parameters: dict[str, object] = {"full": False}
        if selector:
            found = self._call("WebDriver:FindElement", using="css selector", value=selector)
            (parameters["id"],) = found["value"].values()
        return base64.b64decode(self._call("WebDriver:TakeScreenshot", **parameters)["value"])

    def quit(self) -> None:
        self._call("Marionette:Quit", flags=["eForceQuit"])
        self._stream.close()

    def _at(self, url: str) -> bool:
        try:
            return bool(self.run("return window.location.href === arguments[0]", url))
        except FirefoxError:
            return False  # the page that was asked was left meanwhile

    def _call(self, command: str, **parameters: object) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        kind, number, error, result = self._receive()
        assert (kind, number) == (1, self._number)
        if error is not None:
            raise FirefoxError(f"{error['error']}: {error['message']}")
        return result

    def _receive(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Firefox is gone"
            length += byte
        return json.loads(self._stream.read(int(length)))


@contextmanager
def window(profile: Path, *, width: int = 1280, height: int = 860) -> Iterator[Firefox]:
    """Start Firefox without a screen, with a new profile in the empty directory `profile`."""
    assert FIREFOX is not None
    (profile / "user.js").write_text(
        "".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in _PREFERENCES.items()
        )
    )
    process = subprocess.Popen(
        [
            *(FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", profile),
            *("--width", str(width), "--height", str(height)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        written = profile / "MarionetteActivePort"
        port = int(until(lambda: written.exists() and written.read_text(), within_s=50))
        with socket.create_connection(("127.0.0.1", port), timeout=50) as connection:
            firefox = Firefox(connection)
            yield firefox
            firefox.quit()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
