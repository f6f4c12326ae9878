"""The gate in front of every route, without a server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from framebus.secret_files import make_secret, read_secret
from werkzeug.test import TestResponse

from tests.bus import Bus
from web_workers.access.decisions import Decision, decision_of
from web_workers.access.tries import AT_ONCE, Tries
from web_workers.app import create_app
from web_workers.settings import OPEN, Settings

GUARDED = replace(
    OPEN, view="token", control="token", hosts=frozenset({"localhost", "cam.example"})
)
CALL = {"jsonrpc": "2.0", "id": 1, "method": "start"}


@pytest.fixture
def token(tmp_path: Path) -> str:
    make_secret(tmp_path / "web.token")
    return read_secret(tmp_path / "web.token")


@pytest.fixture
def app(runtime: Path, tmp_path: Path, token: str) -> Flask:
    return create_app(Settings(runtime, access=GUARDED, state=tmp_path))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime)
    bus.publish()
    yield bus
    bus.close()


def routes(app: Flask) -> Iterator[tuple[str, str, Decision | None]]:
    """Each route's method, a path of it, and its decision."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<name>", "camera").replace("<path:filename>", "page.js")
        decision = decision_of(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"OPTIONS"}:
            yield method, path, decision


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(password: str, user: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def signed_in(client: FlaskClient, token: str) -> TestResponse:
    response = client.get(f"/?token={token}")
    assert response.status_code == 303
    return response


def csrf(client: FlaskClient, **headers: str) -> str:
    page = client.get("/", headers=headers)
    found = re.search(r'name="framebus-csrf" content="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


def test_every_route_has_a_decision(app: Flask) -> None:
    undecided = [path for _, path, decision in routes(app) if decision is None]
    assert undecided == []
    table = (Path(__file__).parents[2] / "docs/security.md").read_text()
    for rule in app.url_map.iter_rules():
        path = re.sub("<name>", "NAME", rule.rule).replace("<path:filename>", "FILE")
        decision = decision_of(app.view_functions[rule.endpoint])
        assert decision is not None
        assert f"\n| `{path}` | {decision.value} |" in table, f"{path} {decision.value}"


def test_a_route_that_nobody_has_decided_about_is_refused(app: Flask, token: str) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    response = app.test_client().get("/forgotten", headers=bearer(token))
    assert response.status_code == 500
    assert "secret" not in response.text


def test_without_a_credential_only_open_routes_answer(app: Flask, client: FlaskClient) -> None:
    answered = set()
    for method, path, decision in routes(app):
        response = client.open(path, method=method)
        if decision is Decision.OPEN:
            assert response.status_code == 200, path
            answered.add(path)
        else:
            assert response.status_code == 401, path
            assert "Basic" in response.headers["WWW-Authenticate"]
        response.close()
    assert answered == {"/healthz", "/static/page.js"}


def test_with_control_off_no_credential_opens_a_control_route(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    app = create_app(Settings(runtime, access=replace(GUARDED, control="off"), state=tmp_path))
    for method, path, decision in routes(app):
        if decision is Decision.CONTROL:
            response = app.test_client().open(path, method=method, headers=bearer(token), json=CALL)
            assert response.status_code == 403, path


def test_open_to_look_is_not_open_to_command(runtime: Path, tmp_path: Path, token: str) -> None:
    app = create_app(Settings(runtime, access=replace(GUARDED, view="open"), state=tmp_path))
    client = app.test_client()
    assert client.get("/cameras").status_code == 200
    assert "framebus-csrf" not in client.get("/").text
    assert client.post("/cameras/camera/control", json=CALL).status_code == 401
    assert client.get("/login").status_code == 401
    response = client.get("/login", headers=basic(token))
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert csrf(client)


@pytest.mark.parametrize("how", [bearer, basic])
def test_a_token_or_a_password_opens_what_is_to_be_looked_at(
    client: FlaskClient, token: str, how: object
) -> None:
    assert callable(how)
    assert client.get("/cameras", headers=how(token)).status_code == 200
    assert client.get("/cameras", headers=how("wrong")).status_code == 401


def test_the_url_with_the_token_makes_a_session_and_goes_to_the_url_without(
    client: FlaskClient, token: str
) -> None:
    response = client.get(f"/?page=1&token={token}")
    assert (response.status_code, response.headers["Location"]) == (303, "/?page=1")
    cookie = response.headers["Set-Cookie"]
    assert token not in cookie + response.text
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/").status_code == 200
    assert client.get("/cameras").status_code == 200
    assert client.get("/?token=wrong").status_code == 401


def test_over_https_the_cookie_goes_nowhere_else(client: FlaskClient, token: str) -> None:
    response = client.get(f"/?token={token}", base_url="https://cam.example")
    assert "Secure" in response.headers["Set-Cookie"]


def test_a_session_ends_with_the_token(runtime: Path, tmp_path: Path, token: str) -> None:
    settings = Settings(runtime, access=GUARDED, state=tmp_path)
    before = create_app(settings).test_client()
    cookie = signed_in(before, token).headers["Set-Cookie"].partition(";")[0]
    (tmp_path / "web.token").unlink()
    after = create_app(settings).test_client()
    assert after.get("/cameras", headers={"Cookie": cookie}).status_code == 401


def test_a_link_shows_one_camera_and_neither_commands_nor_renews_itself(
    client: FlaskClient, token: str, bus: Bus, runtime: Path
) -> None:
    (runtime / "front.lock").touch()
    links = client.get("/cameras/camera/link", headers=bearer(token)).get_json()
    assert links["expires_s"] == 3600
    assert client.get(links["snapshot"]).status_code == 200
    query = links["snapshot"].partition("?")[2]
    assert client.get(f"/snapshot?{query}").status_code == 200
    for path in ("/cameras/front/snapshot", "/cameras/camera/link", "/cameras", "/"):
        assert client.get(f"{path}?{query}").status_code == 401, path
    assert client.post(f"/cameras/camera/control?{query}", json=CALL).status_code == 401


def test_links_are_plain_where_everybody_may_look(runtime: Path) -> None:
    links = create_app(Settings(runtime)).test_client().get("/cameras/camera/link").get_json()
    assert links["stream"] == "/cameras/camera/stream"


def test_a_name_that_is_not_ours_is_answered_nowhere(app: Flask, client: FlaskClient) -> None:
    for method, path, _ in routes(app):
        response = client.open(path, method=method, headers={"Host": "evil.example"})
        assert response.status_code == 421, path
    assert client.get("/nosuch", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/healthz", headers={"Host": "cam.example:8080"}).status_code == 200


def test_wrong_tries_are_limited_and_a_session_is_not_disturbed(
    runtime: Path, tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web_workers.access.gate.Tries", lambda: Tries(clock=lambda: 0.0))
    app = create_app(Settings(runtime, access=GUARDED, state=tmp_path))
    client, stranger = app.test_client(), app.test_client()
    signed_in(client, token)
    for _ in range(AT_ONCE):
        assert stranger.get("/cameras", headers=basic("wrong")).status_code == 401
    response = stranger.get("/cameras", headers=basic(token))
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert stranger.get(f"/?token={token}").status_code == 429
    assert client.get("/cameras").status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert stranger.get("/cameras", headers=basic(token), environ_base=elsewhere).status_code == 200


def test_a_token_file_that_cannot_be_read_lets_nobody_in_and_is_not_shown(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    (tmp_path / "web.token").chmod(0o644)
    client = create_app(Settings(runtime, access=GUARDED, state=tmp_path)).test_client()
    response = client.get("/cameras", headers=bearer(token))
    assert (response.status_code, response.get_json()["error"]) == (503, "no-secret")
    assert str(tmp_path) not in response.text
    assert client.get("/healthz").status_code == 200


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


def test_every_attack_of_the_documentation_has_its_test() -> None:
    root = Path(__file__).parents[2]
    named = set(
        re.findall(r"`(?:test_\w+\.py::)?(test_\w+)`", (root / "docs/security.md").read_text())
    )
    files = (root / "tests/system").glob("test_attacks*.py")
    there = set(re.findall(r"^def (test_\w+)", "".join(map(Path.read_text, files)), re.MULTILINE))
    assert len(named) >= 25
    assert named <= there
    assert there - named <= {
        "test_the_same_is_carried_out_for_who_may",
        "test_two_requests_in_order_are_both_answered",
        "test_answers_to_what_is_no_request_have_the_headers_too",
    }
