"""Paths as programs spell them, and answers below a proxy's prefix, without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.rigs.bus import Bus, jpeg
from tests.unit.credentials import GUARDED, basic
from web_workers.access.peer import Proxies
from web_workers.app import create_app
from web_workers.responses.paths import tidied
from web_workers.settings import OPEN, Settings

HTML = {"Accept": "text/html"}
PROXIED = replace(OPEN, proxies=("127.0.0.1",))
ASKED = (
    *("/", "/cameras", "/cameras/", "/cameras/camera", "/cameras/camera/", "/cameras/camera/link"),
    *("/cameras/camera/link/", "//cameras//camera//link", "/metrics/", "//metrics", "/nothing"),
    *(
        "/no/such/page",
        "/no/such/page/",
        "/cameras/nosuch/stream",
        "/?action=take",
        "/stream?fps=x",
    ),
)
"""Requests whose answers have addresses in them, and some that are refused."""


def ask(
    client: FlaskClient, asked: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> TestResponse:
    """Ask for a path as it stands, of which the test client would take `//x` for a host."""
    path, _, query = asked.partition("?")
    environ = {"PATH_INFO": unquote(path)}
    return client.open(
        "/", query_string=query, method=method, headers=headers, environ_overrides=environ
    )


def joined(asked: str, address: str) -> str:
    """Return the path that a browser at `asked` goes to (urljoin drops empty names, none does)."""
    if address.startswith("/"):
        return urlsplit(address).path
    names = asked.partition("?")[0].split("/")[:-1]
    for name in urlsplit(address).path.split("/"):
        if name == "..":
            assert len(names) > 1, "above the top"
            names.pop()
        elif name != ".":
            names.append(name)
    return "/".join(names)


def addresses(response: TestResponse) -> list[str]:
    """Every address in an answer: of its head, its markup, its JSON."""
    found = [response.headers["Location"]] if "Location" in response.headers else []
    if response.mimetype == "application/json":
        return found + _texts(json.loads(response.data))
    return found + re.findall(r'(?:src|href)="([^"#]+)"', response.text)


def _texts(document: object) -> list[str]:
    """What a document has under `links`, or at its top, that could be an address."""
    match document:
        case dict():
            links = document.get("links", {})
            flat = links if links else {k: v for k, v in document.items() if k != "message"}
            nested = [each for value in document.values() for each in _texts(value)]
            return [v for v in flat.values() if isinstance(v, str) and "/" in v[:3]] + nested
        case list():
            return [each for value in document for each in _texts(value)]
        case _:
            return []


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("", "/"),
        ("//", "/"),
        ("/stream/", "/stream"),
        ("//stream", "/stream"),
        ("/cameras//front/stream//", "/cameras/front/stream"),
        ("/snapshot&1700000000", "/snapshot"),
        ("/&1700000000", "/&1700000000"),
        ("/webcam", "/"),
        ("/webcam/stream", "/stream"),
        ("/webcams", "/webcams"),
        ("/cameras/webcam/stream", "/cameras/webcam/stream"),
    ],
)
def test_a_path_is_tidied_to_the_form_that_routes_have(asked: str, path: str) -> None:
    assert tidied(asked) == path


@pytest.mark.parametrize(
    "path",
    [
        *("/snapshot", "/snapshot/", "//snapshot", "/snapshot?1700000000", "/snapshot&1700000000"),
        *("/?action=snapshot", "/?action=snapshot_0", "/?action=snapshot?1700000000"),
        *("/?action=snapshot&1700000000", "/?action=snapshot%3F1700000000", "/?ACTION=snapshot"),
        *("/webcam/?action=snapshot", "/webcam?action=snapshot", "/webcam/snapshot"),
        *("/snapshot.jpg", "/snapshot.jpeg", "/cam.jpg", "/shot.jpg", "/capture"),
        *(
            "/cameras/camera/snapshot/",
            "/cameras/camera/snapshot.jpg",
            "/snapshot?placeholder=1?170",
        ),
    ],
)
def test_the_snapshot_is_had_by_every_address_that_programs_use(
    client: FlaskClient, patient_bus: Bus, path: str
) -> None:
    patient_bus.publish(jpeg(1))
    for headers in ({}, HTML):
        response = ask(client, path, headers)
        assert (response.status_code, response.data) == (200, jpeg(1))


@pytest.mark.parametrize(
    "path",
    [
        *("/stream", "/stream/", "//stream", "/?action=stream_0", "/?action=stream?1700000000"),
        *("/?action=stream&resolution=640x480", "/stream.mjpg", "/stream.mjpeg", "/video"),
        *("/video.mjpg", "/cam.mjpg", "/webcam/?action=stream", "/cameras/camera/stream.mjpg/"),
    ],
)
def test_the_stream_is_had_by_every_address_that_programs_use(
    client: FlaskClient, path: str
) -> None:
    response = ask(client, path, method="HEAD")
    assert response.status_code == 200
    assert response.mimetype == "multipart/x-mixed-replace"


def test_an_action_is_of_the_camera_with_its_number(runtime: Path) -> None:
    settings = Settings(runtime, default_camera="left", configured=("right", "back"))
    (runtime / "above.lock").touch()
    client = create_app(settings).test_client()
    for number, camera in enumerate(("left", "right", "back", "above")):
        response = client.get(f"/?action=snapshot_{number}")
        assert (response.status_code, response.get_json()["camera"]) == (503, camera)
    assert "3 (above)" in client.get("/?action=snapshot_4").get_json()["message"]


@pytest.mark.parametrize("query", ["take", "command&id=1", "", "streams", "snapshot_9", "_0"])
def test_an_unknown_action_is_no_page(client: FlaskClient, query: str) -> None:
    for headers in ({}, HTML):
        response = client.get(f"/?action={query}", headers=headers)
        assert response.status_code == 404
    assert client.get(f"/?action={query}").get_json()["error"] == "no-such-action"


@pytest.mark.parametrize("path", ["/program.json", "/api/stream.mjpeg?src=front", "/a/b/c", "/&1"])
def test_a_path_that_there_is_not_is_answered_with_those_that_there_are(
    client: FlaskClient, path: str
) -> None:
    response = client.get(path)
    assert (response.status_code, response.get_json()["error"]) == (404, "not-found")
    links = response.get_json()["links"]
    for name, where in (("stream", "/stream"), ("state", "/state"), ("page", "/")):
        assert joined(path, links[name]) == where


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("prefix", ["/camera", "/a/b", "/webcam"])
def test_below_a_prefix_that_a_proxy_takes_off_no_address_leaves_it(
    client: FlaskClient, prefix: str, asked: str
) -> None:
    for headers in ({}, HTML):
        response = ask(client, asked, {**headers, "X-Forwarded-Prefix": "/elsewhere"})
        found = addresses(response)
        assert found or not headers
        for address in found:
            path = joined(f"{prefix}{asked}", address)
            assert path.startswith(f"{prefix}/"), address


def test_what_a_page_below_a_prefix_points_to_is_there(client: FlaskClient) -> None:
    for asked in ("/", "//", "/webcam", "/webcam/", "/webcam//"):
        found = addresses(ask(client, asked, HTML))
        assert len(found) >= 5
        for address in found:
            path = joined(asked, address)
            with client.head(path) as response:
                assert response.status_code == 200, (asked, address)


def test_a_declared_proxy_may_say_below_what_it_serves(runtime: Path) -> None:
    client = create_app(Settings(runtime, access=PROXIED)).test_client()
    told = {"X-Forwarded-Prefix": "/camera/"}
    (camera,) = client.get("/cameras", headers=told).get_json()["cameras"]
    assert camera["links"]["stream"] == "/camera/cameras/camera/stream"
    assert 'src="/camera/static/page.js"' in client.get("/", headers=told).text
    assert client.get("/metrics/", headers=told).headers["Location"] == "/camera/metrics"


@pytest.mark.parametrize(
    "told",
    [
        *("//evil.example", "https://evil.example", "/a b", '/a"onload="', "/../..", "/a/./b", "a"),
        *("/a\\b", "/a?b", "/a#b", "/a%2e%2e", "/" + "a" * 300, "/a,/b", "", "/"),
    ],
)
def test_a_prefix_that_is_no_plain_path_is_not_believed(told: str) -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PREFIX": told}
    assert Proxies(("127.0.0.1",)).prefix(environ) == ""


def test_a_prefix_is_believed_of_a_declared_proxy_alone() -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PREFIX": "/my-cam.1/x/"}
    assert Proxies(("127.0.0.1",)).prefix(environ) == "/my-cam.1/x"
    assert Proxies(()).prefix(environ) == ""


def test_a_session_below_a_prefix_is_for_what_is_below_it(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    guarded = replace(GUARDED, proxies=("127.0.0.1",))
    client = create_app(Settings(runtime, access=guarded, state=tmp_path)).test_client()
    untold = client.get(f"/?token={token}")
    assert untold.headers["Location"] == "./"
    assert "Path=" not in untold.headers["Set-Cookie"], "a browser takes that of the page"
    told = client.get(f"/?token={token}", headers={"X-Forwarded-Prefix": "/camera"})
    assert told.headers["Location"] == "/camera/"
    assert "Path=/camera/;" in told.headers["Set-Cookie"]


def test_what_sets_a_cookie_does_so_at_its_own_path_only(
    runtime: Path, tmp_path: Path, token: str
) -> None:
    client = create_app(Settings(runtime, access=GUARDED, state=tmp_path)).test_client()
    response = client.get("/login/", headers=basic(token))
    assert (response.status_code, response.headers["Location"]) == (308, "../login")
    assert "Set-Cookie" not in response.headers
    response = client.get("/login", headers=basic(token))
    assert (response.status_code, response.headers["Location"]) == (303, "./")
    assert "Set-Cookie" in response.headers


@pytest.mark.parametrize("told", ["", "/webcam"])
def test_below_a_prefix_that_a_proxy_leaves_on_one_can_log_in(
    runtime: Path, tmp_path: Path, token: str, told: str
) -> None:
    guarded = replace(GUARDED, proxies=("127.0.0.1",))
    client = create_app(Settings(runtime, access=guarded, state=tmp_path)).test_client()
    headers = {**basic(token), "X-Forwarded-Prefix": told}
    response = client.get("/webcam/login/", headers=headers)
    assert joined("/webcam/login/", response.headers["Location"]) == "/webcam/login"
    response = client.get("/webcam/login", headers=headers)
    assert joined("/webcam/login", response.headers["Location"]) == "/webcam/"
    assert "Path=/;" not in response.headers["Set-Cookie"]
    assert client.get("/webcam/cameras").status_code == 200
    assert client.get("/cameras").status_code == 401, "the cookie is for what is below it"


@pytest.mark.parametrize("path", ["/metrics/", "//metrics", "//webcam/metrics", "/metrics&1"])
def test_what_a_proxy_keeps_from_others_is_answered_at_its_own_path_only(
    client: FlaskClient, path: str
) -> None:
    response = ask(client, path)
    assert response.status_code == 308
    assert client.get("/webcam/metrics").status_code == 404
    assert joined(path, response.headers["Location"]) == "/metrics"
