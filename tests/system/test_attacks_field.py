"""What other camera servers were attacked by, tried here. docs/security.md says what each was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.programs.guarded_web_tier import Guarded

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}
MARKUP = "<img src=x onerror=alert(1)>"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """Everybody may look, as with those servers; commands want the token."""
    with Guarded(FRAMEBUS_VIEW="open") as guarded:
        yield guarded


def scripts() -> str:
    return "".join(file.read_text() for file in (ROOT / "web_workers/static").glob("*.js"))


def no_markup(server: Guarded, path: str) -> None:
    """Fail if what a request says comes back as markup, or could run if it did."""
    _, headers, body = server.get(path, **HTML)
    assert MARKUP not in body, path
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    if headers["Content-Type"].startswith("text/html"):
        assert "unsafe" not in policy
        assert "script-src 'self'; style-src 'self'" in policy
    else:
        assert "script" not in policy


def test_go2rtc_cve_2024_29191_script_in_a_query(server: Guarded) -> None:
    for path in ("/", "/snapshot", "/cameras", "/stream", "/nosuch"):
        for key in ("src", "fps", "ago", "action", "token", "camera"):
            if path != "/stream" or key == "fps":
                no_markup(server, f"{path}?{key}={quote(MARKUP)}")


def test_go2rtc_cve_2024_29192_configuration_from_a_foreign_page(server: Guarded) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "configure", "params": {"source": "ffmpeg:-i x"}}
    foreign = {"Origin": "https://evil.example", "Cookie": server.sign_in()}
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert server.post(call, {**foreign, "Content-Type": kind})[0] in (403, 415)
    assert server.call("configure", source="ffmpeg:-i x")[0] == 403
    for path in ("/api/config", "/api/streams?src=exec:id", "/api/restart"):
        assert server.post(call, {**JSON, **server.bearer}, path)[0] == 404


def test_go2rtc_cve_2024_29193_script_in_a_cameras_name(server: Guarded) -> None:
    (server.directory / f"{MARKUP}.lock").touch()  # where the page gets the names from
    (server.directory / "front<b>.lock").touch()
    assert "<b>" not in server.get("/cameras")[2]
    no_markup(server, "/")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", scripts()
    )


def test_motioneye_cve_2025_60787_command_in_a_setting(server: Guarded, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    names = ("image_file_name", "picture_filename", "size", "fps", "source", "fallback")
    for name in names:
        status, answer = server.call("configure", **{name: f"$(touch {planted}).%Y-%m-%d"})
        assert status == 403 or answer["error"]["code"] == -32602
    assert server.call("restart")[0] == 200
    server.daemon.until_state("streaming")
    assert not planted.exists()


def test_motioneye_cve_2026_55863_command_without_a_password(server: Guarded) -> None:
    for method in ("start", "stop", "restart", "reset", "configure", "status"):
        call = {"jsonrpc": "2.0", "id": 1, "method": method}
        assert server.post(call, JSON)[0] == 401
    for path in ("/action/1/snapshot", "/cameras/camera/stop", "/cameras/camera/snapshot"):
        assert server.post({}, JSON, path)[0] in (404, 405)


@pytest.mark.parametrize("path", ["/etc/passwd", "//etc/passwd", "../../../../etc/passwd"])
def test_motioneye_cve_2026_55488_absolute_path_for_a_file(server: Guarded, path: str) -> None:
    for encoded in (quote(path, safe=""), quote(path), path.replace("..", "%2e%2e")):
        for prefix in ("/static/", "/cameras/", "/cameras/camera/", "/picture/1/download/"):
            status, _, body = server.get(f"{prefix}{encoded}")
            assert status in (308, 404)
            assert "root:" not in body


def test_frigate_cve_2023_45672_objects_in_a_configuration(server: Guarded, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    document = f"!!python/object/apply:os.system ['touch {planted}']"
    kinds = ("application/json", "application/yaml", "application/x-yaml", "text/plain")
    for kind in kinds:
        status, _ = server.post(document.encode(), {**server.bearer, "Content-Type": kind})
        assert status in (400, 415)
    assert server.post({}, {**JSON, **server.bearer}, "/api/config/save")[0] == 404
    assert server.call("set_controls", x={"py/object": "os.system", "args": ["id"]})[0] in (
        200,
        403,
    )
    assert not planted.exists()
    sources = [*(ROOT / "web_workers").rglob("*.py"), *(ROOT / "capture_daemon").rglob("*.py")]
    sources += (ROOT / "shared/framebus").rglob("*.py")
    loaders = re.compile(
        r"^\s*(?:import|from) (?:pickle|yaml|marshal|shelve|jsonpickle|dill)\b", re.M
    )
    assert [str(file) for file in sources if loaders.search(file.read_text())] == []
