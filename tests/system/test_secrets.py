"""A running framebus shows the secrets of its camera nowhere: not to viewers, operators or `ps`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.names import CameraNames, state_dir

from tests.fakes.rtsp_server import rtsp
from tests.helpers.processes import children
from tests.helpers.segments import segment
from tests.helpers.waiting import until
from tests.samples.pictures import jpeg

SECRET = "hunter2"


class Up:
    """`framebus up` with one source, and all that it and its children show."""

    def __init__(self, directory: Path, runtime: Path, *arguments: str, **environ: str) -> None:
        self.names = CameraNames(runtime)
        self.directory = directory
        self.log = directory / "log"
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.bind = f"127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "framebus", "up", "--bind", self.bind, "--workers", "1"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], stdout=log, stderr=log, env={**os.environ, **environ}
            )

    def status(self) -> dict[str, Any]:
        try:
            with ControlClient(self.names, timeout_s=5) as client:
                result = client.call("status", {})
        except FramebusError:
            assert self.process.poll() is None, self.log.read_text()
            return {}
        assert isinstance(result, dict)
        return result

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.bind}{path}", timeout=30) as answer:
            endless = path.endswith("events")
            piece = b"".join(answer.readline() for _ in range(6)) if endless else answer.read()
            return piece.decode(errors="replace")

    def answers(self) -> bool:
        try:
            return self.get("/healthz") != ""
        except OSError:
            return False

    def family(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            found += children(pid)
        return found

    def framebus(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "framebus", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def shown(self) -> Iterator[tuple[str, str]]:
        """Yield what each place shows."""
        for path in ("/state", "/cameras", "/metrics", "/cameras/camera/incidents", "/", "/events"):
            yield path, self.get(path)
        yield "the ring", segment(self.names).read_bytes()[:65536].decode(errors="replace")
        for method in ("status", "incidents", "formats"):
            yield f"ctl {method}", self.framebus("ctl", method)
            yield f"ctl {method} --json", self.framebus("ctl", method, "--json")
        yield "doctor", self.framebus("doctor")
        bundle = self.directory / "bundle.tar.gz"
        yield "doctor --bundle", self.framebus("doctor", "--bundle", str(bundle))
        with tarfile.open(bundle) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                yield f"bundle: {member.name}", file.read().decode()
        bundle.unlink()
        for journal in state_dir().glob("*"):
            yield str(journal), journal.read_text(errors="replace")
        yield "the log", self.log.read_text()
        for pid in self.family():
            yield f"arguments of {pid}", Path(f"/proc/{pid}/cmdline").read_text()

    def check(self) -> None:
        for place, text in self.shown():
            assert SECRET not in text, place

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


Start = Callable[..., Up]


@pytest.fixture
def start(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Up]]:
    monkeypatch.setenv("FRAMEBUS_STATE_DIR", str(tmp_path / "state"))
    started: list[Up] = []

    def start(*arguments: str, **environ: str) -> Up:
        started.append(Up(tmp_path, runtime, *arguments, **environ))
        until(started[-1].answers, what="the page")
        return started[-1]

    yield start
    for up in started:
        up.end()


@pytest.mark.parametrize(
    "source",
    [
        "http://admin:hunter2@127.0.0.1:9/user=admin&password=hunter2/x?access_token=hunter2#hunter2",
        "ffmpeg:-headers 'Cookie: sid=hunter2' -cookies 'sid=hunter2' -i http://127.0.0.1:9/hunter2",
        "ffmpeg:-rtsp_transport tcp -i rtsp://hunter2@127.0.0.1:9/user=a&password=hunter2&channel=1",
        "ffmpeg:-i srt://127.0.0.1:9?passphrase=hunter2&mode=caller&connect_timeout=200",
    ],
)
def test_a_source_that_cannot_be_reached_is_named_without_its_secrets(
    start: Start, source: str
) -> None:
    up = start("--source", source, "--fallback-source", "http://a:hunter2@127.0.0.1:9/hunter2")
    until(lambda: up.status().get("incident"), within_s=40, what="a failure")
    told = json.loads(up.get("/state"))
    assert "127.0.0.1:9" in told["source"]["spec"]
    assert "…" not in told["source"]["spec"]
    assert "127.0.0.1:9" in told["cause"]["message"]
    up.check()


@pytest.mark.parametrize("by", ["argument", "environment", "configuration"])
def test_a_camera_that_streams_shows_its_secrets_to_nobody(
    start: Start, tmp_path: Path, by: str
) -> None:
    with rtsp([jpeg(1), jpeg(2)], user="me:hunter2") as server:
        source = f"ffmpeg:-rtsp_transport tcp -i rtsp://me:hunter2@127.0.0.1:{server.port}/hunter2"
        arguments: tuple[str, ...] = ()
        environ: dict[str, str] = {}
        if by == "argument":
            arguments = ("--source", source)
        elif by == "environment":
            environ = {"FRAMEBUS_SOURCE": source}
        else:
            config = tmp_path / "config.toml"
            config.write_text(f"source = {json.dumps(source)}\n")
            config.chmod(0o600)
            arguments = ("--config", str(config))
        up = start(*arguments, **environ)
        until(lambda: up.status().get("state") == "streaming", what="pictures")
        up.check()
        place = f"127.0.0.1:{server.port}"
        assert json.loads(up.get("/state"))["source"]["spec"] == f"ffmpeg:rtsp://{place}"
        assert up.status()["source"]["spec"] == (
            f"ffmpeg:-rtsp_transport tcp -i rtsp://…@{place}/…"
        )
        for pid in up.family():
            environment = Path(f"/proc/{pid}/environ").read_text()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            ours = name == "framebus" or name.startswith("python")  # as its user started it
            assert SECRET not in environment or ours, (pid, name)
    up.end()


def test_configuring_a_source_quotes_it_nowhere(start: Start) -> None:
    up = start("--source", "test")
    until(lambda: up.status().get("state") == "streaming", what="pictures")
    for wrong in (
        "htp://me:hunter2@127.0.0.1/",
        "http://me:hid#hunter2@127.0.0.1/",
        "http://me:hunter2:x/",
        "ffmpeg:-i rtsp://me:12/hunter2@camera/ ",
        "ffmpeg:-i x -y hunter2.mkv",
        "ffmpeg:-no_such_option hunter2 -i x",
        "file:/nowhere/hunter2.mjpeg",
        "hunter2",
    ):
        answer = up.framebus("ctl", "configure", f"source={wrong}")
        assert "framebus:" in answer
        assert SECRET not in answer, wrong
    answer = up.framebus("ctl", "configure", "source=http://me:hunter2@127.0.0.1:9/x?pw=hunter2")
    assert "127.0.0.1:9" in answer
    assert SECRET not in answer
    until(lambda: up.status().get("incident"), within_s=40, what="a failure")
    up.check()


def test_what_is_typed_wrongly_is_not_quoted(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("source = ['http://me:hunter2@127.0.0.1/']\n")
    for words in (
        ("capture", "--source", "htp://me:hunter2@127.0.0.1/"),
        ("capture", "--source", "ffmpeg:-i", "rtsp://me:hunter2@127.0.0.1/"),
        ("capture", "--source", "test", "--fallback-source", "rtsp://me:hunter2@127.0.0.1/"),
        ("capture", "--config", str(config)),
        ("up", "--source", "ffmpeg:-rtsp_transport", "tcp", "rtsp://me:hunter2@127.0.0.1/"),
        ("ctl", "configure", "rtsp://me:hunter2@127.0.0.1/"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "framebus", *words],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == os.EX_USAGE
        assert done.stderr
        assert SECRET not in done.stderr, words
