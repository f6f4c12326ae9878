"""The modes and groups of docs/operations.md, with real processes under other user ids.

Each program loads its modules first and then gives up root: the interpreter of the machine that
tests may lie where other users cannot read it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.liveness import holder
from framebus.names import CameraNames

from tests.waiting import until

CAPTURE, WEB, STRANGER = 61001, 61002, 61003
SHARED_GROUP = 61010

AS_USER = """
import os, sys
import capture_daemon.main, capture_daemon.sources.pattern
import framebus.cli.ctl, framebus.cli.snapshot
from capture_daemon.command import capture
from framebus.cli.main import framebus, run
from PIL import Image

Image.preinit()  # loads its formats, else on first use
user, group, supplementary, command, *arguments = sys.argv[1:]
os.setgroups([int(supplementary)] if supplementary else [])
os.setresgid(int(group), int(group), int(group))
os.setresuid(int(user), int(user), int(user))
if command == "open-ring-to-write":
    open(arguments[0], "r+b")
elif command == "capture":
    sys.exit(run(capture, arguments, name="capture"))
else:
    sys.exit(run(framebus, [command, *arguments], name="framebus"))
"""

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root to become other users"),
]


def as_user(user: int, group: int, supplementary: int | None, *command: str) -> list[str]:
    groups = "" if supplementary is None else str(supplementary)
    return [sys.executable, "-c", AS_USER, str(user), str(group), groups, *command]


def web(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as the web tier's user, which has the shared group besides its own."""
    arguments = as_user(WEB, WEB, SHARED_GROUP, *command)
    return subprocess.run(arguments, capture_output=True, timeout=30)


def stranger(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as somebody who is in no group of ours."""
    arguments = as_user(STRANGER, STRANGER, None, *command)
    return subprocess.run(arguments, capture_output=True, timeout=30)


@pytest.fixture
def names(runtime: Path) -> Iterator[CameraNames]:
    """A daemon as deploy/systemd starts it: its user, the shared group, umask 0007, mode 0750."""
    os.chown(runtime, CAPTURE, SHARED_GROUP)
    runtime.chmod(0o750)
    names = CameraNames(runtime)
    command = as_user(CAPTURE, SHARED_GROUP, None, "capture", "--source", "test", "--fps", "10")
    with subprocess.Popen([*command, "--size", "320x240"], umask=0o007) as daemon:
        until(lambda: holder(names.lock) == daemon.pid)
        yield names
        daemon.terminate()


def test_web_user_reads_the_ring_and_commands_the_daemon_but_writes_neither(
    names: CameraNames,
) -> None:
    picture = web("snapshot", "-o", "-")
    assert picture.returncode == 0, picture.stderr
    assert picture.stdout.startswith(b"\xff\xd8")
    status = web("ctl", "status")
    assert status.returncode == 0, status.stderr
    assert b"streaming" in status.stdout
    assert b"PermissionError" in web("open-ring-to-write", str(names.segment_path)).stderr
    ours = names.runtime.stat()
    assert (ours.st_uid, ours.st_mode & 0o022) == (CAPTURE, 0), "only the daemon's user writes it"


def test_stranger_gets_no_frame_and_no_word_and_is_told_so(names: CameraNames) -> None:
    picture = stranger("snapshot", "-o", "-", "--timeout", "0.5")
    assert picture.returncode != 0
    assert picture.stdout == b""
    status = stranger("ctl", "status", "--timeout", "0.5")
    assert status.returncode != 0
    for said in (picture.stderr, status.stderr):
        assert b"framebus: " in said
        assert b"Traceback" not in said
