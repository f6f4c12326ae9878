"""Named attacks on a web tier that asks for a token. docs/security.md lists them.

Each begins where the attacker would: with a request as a browser, a proxy or a script sends it.
"""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from framebus.contract.methods import METHODS, OVER_HTTP

from tests.helpers.waiting import until
from tests.programs.guarded_web_tier import CONTROL, Guarded

JSON = {"Content-Type": "application/json"}
STOP = {"jsonrpc": "2.0", "id": 1, "method": "stop"}
METACHARACTERS = (
    "$(touch {0})", "`touch {0}`", ";touch {0};", "|touch {0}", "\ntouch {0}\n", "&&touch {0}",
    "' ; touch {0} ; '", '" ; touch {0} ; "', "../../../{0}", "%s%n{0}", "\x00{0}",
)  # fmt: skip


def csrf(server: Guarded, cookie: str) -> str:
    found = re.search(r'"framebus-csrf" content="(\w+)"', server.get("/", Cookie=cookie)[2])
    assert found is not None
    return found[1]


def test_the_same_is_carried_out_for_who_may(server: Guarded) -> None:
    """What the refusals below are worth: the page and a script can stop and start a camera."""
    cookie = server.sign_in()
    page = {**JSON, "Cookie": cookie, "X-CSRF-Token": csrf(server, cookie)}
    assert server.post(STOP, {**page, "Origin": server.origin})[0] == 200
    server.daemon.until_state("stopped")
    status, answer = server.call("start")
    assert (status, answer["id"]) == (200, 1)
    server.daemon.until_state("streaming")


def test_unauthenticated_control(server: Guarded) -> None:
    for headers in (JSON, {**JSON, "Authorization": "Bearer "}, {**JSON, "Cookie": "framebus=1"}):
        assert server.post(STOP, headers)[0] == 401


def test_csrf_by_a_form_of_a_foreign_page(server: Guarded) -> None:
    """A browser sends a form anywhere, in three content types, without asking."""
    ambient = {"Cookie": server.sign_in(), "Origin": "https://evil.example"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        status, _ = server.post(STOP, {**ambient, "Content-Type": kind})
        assert status in (403, 415)


def test_csrf_by_a_script_of_a_foreign_page(server: Guarded) -> None:
    cookie = server.sign_in()
    shown = {**JSON, "Cookie": cookie, "X-CSRF-Token": csrf(server, cookie)}
    for origin in ("https://evil.example", "null", server.origin.replace("127.0.0.1", "localhost")):
        status, answer = server.post(STOP, {**shown, "Origin": origin})
        assert (status, answer["error"]) == (403, "foreign-origin")
    # Nor is the page told that it may ask: there is no answer to a preflight.
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    status, headers, _ = server.tier.get(CONTROL, method="OPTIONS", headers=asked)
    assert status == 401
    assert not any(name.lower().startswith("access-control") for name in headers)


def test_csrf_without_the_pages_token(server: Guarded) -> None:
    cookie, other = server.sign_in(), server.sign_in()
    for shown in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf(server, other)}):
        status, answer = server.post(STOP, {**JSON, "Cookie": cookie, **shown})
        assert (status, answer["error"]) == (403, "no-csrf-token")


def test_dns_rebinding(server: Guarded) -> None:
    for path in ("/", "/healthz", "/snapshot", "/nosuch", "/static/page.js"):
        for host in ("evil.example", f"evil.example:{server.tier.port}", "127.0.0.1.evil.example"):
            assert server.get(path, Host=host, **server.bearer)[0] == 421
    assert server.post(STOP, {**JSON, **server.bearer, "Host": "evil.example"})[0] == 421
    assert server.get("/healthz", Host=f"localhost:{server.tier.port}")[0] == 200


def test_header_injection(server: Guarded) -> None:
    evil = quote("\r\nSet-Cookie: evil=1\r\n\r\n<script>")
    for path in (f"/?x={evil}&token={server.token}", f"/cameras/{evil}/state", f"/{evil}"):
        _, headers, _ = server.get(path, **server.bearer)
        assert "evil=1" not in headers.get("Set-Cookie", "")
        assert "\n" not in headers.get("Location", "")
    assert server.raw(b"GET /?x=\r\nX-Evil: 1 HTTP/1.1\r\nHost: localhost\r\n\r\n")[9:12] == b"400"


def test_forged_forwarding_headers(server: Guarded) -> None:
    """Nobody declared a proxy, so nobody is believed about names, addresses or TLS."""
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    status, headers, _ = server.get(f"/?token={server.token}", **forged)
    assert status == 303
    assert "Secure" not in headers["Set-Cookie"]
    assert "evil" not in headers["Location"]
    injected = {"X-Forwarded-For": "127.0.0.1", "Script-Name": "/evil", "Remote-User": "root"}
    assert server.get("/cameras", **injected)[0] == 401


