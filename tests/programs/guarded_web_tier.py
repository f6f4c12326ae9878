"""A web tier that asks for a token and may command a real daemon, for whoever attacks it."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from framebus.names import web_token
from framebus.secret_files import make_secret, read_secret

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import WebTier

CONTROL = "/cameras/camera/control"


class Guarded:
    """Both, in a directory of their own, for as long as the context lasts."""

    def __init__(self, **environ: str) -> None:
        """Start the web tier with these variables besides; a token for everything otherwise."""
        self.directory = Path(tempfile.mkdtemp(prefix="fb-"))
        self.state = self.directory / "state"
        make_secret(web_token(self.state))
        self.token = read_secret(web_token(self.state))
        self._environ = {
            "FRAMEBUS_STATE_DIR": str(self.state),
            "FRAMEBUS_VIEW": "token",
            "FRAMEBUS_CONTROL": "token",
            **environ,
        }
        self.daemon = DaemonProcess(
            self.directory, *("--source", "test", "--size", "160x120", "--fps", "10")
        )

    def __enter__(self) -> Self:
        """Wait until both serve."""
        try:
            self.daemon.until_state("streaming", within_s=30)
            self.tier = WebTier(self.directory, environ=self._environ)
        except BaseException:
            self.daemon.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.tier.close()
        finally:
            self.daemon.__exit__(kind, error, trace)
            shutil.rmtree(self.directory)

    @property
    def bearer(self) -> dict[str, str]:
        """The header with which a script shows the token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def origin(self) -> str:
        """What a browser says is the origin of this web tier's page."""
        return f"http://127.0.0.1:{self.tier.port}"

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        status, found, body = self.tier.get(path, headers=headers)
        return status, found, body.decode(errors="replace")

    def sign_in(self) -> str:
        """The Cookie header of a new session."""
        status, headers, _ = self.get(f"/?token={self.token}")
        assert status == 303
        return headers["Set-Cookie"].partition(";")[0]

    def post(
        self, body: object, headers: Mapping[str, str], path: str = CONTROL
    ) -> tuple[int, dict[str, Any]]:
        """Send a command, or what passes for one; its status and what was answered."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        found = until(lambda: self._answered(path, data, headers), within_s=50)
        assert found is not None
        return found[0], json.loads(found[1])

    def _answered(
        self, path: str, data: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes] | None:
        """The answer, but for the daemon's not having any in time: this machine may be busy."""
        status, answer = self.tier.post(path, data, headers)
        return None if status == 504 else (status, answer)

    def call(self, method: str, **params: object) -> tuple[int, dict[str, Any]]:
        """Command as a script with the token does."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(body, {**self.bearer, "Content-Type": "application/json"})

    def raw(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own; what comes until the server closes it."""
        with socket.create_connection(("127.0.0.1", self.tier.port), timeout=20) as client:
            received = b""
            try:
                client.sendall(data)
                while got := client.recv(65536):
                    received += got
            except ConnectionError:  # it did not read all of it
                pass
            return received

    def unharmed(self) -> None:
        """Fail unless daemon and web tier go on as before."""
        self.daemon.until_state("streaming", within_s=40)
        assert self.get("/healthz")[0] == 200
        assert "Traceback" not in self.tier.log()
