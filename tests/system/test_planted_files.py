"""What somebody may put where files of ours belong: nobody waits for it, believes it, or ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout

from tests.helpers.processes import children
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus
from tests.samples.planted_files import KINDS, put

TEST = ("--source", "test", "--size", "160x120", "--fps", "10")
PATHS = ("/state", "/cameras", "/metrics", "/readyz", "/snapshot", "/healthz")
TEXTS = (
    b"[1]",
    b'"x"',
    b"[" * 8000,
    b'{"a":' * 1600,
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"frames":{"fps":1e999,"captured":NaN},"started_utc_ns":' + b"9" * 300 + b"}",
    b'{"fallback":5,"source":[],"frames":"x","cause":5,"state":{}}',
    b'{"fallback":{"shown":true,"source":"x","frames":[]},"cause":{"message":[],"code":1}}',
    b'{"state":"\\ud800","cause":{"code":"\\udfff","message":"\\ud800"}}',
    b"\xff\xfe{}",
    b'{"deep":' + b"[" * 900 + b"]" * 900 + b"}",
)


def check_answers(tier: WebTier) -> None:
    """Every route answers, as what it is there for, with all its workers alive."""
    workers = children(tier.process.pid)
    answers = {path: tier.get(path)[0] for path in PATHS}
    assert set(answers.values()) <= {200, 503}, answers
    assert answers["/healthz"] == answers["/state"] == answers["/metrics"] == 200
    with socket.create_connection(("127.0.0.1", tier.port), timeout=20) as listener:
        listener.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = b""
        while b"event: state" not in head:
            got = listener.recv(65536)
            assert got, head
            head += got
    assert children(tier.process.pid) == workers, tier.log()


@pytest.mark.parametrize("kind", KINDS)
def test_web_tier_answers_whatever_lies_in_place_of_a_cameras_files(
    tier: WebTier, runtime: Path, kind: str
) -> None:
    for path in CameraNames(runtime).files:
        put(kind, path)
    check_answers(tier)
    assert tier.json("/state")["online"] is False


def test_a_ring_whose_file_is_not_to_be_believed_is_named_as_the_cause(
    tier: WebTier, live_bus: Bus
) -> None:
    assert tier.json("/state")["online"] is True
    live_bus.writer.path.chmod(0o666)
    state = tier.json("/state")
    assert (state["online"], state["cause"]["code"]) == (False, "untrusted")
    assert f"chmod go-w {live_bus.writer.path}" in state["cause"]["message"]
    assert tier.get("/snapshot")[0] == 503


@pytest.mark.parametrize("text", TEXTS)
def test_a_status_text_that_is_none_ends_no_worker(
    tier: WebTier, live_bus: Bus, text: bytes
) -> None:
    words = live_bus.writer._words
    live_bus.writer._bytes[layout.STATUS_TEXT : layout.STATUS_TEXT + len(text)] = text
    words[layout.W_STATUS_LENGTH] = len(text)
    words[layout.W_STATUS_CHECK] = zlib.crc32(text)
    words[layout.W_STATUS_GENERATION] = 2 << 40
    check_answers(tier)
    assert tier.json("/state")["showing"] is not None, "frames are fresh, whatever is said"
    live_bus.events.send(b'{"event":"state",' + text[1:])
    check_answers(tier)


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give files away")
def test_a_ring_of_another_user_is_not_shown_and_cannot_end_a_worker(
    tier: WebTier, live_bus: Bus
) -> None:
    live_bus.pause()
    os.chown(live_bus.writer.path, 65534, 65534)
    viewer = Stream(tier.port)
    viewer.read_a_part()
    assert viewer.frames == []
    workers = children(tier.process.pid)
    os.truncate(live_bus.writer.path, 0)  # a worker that had it mapped would end by SIGBUS
    check_answers(tier)
    assert tier.json("/state")["cause"]["code"] == "untrusted"
    assert children(tier.process.pid) == workers
    viewer.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", ["lock", "ring", "control", "queries", "frames", "events"])
def test_a_daemon_starts_over_what_lies_there_or_says_what_to_remove(
    runtime: Path, which: str, kind: str
) -> None:
    path = runtime / f"camera.{which}"
    put(kind, path)
    with DaemonProcess(runtime, *TEST) as daemon:
        if which == "lock" or kind == "directory":
            assert daemon.ended() == os.EX_NOPERM
            assert str(path) in daemon.log()
            assert "remove" in daemon.log() or f"chmod go-w {path}" in daemon.log()
        else:
            daemon.until_state("streaming")


@pytest.mark.parametrize(
    "command",
    [
        ("capture", "--source", "test"),
        ("up", "--source", "test", "--bind", "unix:/run/nowhere"),
        ("web", "--bind", "unix:/run/nowhere"),
        ("snapshot", "-o", "-"),
        ("ctl", "status"),
    ],
)
def test_a_runtime_directory_that_others_may_write_is_refused_with_the_remedy(
    runtime: Path, command: tuple[str, ...]
) -> None:
    (runtime / "camera.control").touch()
    runtime.chmod(0o1777)
    arguments = [each.replace("/run/nowhere", f"{runtime}/web") for each in command]
    done = subprocess.run(
        [sys.executable, "-m", "framebus", *arguments], capture_output=True, text=True, timeout=50
    )
    assert f"chmod go-w {runtime}" in done.stderr
    assert done.returncode == os.EX_NOPERM
    assert "Traceback" not in done.stderr
