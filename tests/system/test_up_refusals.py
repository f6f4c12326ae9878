"""What ends `framebus up` before it serves, with which words and which code."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from framebus.liveness import holder
from framebus.names import CameraNames

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.up import TEST, Up, refuse


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--size", "big"), "'big' is no frame size"),
        (("--source", "telepathy:me"), "unknown source"),
        (("--fps", "fast"), "'fast'"),
        (("--workers", "none"), "'none'"),
        (("--max-rate", "much"), "--max-rate: 'much'"),
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
