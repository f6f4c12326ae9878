"""The wheel, built and installed into a fresh environment: nothing is missing from it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.helpers.waiting import until

ROOT = Path(__file__).parents[2]


def clean_environ() -> dict[str, str]:
    """The environment without what could lead an installed package back to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def succeed(*arguments: str | Path, cwd: Path, environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        arguments,
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def tracked(*folders: str) -> list[str]:
    """The files under version control, as paths below ROOT."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def build(tmp_path: Path, environ: Mapping[str, str]) -> Path:
    """Build a wheel from a copy: a leftover of this checkout cannot slip in or be left behind."""
    source = tmp_path / "source"
    for name in tracked():
        copy = source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
    succeed(
        sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path,
        cwd=source, environ=environ,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("framebus-*.whl")
    return wheel


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_wheel_holds_every_file_and_without_extras_serves_page_and_test_pattern(
    tmp_path: Path, runtime: Path
) -> None:
    environ = clean_environ()
    wheel = build(tmp_path, environ)
    wanted = {
        name.removeprefix("shared/")
        for name in tracked("shared/framebus", "capture_daemon", "web_workers")
        if not name.endswith((".c", ".h"))
    }
    wanted.add("capture_daemon/native/fast_path.so")
    assert wheel.name.split("-")[2:4] == ["py3", "none"], "libraries in C know no Python"
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()

    succeed(sys.executable, "-m", "venv", "fresh", cwd=tmp_path, environ=environ)
    fresh = tmp_path / "fresh" / "bin"
    succeed(fresh / "pip", "install", "--quiet", wheel, cwd=tmp_path, environ=environ)
    said = succeed(fresh / "framebus", "--version", cwd=tmp_path, environ=environ)
    assert said == f"framebus, version {version('framebus')}\n"

    with socket.create_server(("127.0.0.1", 0)) as server:
        bind = f"127.0.0.1:{server.getsockname()[1]}"
    arguments = ("up", "--source", "test", "--size", "320x240", "--bind", bind, "--workers", "1")
    log = tmp_path / "log"
    with log.open("w") as file:
        up = subprocess.Popen(
            [fresh / "framebus", *arguments], cwd=tmp_path, env=environ, stdout=file, stderr=file
        )
    try:
        jpeg = until(lambda: snapshot(up, f"http://{bind}/cameras/camera/snapshot"), within_s=60)
        with urllib.request.urlopen(f"http://{bind}/", timeout=30) as answer:
            page = answer.read().decode()
        with urllib.request.urlopen(f"http://{bind}/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
    finally:
        up.terminate()
        code = up.wait(30)
    assert code == 0, log.read_text()
    assert "/cameras/camera/stream" in page
    assert "framebus_" in metrics
    assert jpeg.startswith(b"\xff\xd8")
    assert jpeg.rstrip(b"\0").endswith(b"\xff\xd9")


def snapshot(up: subprocess.Popen[bytes], url: str) -> bytes:
    """The JPEG at `url`, nothing while there is none; stops waiting when `up` has ended."""
    assert up.poll() is None, "framebus up ended: its log is the file log of this test's directory"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            body: bytes = answer.read()
            return body if answer.headers["Content-Type"] == "image/jpeg" else b""
    except OSError:
        return b""
