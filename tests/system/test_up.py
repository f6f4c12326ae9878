"""`framebus up` with the real daemon and the real web tier."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus import FrameReader
from framebus.control.client import ControlClient
from framebus.liveness import holder
from framebus.names import CameraNames, state_dir, web_token

from tests.daemons import DaemonProcess
from tests.processes import alive, children
from tests.segments import segment
from tests.system.certificate import OPENSSL, make_certificate
from tests.waiting import until

TEST = ("--source", "test", "--size", "320x240", "--fps", "25", "--workers", "1")


class Up:
    """One running `framebus up`; its output goes to files, so that no pipe can fill."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.output, self.errors = directory / "output", directory / "errors"
        with self.output.open("w") as out, self.errors.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "framebus", "up", *arguments],
                stdout=out,
                stderr=err,
                process_group=0,
            )

    def url(self) -> str:
        """Waits until the page's URL is printed."""
        return until(self._greeting, within_s=30, what="the greeting")[0]

    def _greeting(self) -> list[str]:
        return self.printed(r"at (http://\S+/)\n")

    def printed(self, pattern: str) -> list[Any]:
        """What it has printed so far of this pattern."""
        assert self.process.poll() is None, self.errors.read_text()
        return re.findall(pattern, self.output.read_text())

    def family(self) -> list[int]:
        """Every process below it."""
        found = children(self.process.pid)
        return found + [pid for child in found for pid in children(child)]


@pytest.fixture
def bind() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def start(runtime: Path, tmp_path: Path, bind: str) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*arguments: str) -> Up:
        directory = tmp_path / str(len(started))
        directory.mkdir()
        started.append(Up(directory, *arguments, "--bind", bind))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.process.terminate()
        up.process.wait(30)


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def refuse(start: Callable[..., Up], *arguments: str) -> tuple[int, str]:
    """Starts an `up` that must end by itself; returns its exit code and what it said."""
    up = start(*arguments)
    code = up.process.wait(30)
    return code, up.errors.read_text()


@pytest.mark.slow
def test_page_frames_and_control_are_there_and_ctrl_c_leaves_nothing(
    start: Callable[..., Up], runtime: Path
) -> None:
    up = start(*TEST)
    url = up.url()
    assert b"<html" in fetch(url)
    with FrameReader() as reader:
        frame = reader.next(30)
    assert frame.jpeg.startswith(b"\xff\xd8")
    until(lambda: snapshot(url).startswith(b"\xff\xd8"), what="a snapshot")
    with ControlClient(CameraNames(runtime), timeout_s=30) as client:
        status = client.call("status")
    assert isinstance(status, dict)
    assert status["source"]["spec"] == "test"
    family = up.family()
    assert len(family) >= 3
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0, up.errors.read_text()
    assert not any(alive(pid) for pid in family)
    assert [name for name in os.listdir(runtime) if not name.endswith(".lock")] == []


@pytest.mark.slow
def test_killed_daemon_is_back_with_new_frames_and_killed_web_tier_answers_again(
    start: Callable[..., Up], runtime: Path
) -> None:
    up = start(*TEST)
    url = up.url()
    with FrameReader() as reader:
        first = reader.next(30)
        daemon = holder(CameraNames(runtime).lock)
        assert daemon in children(up.process.pid)
        os.kill(daemon, signal.SIGKILL)
        until(lambda: reader.next(30).epoch != first.epoch, what="a frame of the next epoch")
    (web,) = set(children(up.process.pid)) - {holder(CameraNames(runtime).lock)}
    workers = children(web)
    os.kill(web, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in (web, *workers)))
    until(lambda: answers(f"{url}healthz"), what="the next web tier", within_s=20)


@pytest.mark.slow
def test_daemon_whose_files_are_removed_makes_way_for_one_that_can_be_found(
    start: Callable[..., Up], runtime: Path
) -> None:
    up = start(*TEST)
    up.url()
    names = CameraNames(runtime)
    finds: tuple[Callable[[], Path], ...] = (
        lambda: names.frames_socket,
        lambda: names.ring_file,
        lambda: segment(names),
    )
    for find in finds:
        with FrameReader() as reader:
            reader.next(30)
            file = find()
            daemon = holder(names.lock)
            file.unlink()
            until(lambda: reader.next(30) and reader.epochs == 2, what="the next epoch")
            assert holder(names.lock) not in (0, daemon)
        assert f"{file} was removed" in up.errors.read_text()
        until(names.frames_socket.exists)
        until(names.ring_file.exists)


@pytest.mark.slow
def test_token_is_in_the_printed_url_and_in_no_process_and_tls_is_spoken(
    start: Callable[..., Up], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if OPENSSL is None:
        pytest.skip("openssl is wanted")
    certificate, key = make_certificate(tmp_path)
    tls = ("--certfile", str(certificate), "--keyfile", str(key))
    up = start(*TEST, "--view", "token", *tls)
    url, token = until(lambda: up.printed(r"at (https://\S+/)\?token=(\S+)\n"), within_s=40)[0]
    context = ssl.create_default_context(cafile=certificate)
    shown = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}cameras", headers=shown)
    with urllib.request.urlopen(request, timeout=20, context=context) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"{url}cameras", timeout=20, context=context)
    refused.value.close()
    for pid in (up.process.pid, *up.family()):
        assert token.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert token.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert token not in up.errors.read_text()
    file = web_token(state_dir())
    assert f"what is asked for is in {file}\n" in up.errors.read_text()
    file.chmod(0o644)
    code, said = refuse(start, *TEST, "--view", "token")
    assert code == os.EX_NOPERM
    assert f"chmod 0600 {file}" in said


