"""The gate in front of every route, without a server: who may look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.rigs.bus import Bus
from tests.unit.credentials import CALL, GUARDED, basic, bearer, csrf, signed_in
from web_workers.access.decisions import Decision, decision_of
from web_workers.app import create_app
from web_workers.settings import Settings


@pytest.fixture
def app(runtime: Path, tmp_path: Path, token: str) -> Flask:
    return create_app(Settings(runtime, access=GUARDED, state=tmp_path))


@pytest.fixture
def bus(patient_bus: Bus) -> Bus:
    patient_bus.publish()
    return patient_bus


def routes(app: Flask) -> Iterator[tuple[str, str, Decision | None]]:
    """Each route's method, a path of it, and its decision."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<name>", "camera").replace("<path:filename>", "page.js")
        decision = decision_of(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"OPTIONS"}:
            yield method, path, decision


def test_every_route_has_a_decision(app: Flask) -> None:
    undecided = [path for _, path, decision in routes(app) if decision is None]
    assert undecided == []
    page = (Path(__file__).parents[2] / "docs/security.md").read_text()
    table = page.partition("## Routes")[2].partition("\n## ")[0]
    documented = dict(re.findall(r"^\| `(/[^`]*)` \| (\w+) \|", table, re.MULTILINE))
    decided = {}
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<name>", "NAME").replace("<path:filename>", "FILE")
        decision = decision_of(app.view_functions[rule.endpoint])
        assert decision is not None
        decided[path] = decision.value
    assert documented == decided


def test_every_route_is_documented(app: Flask) -> None:
    page = (Path(__file__).parents[2] / "docs/http.md").read_text()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<name>", "NAME")
        method = "" if "GET" in (rule.methods or ()) else "POST "
        assert rule.endpoint == "static" or f"`{method}{path}`" in page, path


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
    assert answered == {"/healthz", "/static/page.js", "/favicon.ico", "/robots.txt"}


def test_the_pages_script_is_refused_without_the_browsers_sign_in_box(
    client: FlaskClient, token: str
) -> None:
    def challenge(**headers: str) -> str:
        response = client.get("/events?page=1", headers=headers)
        assert response.status_code == 401
        return response.headers["WWW-Authenticate"].partition(" ")[0]

    assert challenge() == "Bearer"
    assert challenge(**basic("an old one")) == "Basic", "a browser is to forget what it sends"


def test_with_control_off_no_credential_opens_a_control_route(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    app = create_app(Settings(runtime, access=replace(GUARDED, control="off"), state=tmp_path))
    control = [(method, path) for method, path, what in routes(app) if what is Decision.CONTROL]
    assert control
    for method, path in control:
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
    assert (response.status_code, response.headers["Location"]) == (303, "./")
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
    assert (response.status_code, response.headers["Location"]) == (303, "./?page=1")
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
    snapshot = links["snapshot"].removeprefix("../..")
    assert client.get(snapshot).status_code == 200
    query = links["snapshot"].partition("?")[2]
    assert client.get(f"/snapshot?{query}").status_code == 200
    for path in ("/cameras/front/snapshot", "/cameras/camera/link", "/cameras", "/"):
        assert client.get(f"{path}?{query}").status_code == 401, path
    assert client.post(f"/cameras/camera/control?{query}", json=CALL).status_code == 401


def test_links_are_plain_where_everybody_may_look(runtime: Path) -> None:
    links = create_app(Settings(runtime)).test_client().get("/cameras/camera/link").get_json()
    assert links["stream"] == "../../cameras/camera/stream"


def test_a_name_that_is_not_ours_is_answered_nowhere(app: Flask, client: FlaskClient) -> None:
    for method, path, _ in routes(app):
        response = client.open(path, method=method, headers={"Host": "evil.example"})
        assert response.status_code == 421, path
    assert client.get("/nosuch", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/healthz", headers={"Host": "cam.example:8080"}).status_code == 200


def test_both_names_of_a_proxied_request_must_be_ours(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    proxied = replace(GUARDED, proxies=("127.0.0.1/32",), hosts=frozenset({"cam.example"}))
    client = create_app(Settings(runtime, access=proxied, state=tmp_path)).test_client()

    def answer(host: str, told: str | None = None) -> int:
        headers = {"Host": host} | ({"X-Forwarded-Host": told} if told else {})
        return client.get("/healthz", headers=headers).status_code

    for told in ("cam.example", "cam.example:443", "127.0.0.1", "cam.example, evil.example"):
        assert answer("evil.example", told) == 421
    assert answer("cam.example", "evil.example") == 421
    assert answer("cam.example", "evil.example, cam.example") == 421
    assert answer("127.0.0.1:8080", "cam.example") == 200
    assert answer("cam.example") == 200


def test_a_token_file_that_cannot_be_read_lets_nobody_in_and_is_not_shown(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    (tmp_path / "web.token").chmod(0o644)
    client = create_app(Settings(runtime, access=GUARDED, state=tmp_path)).test_client()
    response = client.get("/cameras", headers=bearer(token))
    assert (response.status_code, response.get_json()["error"]) == (503, "no-secret")
    assert str(tmp_path) not in response.text
    assert client.get("/healthz").status_code == 200
