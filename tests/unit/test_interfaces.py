"""This machine's addresses, and the code with one in it."""

from __future__ import annotations

import ipaddress
import sys

import cv2
import numpy as np
import pytest
from framebus.cli import interfaces, qr

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000000000000000001 02 40 20 80     eth0
20010db8000000000000000000000007 02 40 00 00     eth0
20010db8000000000000000000000008 02 40 00 01     eth0
20010db8000000000000000000000009 02 40 00 60     eth0
fd000000000000000000000000000001 03 40 00 80  docker0
"""


def test_lasting_global_ipv6_addresses_are_found() -> None:
    assert interfaces.ipv6_of(IF_INET6.splitlines()) == ["2001:db8::7"]


@pytest.mark.parametrize(
    ("name", "is_inner"),
    [
        ("docker0", True),
        ("br-0123456789ab", True),
        ("veth12", True),
        ("virbr0", True),
        ("br0", False),
        ("eth0", False),
        ("wlan0", False),
        ("wg0", False),
    ],
)
def test_bridges_of_containers_are_told_by_their_names(name: str, is_inner: bool) -> None:
    assert interfaces.inner(name) is is_inner


def test_own_addresses_are_addresses_without_the_loopback() -> None:
    for address in interfaces.own_addresses(ipv4=True, ipv6=True):
        assert not ipaddress.ip_address(address).is_loopback
    assert interfaces.own_addresses(ipv4=False, ipv6=False) == []


def test_code_is_read_as_what_it_was_made_of() -> None:
    url = "http://192.168.1.20:8080/?token=" + "aB3_-" * 8 + "xyz"
    assert read(qr.drawn(url, columns=80)) == url


def test_code_that_is_wider_than_the_terminal_is_none() -> None:
    assert qr.drawn("http://192.168.1.20:8080/", columns=20) == ""


def test_code_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert qr.for_terminal("http://192.168.1.20/") == ""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    assert read(qr.for_terminal("http://192.168.1.20/")) == "http://192.168.1.20/"
    assert qr.for_terminal("") == ""
    monkeypatch.setenv("TERM", "dumb")
    assert qr.for_terminal("http://192.168.1.20/") == ""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Terminal, "encoding", "ascii")
    assert qr.for_terminal("http://192.168.1.20/") == ""


def test_without_the_library_there_is_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    said = qr.drawn("http://192.168.1.20/", columns=80)
    assert said.startswith("No QR code: segno is needed")
    assert said.endswith("-m pip install segno")


def read(drawing: str) -> str:
    """What a phone's camera reads in a drawing."""
    dark = {"█": (0, 0), "▀": (0, 255), "▄": (255, 0), " ": (255, 255)}
    rows = []
    for line in drawing.splitlines():
        cells = [dark[block] for block in line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m")]
        rows += [[upper for upper, _ in cells], [lower for _, lower in cells]]
    picture = np.array(rows, np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    return str(text)
