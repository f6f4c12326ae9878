from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from framebus.control.client import ControlClient
from framebus.errors import CameraAbsent, CommandRefused, ControlTimeout, UsageError
from framebus.liveness import holder
from framebus.names import CameraNames

from tests.fakes.control_server import reply, server
from tests.helpers.locks import lock_held_on
from tests.helpers.waiting import until


def test_result_is_returned(runtime: Path) -> None:
    names = CameraNames(runtime)
    with (
        server(names, lambda message: [reply(message, result=json.loads(message)["params"])]),
        ControlClient(names, timeout_s=30) as client,
    ):
        assert client.call("echo", {"fps": 15}) == {"fps": 15}
        assert client.call("echo") == {}


def test_error_reply_is_raised_with_its_code_and_words(runtime: Path) -> None:
    names = CameraNames(runtime)
    error = {"code": -32601, "message": "no such method", "data": {"methods": ["status"]}}
    with (
        server(names, lambda message: [reply(message, error=error)]),
        ControlClient(names, timeout_s=30) as client,
        pytest.raises(CommandRefused, match="no such method") as caught,
    ):
        client.call("x")
    assert (caught.value.code, caught.value.data) == (-32601, {"methods": ["status"]})


def test_replies_that_answer_something_else_are_passed_over(runtime: Path) -> None:
    names = CameraNames(runtime)

    def answer(message: bytes) -> list[bytes]:
        stray = json.dumps({"jsonrpc": "2.0", "id": 999, "result": "stray"}).encode()
        return [b"garbage", stray, reply(message, result="mine")]

    with server(names, answer), ControlClient(names, timeout_s=30) as client:
        assert client.call("x") == "mine"


def test_no_daemon_is_told_at_once_and_names_the_remedy(runtime: Path) -> None:
    with (
        ControlClient(CameraNames(runtime), timeout_s=60) as client,
        pytest.raises(CameraAbsent, match="framebus up"),
    ):
        client.call("status")


def test_silence_of_a_living_daemon_is_a_timeout_and_of_a_dead_one_an_absence(
    runtime: Path,
) -> None:
    names = CameraNames(runtime)
    with server(names, lambda message: []), ControlClient(names, timeout_s=0.05) as client:
        with lock_held_on(names.lock), pytest.raises(ControlTimeout):
            client.call("status")
        with pytest.raises(CameraAbsent):
            client.call("status")


def test_holder_names_the_process_that_has_the_lock(runtime: Path) -> None:
    lock = CameraNames(runtime).lock
    assert holder(lock) == 0
    with lock_held_on(lock) as pid:
        assert holder(lock) == pid
    until(lambda: holder(lock) == 0)


def test_holder_does_not_report_the_callers_own_lock(runtime: Path) -> None:
    lock = runtime / "x.lock"
    fd = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    assert holder(lock) == 0
    os.close(fd)


def test_a_runtime_directory_in_which_no_daemon_can_serve_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        ControlClient(CameraNames(Path("/run", "x" * 100)))


def test_a_call_that_no_daemon_would_read_is_refused_at_once(runtime: Path) -> None:
    names = CameraNames(runtime)
    with (
        server(names, lambda message: []),
        ControlClient(names, timeout_s=60) as client,
        pytest.raises(UsageError, match="too long"),
    ):
        client.call("configure", {"source": "x" * 70_000})
