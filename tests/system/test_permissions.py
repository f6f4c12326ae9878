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
from framebus.names import CameraNames, state_dir

from tests.helpers.segments import segment, segments
from tests.helpers.waiting import until

CAPTURE, WEB, STRANGER = 61001, 61002, 61003
SHARED_GROUP, CONTROL_GROUP = 61010, 61011

AS_USER = """
import os, sys
import capture_daemon.main, capture_daemon.sources.pattern.source
import tempfile, framebus.cli.ctl, framebus.cli.ls, framebus.cli.snapshot
from capture_daemon.command import capture
from framebus.cli.main import framebus
from framebus.invocation.usage import run
from framebus.control.client import ControlClient
from framebus.names import CameraNames, runtime_dir, state_dir, web_token
from framebus.secret_files import read_secret
from web_workers.app import create_app
from web_workers.settings import Settings
from PIL import Image

Image.preinit()  # loads its formats, else on first use
"x".encode("idna")
create_app(Settings(runtime_dir())).test_client().get("/nosuch")  # what the app loads on first use
user, group, supplementary, command, *arguments = sys.argv[1:]
os.setgroups([int(each) for each in supplementary.split(",") if each])
os.setresgid(int(group), int(group), int(group))
os.setresuid(int(user), int(user), int(user))
if command == "open-ring-to-write":
    open(arguments[0], "r+b")
elif command == "ask":
    with ControlClient(CameraNames(runtime_dir()), asks_only=True) as client:
        print(client.call(*arguments))
elif command == "command-over-http":
    app = create_app(Settings.from_environ())
    token = read_secret(web_token(state_dir()))
    call = {"jsonrpc": "2.0", "id": 1, "method": arguments[0]}
    headers = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().post("/cameras/camera/control", json=call, headers=headers)
    print(answer.status_code, answer.text)
elif command == "capture":
    sys.exit(run(capture, arguments, name="capture"))
else:
    sys.exit(run(framebus, [command, *arguments], name="framebus"))
"""

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root to become other users"),
]


def as_user(user: int, group: int, supplementary: tuple[int, ...], *command: str) -> list[str]:
    groups = ",".join(map(str, supplementary))
    return [sys.executable, "-c", AS_USER, str(user), str(group), groups, *command]


def web(*command: str, more: tuple[int, ...] = ()) -> subprocess.CompletedProcess[bytes]:
    """Run a command as the web tier's user, which has the shared group besides its own."""
    arguments = as_user(WEB, WEB, (SHARED_GROUP, *more), *command)
    return subprocess.run(arguments, capture_output=True, timeout=30)


def stranger(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as somebody who is in no group of ours."""
    arguments = as_user(STRANGER, STRANGER, (), *command)
    return subprocess.run(arguments, capture_output=True, timeout=30)


@pytest.fixture
def names(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CameraNames]:
    """A daemon as deploy/systemd starts it: its user, the shared group, umask 0007, mode 0750.

    The directory lies where only root could have made it, as /run is.
    """
    runtime.chmod(0o755)
    directory = runtime / "framebus"
    directory.mkdir(mode=0o750)
    os.chown(directory, CAPTURE, SHARED_GROUP)
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(directory))
    names = CameraNames(directory)
    source = ("--source", "test", "--fps", "10", "--size", "320x240")
    group = ("--control-group", str(CONTROL_GROUP))
    command = as_user(CAPTURE, SHARED_GROUP, (CONTROL_GROUP,), "capture", *source, *group)
    with subprocess.Popen(command, umask=0o007) as daemon:
        until(
            lambda: holder(names.lock) == daemon.pid and names.queries_socket.exists(), within_s=30
        )
        yield names
        daemon.terminate()
    assert segments(names) == []


def test_web_user_reads_the_ring_and_asks_the_daemon_and_can_command_and_write_neither(
    names: CameraNames,
) -> None:
    picture = web("snapshot", "-o", "-", "--timeout", "25")
    assert picture.returncode == 0, picture.stderr
    assert picture.stdout.startswith(b"\xff\xd8")
    told = web("ask", "status")
    assert told.returncode == 0, told.stderr
    assert b"'state'" in told.stdout
    assert b"only status, incidents, wake are answered" in web("ask", "stop").stderr
    for command in ("status", "stop"):
        done = web("ctl", command)
        assert done.returncode == os.EX_NOPERM
        assert b"no permission to command" in done.stderr
    assert b"PermissionError" in web("open-ring-to-write", str(names.control_socket)).stderr
    assert b"PermissionError" in web("open-ring-to-write", str(segment(names))).stderr
    ours = names.runtime.stat()
    assert (ours.st_uid, ours.st_mode & 0o022) == (CAPTURE, 0), "only the daemon's user writes it"


def test_web_user_commands_once_it_is_put_into_the_control_group(names: CameraNames) -> None:
    done = web("ctl", "restart", more=(CONTROL_GROUP,))
    assert done.returncode == 0, done.stderr


def test_web_tier_commands_over_http_only_if_it_is_told_to_and_its_user_may(
    names: CameraNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(state_dir(), WEB, WEB)
    monkeypatch.setenv("FRAMEBUS_VIEW", "token")
    off = web("command-over-http", "restart", more=(CONTROL_GROUP,))
    assert b"403 " in off.stdout, off.stderr
    assert b"control-off" in off.stdout
    monkeypatch.setenv("FRAMEBUS_CONTROL", "token")
    may_not = web("command-over-http", "restart")
    assert b"403 " in may_not.stdout, may_not.stderr
    assert b"no permission to command" in may_not.stdout
    # A busy machine's daemon may be late (504): then the command has reached it all the same.
    done = web("command-over-http", "restart", more=(CONTROL_GROUP,))
    assert done.stdout[:4] in (b"200 ", b"504 "), done.stderr


def test_stranger_gets_no_frame_and_no_word_and_is_told_so(names: CameraNames) -> None:
    picture = stranger("snapshot", "-o", "-", "--timeout", "0.5")
    assert picture.returncode != 0
    assert picture.stdout == b""
    status = stranger("ctl", "status", "--timeout", "0.5")
    assert status.returncode != 0
    for said in (picture.stderr, status.stderr):
        assert b"framebus: " in said
        assert b"Traceback" not in said


def test_what_belongs_to_others_is_listed_as_theirs_and_not_asked(
    names: CameraNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", "/nowhere")
    daemon = str(holder(names.lock))
    for directory, mode, pid in (
        (0o750, 0o600, "-"),
        (0o755, 0o600, "-"),
        (0o755, 0o604, daemon),
    ):
        names.runtime.chmod(directory)
        names.lock.chmod(mode)
        (line,) = (
            each.split()
            for each in stranger("ls").stdout.decode().splitlines()
            if str(names.runtime) in each
        )
        assert line == ["camera", "-", "-", "-", pid, str(names.runtime), "#61001"]
    told = stranger("ls").stderr.decode()
    assert f"`sudo -u '#61001' env FRAMEBUS_RUNTIME_DIR={names.runtime} " in told


def test_who_may_look_and_not_command_is_told_which_group_may(names: CameraNames) -> None:
    refused = web("ctl", "stop")
    assert refused.returncode == os.EX_NOPERM
    assert f"not in the group #{CONTROL_GROUP}: `sudo adduser".encode() in refused.stderr


def test_who_may_not_enter_the_directory_is_told_which_group_may(names: CameraNames) -> None:
    for command in (("ctl", "status"), ("snapshot", "-o", "-")):
        refused = stranger(*command)
        assert refused.returncode == os.EX_NOPERM
        assert f"not in the group #{SHARED_GROUP}".encode() in refused.stderr
