"""What `framebus up` prints, and where the token is in it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from framebus.cli import banner, interfaces
from framebus.cli.banner import Served
from framebus.invocation import typed
from framebus.options.chosen import Chosen
from framebus.serving import access, address
from framebus.serving.access import Credential

PHONE = "192.168.1.20"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in which `framebus` is what to type, and which finds the runtime directory."""
    monkeypatch.setattr(typed, "program", lambda: "framebus")
    monkeypatch.delenv("FRAMEBUS_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


def served(bind: str, *cameras: str, reached: tuple[str, ...] = (PHONE,), **given: str) -> Served:
    listen = address.parse(bind)
    chosen = access.choose(Chosen(given), listen)
    credential = Credential(Path("/state/web.token"), "s3cret-token", "s3cret-token")
    there = () if access.loopback(listen) else reached
    return Served(
        listen, cameras or ("camera",), chosen, credential if chosen.asks else None, there
    )


def told(
    bind: str,
    *cameras: str,
    secret: bool = True,
    reached: tuple[str, ...] = (PHONE,),
    **given: str,
) -> str:
    return banner.banner(served(bind, *cameras, reached=reached, **given), secret=secret)


def test_it_has_addresses_and_commands_that_can_be_typed() -> None:
    text = told("127.0.0.1:8080")
    assert text.splitlines() == [
        "framebus serves camera at http://127.0.0.1:8080/",
        "  phones     can open it with --bind 0.0.0.0:8080, and a token",
        "  stream     http://127.0.0.1:8080/cameras/camera/stream",
        "  snapshot   curl -o now.jpg http://127.0.0.1:8080/cameras/camera/snapshot",
        "  state      framebus ctl status",
        "  stop       framebus ctl stop",
        "             likewise start, restart, configure fps=15, ...",
        "  end        Ctrl-C",
    ]
    assert "framebus ctl status --name front\n" in told("127.0.0.1:8080", "front")
    assert "curl" not in told("unix:/run/x.sock")


def test_every_camera_has_its_address_in_columns() -> None:
    cameras = [f"camera-{number}" for number in range(12)]
    lines = told("127.0.0.1:8080", *cameras).splitlines()
    assert lines[0] == "framebus serves 12 cameras at http://127.0.0.1:8080/"
    streams = [line.split() for line in lines if line.endswith("/stream")]
    assert streams == [
        [camera, f"http://127.0.0.1:8080/cameras/{camera}/stream"] for camera in cameras
    ]
    assert len({line.index("http") for line in lines if line.endswith("/stream")}) == 1
    assert "  state      framebus ctl status --name camera-0" in lines


def test_a_name_of_one_of_several_is_told_even_if_it_is_the_default() -> None:
    assert "framebus ctl status --name camera\n" in told("127.0.0.1:8080", "camera", "front")


def test_other_machines_get_addresses_that_they_can_open_with_the_token() -> None:
    text = told("0.0.0.0:8080", reached=(PHONE, "2001:db8::7"))
    assert text.startswith("framebus serves camera at http://localhost:8080/?token=s3cret-token\n")
    assert "  elsewhere  http://192.168.1.20:8080/?token=s3cret-token\n" in text
    assert "             http://[2001:db8::7]:8080/?token=s3cret-token\n" in text
    assert "/state/web.token" in text
    assert "phones" not in text


def test_what_goes_to_no_person_has_no_token() -> None:
    text = told("0.0.0.0:8080", secret=False)
    assert "http://192.168.1.20:8080/\n" in text
    assert "s3cret" not in text
    assert banner.elsewhere(served("0.0.0.0:8080"), secret=False) == ["http://192.168.1.20:8080/"]


def test_a_password_is_never_in_it() -> None:
    text = told("0.0.0.0:8080", password_file="/etc/password")
    assert "s3cret" not in text
    assert "  password   in" in text


def test_a_runtime_directory_of_ones_own_is_in_each_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", "/srv/my cameras")
    assert "state      FRAMEBUS_RUNTIME_DIR='/srv/my cameras' framebus ctl status\n" in told(
        "127.0.0.1:8080"
    )


def test_a_phone_opens_the_first_address_and_none_on_the_loopback() -> None:
    found = banner.elsewhere(served("0.0.0.0:80", reached=("fd00::1",)), secret=True)
    assert found == ["http://[fd00::1]:80/?token=s3cret-token"]
    assert banner.elsewhere(served("127.0.0.1:80"), secret=True) == []


def hosts(bind: str, **given: str) -> list[str]:
    listen = address.parse(bind)
    return banner.hosts(listen, access.choose(Chosen(given), listen))


def test_hosts_are_the_bound_one_or_all_of_the_machines_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[bool, bool]] = []

    def own(*, ipv4: bool, ipv6: bool) -> list[str]:
        asked.append((ipv4, ipv6))
        return [PHONE]

    monkeypatch.setattr(interfaces, "own_addresses", own)
    monkeypatch.setattr(banner, "_ipv6_only", lambda: False)
    assert hosts("192.168.7.7:80") == ["192.168.7.7"]
    assert hosts("127.0.0.1:80") == hosts("localhost:80") == hosts("unix:/x") == []
    assert hosts("0.0.0.0:80") == hosts(":80") == hosts("[::]:80") == [PHONE]
    assert asked == [(True, False), (True, False), (True, True)]
    monkeypatch.setattr(banner, "_ipv6_only", lambda: True)
    hosts("[::]:80")
    assert asked[-1] == (False, True)


def test_a_machine_without_addresses_goes_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "own_addresses", lambda *, ipv4, ipv6: [])
    assert hosts("0.0.0.0:80") == [socket.gethostname()]


def test_a_person_reads_a_terminal_or_a_file_and_no_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Output:
        def __init__(self, *, terminal: bool) -> None:
            self.terminal = terminal

        def isatty(self) -> bool:
            return self.terminal

    mode = os.stat("/dev/null")
    monkeypatch.setattr(os, "fstat", lambda fd: mode)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    monkeypatch.setattr(sys, "stdout", Output(terminal=False))
    assert banner.person_reads()
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    assert not banner.person_reads()
    monkeypatch.setattr(sys, "stdout", Output(terminal=True))
    assert banner.person_reads()
    monkeypatch.setattr(sys, "stdout", None)
    assert not banner.person_reads()


def test_a_socket_as_output_is_a_journals_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        status = os.fstat(ours.fileno())
        monkeypatch.setattr(os, "fstat", lambda fd: status)
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
        assert not banner.person_reads()
