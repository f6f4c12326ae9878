"""Calls of the web tier to a daemon cost its process no thread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from framebus.errors import CameraAbsent
from framebus.names import CameraNames

from tests.fakes.control_server import reply, server
from web_workers.cameras.calls import caller, prepare


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_a_call_starts_no_thread_in_a_process_that_is_prepared(runtime: Path) -> None:
    names = CameraNames(runtime)
    prepare()
    during: list[int] = []

    def answer(message: bytes) -> list[bytes]:
        during.append(threads())
        return [reply(message, result=len(during))]

    with server(names, answer):
        before = threads()
        for number in (1, 2):
            with caller(names, timeout_s=60) as client:
                assert client.call("count") == number
    assert max(during) <= before  # one that has just ended may be listed a moment longer


def test_calls_go_on_after_one_that_found_no_daemon(runtime: Path) -> None:
    names = CameraNames(runtime)
    with caller(names, timeout_s=60) as client, pytest.raises(CameraAbsent):
        client.call("count")
    with (
        server(names, lambda message: [reply(message, result=1)]),
        caller(names, timeout_s=60) as client,
    ):
        assert client.call("count") == 1
