"""What is read out of /proc: each text as the kernel writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.diagnosis.holders import is_capture_daemon
from capture_daemon.diagnosis.processes import COMMAND_MAX, command, parse_stat, unit_of

STAT = "4711 (a ) (b) Z 1 2 3 0 -1 {flags} 1 2 3 4 5 6 7 8 20 0 2 0 123456 0 0 {rest}"


def test_a_name_with_brackets_does_not_shift_the_fields() -> None:
    found = parse_stat(STAT.format(flags=4194304, rest="1 " * 20))
    assert (found.name, found.state, found.kernel) == ("a ) (b", "Z", False)
    assert found.start_ticks == 123456


def test_a_thread_of_the_kernel_is_known_by_its_flag() -> None:
    assert parse_stat(STAT.format(flags=2129984 | 0x00200000, rest="1")).kernel


@given(st.text())
def test_no_text_gives_anything_but_a_stat_or_a_value_error(text: str) -> None:
    try:
        parse_stat(text)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/framebus-capture@front.service\n", "framebus-capture@front.service"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"),
        ("0::/system.slice/docker-" + "0123456789ab" * 5 + "abcd.scope\n", "docker 0123456789ab"),
        ("0::/machine.slice/libpod-" + "f" * 64 + ".scope/container\n", "podman ffffffffffff"),
        ("12:pids:/docker/" + "0123456789ab" * 5 + "abcd\n0::/\n", "docker 0123456789ab"),
        (
            "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + "a" * 64 + ".scope",
            "containerd aaaaaaaaaaaa",
        ),
        ("0::/lxc.payload.web/system.slice/cron.service\n", "lxc web"),
        ("1:name=systemd:/\n0::/\n", ""),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_the_unit_or_container_is_named(cgroup: str, unit: str) -> None:
    assert unit_of(cgroup) == unit


@pytest.mark.parametrize(
    "args",
    [
        ["ffmpeg", "-i", "rtsp://admin:hunter2@camera/1"],
        ["curl", "http://camera/video?user=me&pwd=hunter2"],
        ["viewer", "--password=hunter2"],
        ["viewer", "--api-key", "hunter2"],
        ["viewer", "-pass hunter2"],
    ],
)
def test_a_command_line_is_shown_without_its_secrets(args: list[str]) -> None:
    assert "hunter2" not in command(args, "x")
    assert args[0] in command(args, "x")


def test_a_long_command_line_is_cut_and_a_hidden_one_is_the_name() -> None:
    assert len(command(["x" * 1000], "x")) == COMMAND_MAX
    assert command([], "uvc\ngrab") == "[uvc grab]"


@pytest.mark.parametrize(
    ("args", "ours"),
    [
        (["/usr/bin/python3", "/usr/local/bin/framebus", "capture", "--name", "front"], True),
        (["python3", "-m", "capture_daemon", "--source", "auto"], True),
        (["framebus", "capture"], True),
        (["/usr/bin/python3", "/usr/local/bin/framebus", "web"], False),
        (["vim", "capture_daemon"], False),
        ([], False),
    ],
)
def test_a_daemon_of_ours_is_known_by_its_command_line(args: list[str], ours: bool) -> None:
    assert is_capture_daemon(args) is ours