@pytest.mark.parametrize(
    "name",
    [
        *("..", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e", "....//....//etc"),
        *(
            "%2fetc%2fpasswd",
            "camera%00",
            "camera/../front",
            "..\\..\\etc",
            "%252e%252e%252f",
            "%c0%ae",
        ),
    ],
)
def test_path_traversal_in_a_cameras_name(server: Guarded, name: str) -> None:
    for what in ("stream", "snapshot", "state", "link"):
        status, _, body = server.get(f"/cameras/{name}/{what}", **server.bearer)
        assert status == 404
        assert "root:" not in body


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/settings.py", "/etc/passwd", "%2fetc/passwd"]
)
def test_path_traversal_in_the_pages_files(server: Guarded, path: str) -> None:
    status, _, body = server.get(f"/static/{path}", **server.bearer)
    assert status in (308, 404)
    assert "import" not in body
    assert "root:" not in body


def test_shell_metacharacters_in_every_field(server: Guarded, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    for form in METACHARACTERS:
        text = form.format(planted)
        for key in ("fps", "ago", "limit", "page", "signed", "token", "action", "camera"):
            assert server.get(f"/snapshot?{key}={quote(text)}", **server.bearer)[0] < 500
        assert server.get(f"/cameras/{quote(text, safe='')}/state", **server.bearer)[0] == 404
        calls: list[tuple[str, dict[str, object]]] = [
            ("set_controls", {text: 1}),
            ("set_controls", {"brightness": text}),
            ("start", {text: text}),
            (text, {}),
        ]
        for name in OVER_HTTP:
            calls += [(name, {each.name: text}) for each in METHODS[name].takes]
        for method, params in calls:
            status, answer = server.call(method, **params)
            assert status == 403 or answer["error"]["code"] < 0, (method, params)
    assert not planted.exists()


def test_oversized_calls(server: Guarded) -> None:
    huge = {**STOP, "params": {"x": "a" * 100_000}}
    status, answer = server.post(huge, {**JSON, **server.bearer})
    assert (status, answer["error"]) == (413, "too-large")
    head = f"POST {CONTROL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
    head += (
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    assert server.raw(head.encode() + b"5\r\nhello\r\n0\r\n\r\n")[9:12] == b"411"


@pytest.mark.parametrize(
    "body",
    [
        *(b"null", b"[]", b"0", b'"stop"', b"{}", b"\xff\xfe\x00", b"[" * 8000, b'{"id": NaN}'),
        b'{"jsonrpc": "2.0", "id": 1, "method": ["stop"]}',
        b'{"jsonrpc": "2.0", "id": {}, "method": "stop"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "stop", "params": ["x"]}',
        b'{"jsonrpc": "2.0", "method": "stop"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "stop"}' * 2,
        b'[{"jsonrpc": "2.0", "id": 1, "method": "stop"}]',
    ],
)
def test_malformed_calls(server: Guarded, body: bytes) -> None:
    status, answer = server.post(body, {**JSON, **server.bearer})
    assert (status, answer["error"]) == (400, "bad-call")


def test_a_command_that_could_run_a_program_or_end_the_daemon(server: Guarded) -> None:
    for method in (*(METHODS.keys() - {*OVER_HTTP}), "quit"):
        status, answer = server.call(method)
        assert (status, answer["error"]) == (403, "not-from-here"), method
    for key in ("source", "fallback"):
        status, answer = server.call("configure", **{key: "ffmpeg:-i x"})
        assert (status, answer["error"]) == (403, "not-from-here"), key


def test_guessing(server: Guarded) -> None:
    """By somebody with an address of his own; those with others are not disturbed."""

    def guess(secret: str) -> int:
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.tier.port, timeout=20, source_address=("127.0.0.9", 0)
        )
        try:
            connection.request("GET", "/cameras", headers={"Authorization": f"Bearer {secret}"})
            return connection.getresponse().status
        finally:
            connection.close()

    assert guess("a first try") == 401
    until(lambda: guess("another") == 429, within_s=50, what="tries are limited")
    assert guess(server.token) == 200  # nobody has guessed that
    assert server.get("/cameras", **server.bearer)[0] == 200


def test_locking_an_address_out_by_a_foreign_page(server: Guarded) -> None:
    """By its images, with the marks of a browser on a secure origin, and without."""
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for marks in (image, {}):
        for _ in range(30):
            assert server.get("/?token=wrong", **marks)[0] in (401, 429)
        assert server.get("/cameras", **server.bearer)[0] == 200
        assert server.get(f"/?token={server.token}")[0] == 303


def test_filling_the_log(server: Guarded) -> None:
    """With requests that are none, and with escape sequences for whoever reads it."""
    before = len(server.tier.log())
    for number in range(300):
        server.raw(b"G\x1b[31mT /%d HTTP/1.1\r\nHost: a b\x01\r\n\r\n" % number + b"A" * 3000)
        server.get("/%0a%1b[2J", Host="evil.example")
        server.get("/cameras", Authorization="Bearer wrong\x1b")
    assert len(server.tier.log()) - before < 10_000
    assert "\x1b" not in server.tier.log()


def test_a_frame_around_the_page_or_a_stream(server: Guarded) -> None:
    for path in ("/", "/cameras", "/nosuch", "/static/page.js", "/cameras/nosuch/stream"):
        _, headers, _ = server.get(path, **server.bearer)
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
    request = (
        f"GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.tier.port), timeout=20) as client:
        client.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
    for header in (b"frame-ancestors 'self'", b"nosniff", b"no-store", b"no-referrer"):
        assert header in head.partition(b"\r\n\r\n")[0]
