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
from collections.abc import Callable
from pathlib import Path

import pytest
from framebus import FrameReader
from framebus.control.client import ControlClient
from framebus.liveness import holder
from framebus.names import CameraNames, state_dir, web_token

from tests.helpers.certificate import OPENSSL, make_certificate
from tests.helpers.processes import alive, children
from tests.helpers.segments import segment
from tests.helpers.waiting import until
from tests.programs.up import TEST, Up, refuse


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


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