def answers(url: str) -> bool:
    try:
        return bool(fetch(url))
    except OSError:
        return False


def snapshot(url: str) -> bytes:
    """Its frame; nothing where none is fresh, as on a machine that stood still meanwhile."""
    try:
        return fetch(f"{url}cameras/camera/snapshot")
    except OSError:
        return b""


@pytest.mark.slow
def test_nothing_outlives_an_up_that_is_killed(start: Callable[..., Up], runtime: Path) -> None:
    up = start(*TEST)
    up.url()
    family = up.family()
    up.process.kill()
    until(lambda: not any(alive(pid) for pid in family), within_s=20)


@pytest.mark.slow
def test_file_with_two_cameras_starts_both(
    start: Callable[..., Up], runtime: Path, tmp_path: Path
) -> None:
    file = tmp_path / "framebus.toml"
    file.write_text(
        'source = "test"\nsize = "320x240"\nworkers = 1\n[camera.left]\n[camera.right]\n'
    )
    up = start("--config", str(file))
    up.url()
    for camera in ("left", "right"):
        with FrameReader(camera) as reader:
            reader.next(30)
    assert len(children(up.process.pid)) == 3


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--size", "big"), "'big' is no frame size"),
        (("--source", "telepathy:me"), "unknown source"),
        (("--fps", "fast"), "'fast'"),
        (("--workers", "none"), "'none'"),
        (("--max-rate", "much"), "--max-rate 'much'"),
        (("--ring-size", "1"), "ring of 1"),
    ],
)
def test_option_that_a_child_refuses_ends_up_with_64_and_the_childs_words(
    start: Callable[..., Up], runtime: Path, arguments: tuple[str, str], names: str
) -> None:
    code, said = refuse(start, *TEST, *arguments)
    assert code == os.EX_USAGE, said
    assert names in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments", [("--workers", "none"), ("--max-viewers", "-1"), ("--io-uring", "on")]
)
def test_camera_is_not_opened_for_a_web_tier_that_will_not_start(
    start: Callable[..., Up], runtime: Path, arguments: tuple[str, str]
) -> None:
    code, said = refuse(start, "--source", "test", *arguments)
    assert code == os.EX_USAGE
    assert said.count("\n") == 1
    assert os.listdir(runtime) == []


def test_an_empty_name_is_no_name(start: Callable[..., Up], runtime: Path) -> None:
    code, said = refuse(start, "--name", "")
    assert code == os.EX_USAGE
    assert "'' is no camera name" in said


@pytest.mark.slow
def test_lines_have_the_time_and_who_says_them_and_the_journals_have_none(
    start: Callable[..., Up], runtime: Path, tmp_path: Path
) -> None:
    up = start(*TEST, "--name", "front")
    up.url()
    said = up.errors.read_text().splitlines()
    stamp = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
    for speaker in ("front", r"web\[\d+\]"):
        assert any(re.match(rf"{stamp} INFO {speaker}: ", line) for line in said), said
    up.process.terminate()
    up.process.wait(30)
    assert re.search(rf"(?m)^{stamp} INFO up: SIGTERM", up.errors.read_text())


@pytest.mark.slow
def test_what_goes_to_the_journal_has_neither_token_nor_a_time_of_its_own(
    runtime: Path, bind: str
) -> None:
    """The journal's end is a socket, and JOURNAL_STREAM says which."""
    journal, ours = socket.socketpair()
    with journal, ours:
        status = os.fstat(ours.fileno())
        command = (sys.executable, "-m", "framebus", "up", *TEST, "--view", "token", "--bind", bind)
        with subprocess.Popen(
            command,
            stdout=ours.fileno(),
            stderr=ours.fileno(),
            env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
        ) as process:
            said = ""
            journal.settimeout(30)
            while "end        Ctrl-C" not in said:
                said += journal.recv(65536).decode()
            process.terminate()
    token = web_token(state_dir()).read_text().strip()
    assert token not in said
    assert re.search(r"(?m)^INFO camera: ", said)
    assert re.search(r"(?m)^INFO web\[\d+\]: ", said)


def test_busy_port_is_told_before_anything_starts(
    start: Callable[..., Up], runtime: Path, bind: str
) -> None:
    host, _, port = bind.partition(":")
    with socket.create_server((host, int(port))):
        code, said = refuse(start, *TEST)
    assert code == os.EX_TEMPFAIL
    assert "--bind" in said
    assert os.listdir(runtime) == []


@pytest.mark.parametrize(
    ("arguments", "names"),
    [(("--size", "big"), "'big' is no frame size"), (("--max-viewers", "all"), "'all'")],
)
def test_wrong_option_is_told_before_a_busy_port(
    start: Callable[..., Up], runtime: Path, bind: str, arguments: tuple[str, str], names: str
) -> None:
    host, _, port = bind.partition(":")
    with socket.create_server((host, int(port))):
        code, said = refuse(start, *TEST, *arguments)
    assert code == os.EX_USAGE, said
    assert names in said
    assert "in use" not in said
    assert os.listdir(runtime) == []


@pytest.mark.slow
def test_camera_name_that_another_daemon_serves_ends_up_with_75_and_its_pid(
    start: Callable[..., Up], runtime: Path
) -> None:
    with DaemonProcess(runtime, "--source", "test", "--size", "320x240") as daemon:
        until(lambda: holder(CameraNames(runtime).lock) == daemon.pid)
        code, said = refuse(start, *TEST)
        assert code == os.EX_TEMPFAIL, said
        assert str(daemon.pid) in said
