"""The privileged helper as a process of its own, asked by friends and by the hostile."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus.contract.words import Rung
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture_daemon.privileged.client import PrivilegedClient
from capture_daemon.privileged.protocol import REQUEST_MAX
from capture_daemon.recovery.actions import RungFailed
from tests.fakes.usb_tree import STICK, UsbTree
from tests.helpers.waiting import until


class HelperProcess:
    def __init__(self, root: Path, runtime: Path, log: Path) -> None:
        self.tree = UsbTree(root)
        self.path = runtime / "helper"
        self.log = log
        command = [sys.executable, "-m", "capture_daemon.privileged", "--socket", str(self.path)]
        command += ["--sys", str(self.tree.paths.sys), "--dev", str(self.tree.paths.dev)]
        with log.open("wb") as file:
            self.process = subprocess.Popen([*command, "--power-port", "1-1.4"], stderr=file)
        self.client = PrivilegedClient(self.path)
        until(self._listens)

    def _listens(self) -> bool:
        try:
            self._connect().close()
        except OSError:
            return False
        return True

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(30)
        try:
            connection.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection

    def raw(self, data: bytes, *, end: bool = True) -> bytes:
        """Send bytes; return what comes back until the helper hangs up."""
        with self._connect() as connection:
            answer = b""
            try:
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(4096):
                    answer += part
            except ConnectionError:
                pass  # it hung up before it had read all
            return answer

    def ask(self, **request: object) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw(json.dumps(request).encode() + b"\n"))
        return answer

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def helper(tmp_path: Path, runtime: Path) -> Iterator[HelperProcess]:
    helper = HelperProcess(tmp_path, runtime, tmp_path / "log")
    yield helper
    assert helper.process.poll() is None, helper.log.read_text()
    helper.end()


def untouched(helper: HelperProcess) -> bool:
    return helper.tree.written("bind") == helper.tree.written("unbind") == ""


def test_a_camera_is_rebound_and_the_asker_is_logged(helper: HelperProcess) -> None:
    helper.tree.plug("1-1.2")
    assert "1-1.2:1.0" in helper.client.carry_out(Rung.REBIND, "1-1.2")
    assert helper.tree.written("bind") == "1-1.2:1.0"
    assert "of user " in helper.log.read_text()


def test_a_failure_of_the_kernel_is_an_answer(helper: HelperProcess) -> None:
    helper.tree.plug("1-1.2")  # its usbfs node is a plain file here
    with pytest.raises(RungFailed, match="Inappropriate ioctl"):
        helper.client.carry_out(Rung.USB_RESET, "1-1.2")


def test_it_has_a_budget_of_its_own_for_each_port(helper: HelperProcess) -> None:
    helper.tree.plug("1-1.2", number=5)
    helper.tree.plug("1-1.3", number=6)
    assert helper.ask(verb="reauthorize", port="1-1.2")["ok"]
    assert helper.ask(verb="usb-reset", port="1-1.2")["error"] == "too-often"
    assert helper.ask(verb="reauthorize", port="1-1.2")["error"] == "too-often"
    assert helper.ask(verb="reauthorize", port="1-1.3")["ok"]
    assert helper.ask(verb="rebind", port="1-1.2")["ok"]


def test_what_is_no_camera_is_left_alone(helper: HelperProcess) -> None:
    helper.tree.plug("1-1.2", STICK)
    for verb in ("rebind", "usb-reset", "reauthorize"):
        assert helper.ask(verb=verb, port="1-1.2")["error"] == "not-a-camera"
        assert helper.ask(verb=verb, port="1-9")["error"] == "absent"
    assert helper.ask(verb="port-power", port="1-1.2")["error"] == "not-allowed"
    assert untouched(helper)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"verb": "usb-reset", "port": "../../1-1.2"}, "bad-port"),
        ({"verb": "usb-reset", "port": "1-1.2/../usb1"}, "bad-port"),
        ({"verb": "usb-reset", "port": "1-1.2\n"}, "bad-port"),
        ({"verb": "usb-reset", "port": "1-1.2\0"}, "bad-port"),
        ({"verb": "usb-reset", "port": "usb1"}, "bad-port"),
        ({"verb": "usb-reset", "port": "1-1.2:1.0"}, "bad-port"),
        ({"verb": "usb-reset", "port": ["1-1.2"]}, "bad-port"),
        ({"verb": "usb-reset", "port": None}, "bad-port"),
        ({"verb": "reboot", "port": "1-1.2"}, "no-such-verb"),
        ({"verb": "end-holder", "port": "1-1.2"}, "no-such-verb"),
        ({"verb": ["usb-reset"], "port": "1-1.2"}, "no-such-verb"),
        ({"verb": "usb-reset", "port": "1-1.2", "path": "/etc"}, "malformed"),
        ({"verb": "usb-reset"}, "malformed"),
        ({}, "malformed"),
    ],
)
def test_what_is_not_exactly_a_verb_and_a_port_is_refused(
    helper: HelperProcess, request_: dict[str, object], error: str
) -> None:
    helper.tree.plug("1-1.2")
    assert helper.ask(**request_)["error"] == error
    assert untouched(helper)


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\n",
        b"\xff\xfe\n",
        b"[" * 150 + b"\n",
        b'{"verb": "usb-reset", "port": "1-1.2"}',
        b'{"verb": "usb-reset", "port": "1-1.2"}\n{"verb": "rebind", "port": "1-1.2"}\n',
        b" " * (REQUEST_MAX + 1) + b"\n",
        b"x" * 1_000_000,
    ],
    ids=["garbage", "no-ascii", "nested", "no-line-feed", "two-lines", "long", "huge"],
)
def test_garbage_is_answered_or_hung_up_on_and_does_nothing(
    helper: HelperProcess, data: bytes
) -> None:
    helper.tree.plug("1-1.2")
    answer = helper.raw(data)
    if answer or len(data) <= REQUEST_MAX:
        assert json.loads(answer)["error"] == "malformed"
    assert untouched(helper)


def test_silent_callers_keep_nobody_waiting(helper: HelperProcess) -> None:
    def answered_before_they_were_hung_up_on() -> bool:
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(helper._connect()) for _ in range(7)]
            silent[0].sendall(b'{"verb"')
            assert helper.ask(verb="rebind", port="1-9")["error"] == "absent"
            ended, _, _ = select.select(silent, [], [], 0)
            return not ended

    # Again where the machine stood still for the second that they have.
    until(answered_before_they_were_hung_up_on)


def test_refusals_without_end_are_a_few_lines_of_the_log(helper: HelperProcess) -> None:
    for _ in range(200):
        assert helper.ask(verb="usb-reset", port="1-9")["error"] == "absent"
        assert helper.raw(b"\x1b[31m\n")
    lines = helper.log.read_text().splitlines()
    assert 1 < len(lines) < 20
    assert "\x1b" not in helper.log.read_text()


def test_a_client_without_a_helper_says_so(tmp_path: Path) -> None:
    client = PrivilegedClient(tmp_path / "nobody")
    assert not client.usable()
    with pytest.raises(RungFailed, match="does not answer"):
        client.carry_out(Rung.REBIND, "1-1.2")


def test_it_runs_on_the_standard_library_and_nothing_else_that_is_not_ours() -> None:
    code = (
        "import sys; before = set(sys.modules); import capture_daemon.privileged.__main__; "
        "loaded = {name.partition('.')[0] for name in sys.modules.keys() - before}; "
        "print(*sorted(loaded - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["capture_daemon", "framebus"]


def test_the_socket_is_for_its_group_only(helper: HelperProcess) -> None:
    assert helper.path.stat().st_mode & 0o777 == 0o660


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=400))
def test_no_bytes_bring_the_helper_down_or_make_it_act(helper: HelperProcess, data: bytes) -> None:
    helper.raw(data)
    assert helper.process.poll() is None
    assert untouched(helper)
