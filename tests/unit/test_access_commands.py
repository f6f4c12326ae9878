"""The gate in front of commands, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from framebus.errors import ControlTimeout
from framebus.names import CameraNames
from werkzeug.test import TestResponse

from tests.unit.credentials import CALL, GUARDED, basic, bearer, csrf, signed_in
from web_workers.access.control import AT_ONCE
from web_workers.app import create_app
from web_workers.settings import Settings


@pytest.fixture
def app(runtime: Path, tmp_path: Path, token: str) -> Flask:
    return create_app(Settings(runtime, access=GUARDED, state=tmp_path))


def command(client: FlaskClient, call: object = None, **headers: str) -> TestResponse:
    return client.post("/cameras/camera/control", json=call or CALL, headers=headers)


def test_a_command_wants_the_pages_csrf_token_and_origin(client: FlaskClient, token: str) -> None:
    signed_in(client, token)
    shown = {"X-CSRF-Token": csrf(client)}
    ours, foreign = {"Origin": "http://localhost"}, {"Origin": "http://evil.example"}
    assert command(client, **ours, **shown).status_code == 503  # let through: there is no daemon
    assert command(client, **shown).status_code == 503
    for refused in (ours, {**foreign, **shown}, {"Origin": "null", **shown}):
        assert command(client, **refused).status_code == 403, refused
    cross = {"Sec-Fetch-Site": "cross-site", **shown}
    assert command(client, **cross).status_code == 403
    assert command(client, **{"X-CSRF-Token": "0" * 64}).status_code == 403


def test_a_password_that_a_browser_sends_by_itself_commands_nothing_alone(
    client: FlaskClient, token: str
) -> None:
    assert command(client, **basic(token)).status_code == 403
    shown = csrf(client, **basic(token))  # the page gives a session to who has the password
    assert command(client, **basic(token), **{"X-CSRF-Token": shown}).status_code == 503


def test_a_script_commands_with_the_token_but_not_from_a_foreign_page(
    app: Flask, token: str
) -> None:
    client = app.test_client()
    assert command(client, **bearer(token)).status_code == 503
    refused = command(client, **bearer(token), Origin="http://evil.example")
    assert refused.get_json()["error"] == "foreign-origin"


@pytest.mark.parametrize(
    "call",
    [
        {"method": "shutdown"},
        {"method": "renew"},
        {"method": "lend", "params": {"seconds": 9}},
        {"method": "give_back", "params": {"lease": "5b0c9f2d7e41a386"}},
        {"method": "holders"},
        {"method": "incidents"},
        {"method": "__class__"},
        {"method": "configure", "params": {"source": "ffmpeg:-i x"}},
        {"method": "configure", "params": {"fallback": "file:/etc/passwd"}},
        {"method": "configure", "params": {"size": "1x1", "source": "test"}},
        {"method": "start", "params": {"source": "test"}},
    ],
)
def test_what_could_run_a_command_or_end_a_daemon_never_reaches_it(
    app: Flask, token: str, call: dict[str, object]
) -> None:
    response = command(app.test_client(), {**CALL, **call}, **bearer(token))
    assert (response.status_code, response.get_json()["error"]) == (403, "not-from-here")


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        ({"method": "statsu"}, "did you mean 'status'?"),
        ({"method": "configure", "params": {"fsp": 5}}, "did you mean 'fps'?"),
    ],
)
def test_a_misspelt_command_gets_the_nearest(
    client: FlaskClient, token: str, call: dict[str, object], meant: str
) -> None:
    response = command(client, {**CALL, **call}, **bearer(token))
    assert response.status_code == 403
    assert meant in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (415, b"method=start", "application/x-www-form-urlencoded"),
        (415, b'{"jsonrpc": "2.0"}', "text/plain"),
        (415, b"{}", ""),
        (411, b"", "application/json"),
        (400, b"{", "application/json"),
        (400, b"[" * 8000, "application/json"),
        (400, b'[{"jsonrpc": "2.0", "id": 1, "method": "start"}]', "application/json"),
        (400, b'{"id": NaN}', "application/json"),
        (400, b"\xff\xfe", "application/json"),
        (413, b" " * 8193, "application/json"),
    ],
)
def test_what_is_no_call_is_refused_by_its_form(
    app: Flask, token: str, status: int, body: bytes, kind: str
) -> None:
    response = app.test_client().post(
        "/cameras/camera/control", data=body, content_type=kind, headers=bearer(token)
    )
    assert response.status_code == status, response.text


class Daemon:
    """Stands in for the client of one: notes what it is asked, and fails as often as it is told."""

    def __init__(self, fails: int = 0) -> None:
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.fails = fails

    def __call__(self, names: CameraNames, *, timeout_s: float) -> Daemon:
        return self

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        """It has nothing open."""

    def call(self, method: str, params: dict[str, object]) -> object:
        self.calls.append((method, params))
        if len(self.calls) <= self.fails:
            raise ControlTimeout("no reply in time")
        return {"called": method}


def test_a_command_goes_on_as_it_came_however_many_came_before_it(
    client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(fails=AT_ONCE + 1)
    monkeypatch.setattr("web_workers.access.control.ControlClient", daemon)
    call = {"jsonrpc": "2.0", "id": 7, "method": "configure", "params": {"fps": 5}}
    for _ in range(AT_ONCE + 1):
        assert command(client, call, **bearer(token)).status_code == 504
    response = command(client, call, **bearer(token))
    assert response.json == {"jsonrpc": "2.0", "id": 7, "result": {"called": "configure"}}
    assert daemon.calls == [("configure", {"fps": 5})] * (AT_ONCE + 2)
