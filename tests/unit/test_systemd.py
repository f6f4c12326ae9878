"""sd_notify: what is sent, and that nobody listening is no misfortune."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest

from capture_daemon.systemd import ServiceManager


def test_without_a_notify_socket_nothing_happens() -> None:
    manager = ServiceManager({})
    manager.ready()
    manager.status("x")
    manager.close()
    assert manager.watchdog_s == 0


@pytest.mark.parametrize("abstract", [False, True])
def test_messages_reach_a_named_and_an_abstract_socket(runtime: Path, abstract: bool) -> None:
    name = f"@framebus-test-{os.getpid()}" if abstract else str(runtime / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if abstract else name)
        listener.settimeout(30)
        manager = ServiceManager({"NOTIFY_SOCKET": name})
        manager.ready()
        manager.status("streaming")
        manager.status("streaming")
        manager.alive()
        manager.stopping()
        manager.close()
        heard = [listener.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"STATUS=streaming", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_manager_that_does_not_listen_is_logged_once(
    runtime: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    manager = ServiceManager({"NOTIFY_SOCKET": str(runtime / "absent")})
    manager.ready()
    manager.alive()
    manager.close()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "10000000"}, 10),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 10),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_the_watchdog_is_ours_only_if_it_is_meant_for_us(
    environ: dict[str, str], watchdog_s: float
) -> None:
    assert ServiceManager(environ).watchdog_s == watchdog_s
