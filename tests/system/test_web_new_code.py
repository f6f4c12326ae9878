"""New code, templates and static files under a running web tier, sound and unsound."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import framebus
import pytest

import web_workers
from tests.helpers.waiting import until
from tests.programs.watched_web_tier import watched
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus
from web_workers.handover.shared import LAYOUT

pytestmark = pytest.mark.timeout(300)


def test_a_reload_runs_new_code_templates_and_static_files_under_the_same_viewers(
    runtime: Path, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _copied(tmp_path / "source")
    monkeypatch.chdir(source)  # where gunicorn looks first
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("FRAMEBUS_PURE_PYTHON", "true")  # parts are made by the code that is edited
    bus.start()
    with watched(runtime, 3) as there:
        assert there.tier.json("/healthz") == {"ok": True}
        # Settings are what the master itself has imported.
        _edit(source / "web_workers/settings.py", "\n\n@data", '\n\nNEW = "new"\n\n\n@data')
        routes = source / "web_workers/pages/routes.py"
        _edit(routes, "settings import Cameras", "settings import NEW, Cameras")
        _edit(routes, 'jsonify({"ok": True})', 'jsonify({"ok": NEW})')
        parts = source / "web_workers/wire/multipart.py"
        _edit(parts, r"X-Sequence: %d\r\n", r"X-New: 1\r\nX-Sequence: %d\r\n")
        _edit(source / "web_workers/templates/index.html", "<body", '<body data-new="1"')
        _edit(source / "web_workers/static/page.css", "", "/* new */")
        assert there.tier.json("/healthz") == {"ok": True}
        there.after(there.reload, workers=1)
        assert there.tier.json("/healthz") == {"ok": "new"}
        for viewer in there.viewers:
            viewer.wait(lambda viewer=viewer: "X-New" in viewer.parts[-1].headers, "new parts")  # type: ignore[misc]
            assert "X-New" not in viewer.parts[0].headers
        assert b'<body data-new="1"' in there.tier.get("/")[2]
        assert there.tier.get("/static/page.css")[2].startswith(b"/* new */")


def test_code_of_another_layout_shares_nothing_with_what_ran_and_viewers_come_again(
    runtime: Path, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _copied(tmp_path / "source")
    monkeypatch.chdir(source)
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    bus.start()
    with closing(WebTier(runtime)) as tier:
        viewer = Stream(tier.port).start()
        viewer.wait(lambda: len(viewer.frames) > 1, "frames")
        before = tier.workers()
        layout = source / "web_workers/handover/shared.py"
        _edit(layout, f"LAYOUT = {LAYOUT}", f"LAYOUT = {LAYOUT + 1}")
        tier.process.send_signal(signal.SIGHUP)
        until(lambda: not set(before) & set(tier.workers()), what="the worker is replaced")
        until(lambda: viewer.closed, what="its connection ends")
        assert viewer.error is None, "it was closed, and not forgotten"
        again = Stream(tier.port).start()
        again.wait(lambda: len(again.frames) > 1, "frames of the new code")
        assert tier.scrape().value("framebus_web_workers") == 1
        assert "this version shares nothing with workers of the running one" in tier.log()
        for each in (viewer, again):
            each.close()


def test_code_that_would_not_start_is_found_before_a_reload(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _copied(tmp_path / "source")
    monkeypatch.chdir(source)
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(runtime))
    with socket.create_server(("127.0.0.1", 0)) as taken:  # as by the tier that is to be reloaded
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "web_workers", "--check", "--bind", bind]
        sound = subprocess.run(command, capture_output=True, text=True, timeout=60)
        _edit(source / "web_workers/feeds/feed.py", "import select", "import no_such_module")
        broken = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (sound.returncode, sound.stdout) == (0, "framebus web: options and code are sound\n")
    assert broken.returncode == os.EX_SOFTWARE
    assert "no_such_module" in broken.stderr
    assert "Traceback" not in broken.stderr


def _copied(target: Path) -> Path:
    """Return a folder with copies of the packages that the web tier is made of."""
    for package in (web_workers, framebus):
        origin = Path(str(package.__file__)).parent
        shutil.copytree(
            origin, target / origin.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    return target


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
