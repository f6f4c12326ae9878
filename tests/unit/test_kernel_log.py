"""The kernel's log: records taken apart, lines of one port chosen, meanings given."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capture_daemon.diagnosis import kmsg
from capture_daemon.diagnosis.incidents import LINES_MAX
from capture_daemon.diagnosis.kernel_log import (
    NOT_READABLE,
    concerns,
    parse_journal,
    read,
)
from capture_daemon.diagnosis.kernel_messages import meaning
from capture_daemon.diagnosis.records import Sign

DISCONNECT = (
    b"6,1234,5017345678,-;usb 1-1: USB disconnect, device number 5\n SUBSYSTEM=usb\n"
    b" DEVICE=+usb:1-1\n"
)


def record(text: str, level: int = 6, utc_ns: int = 0, **properties: str) -> kmsg.Record:
    return kmsg.Record(utc_ns, level, text, properties)


def refuse() -> Iterable[kmsg.Record]:
    raise PermissionError


def test_a_record_is_taken_apart() -> None:
    found = kmsg.parse(DISCONNECT, 10**18)
    assert (found.utc_ns, found.level) == (10**18 + 5_017_345_678_000, 6)
    assert found.text == "usb 1-1: USB disconnect, device number 5"
    assert found.device == "1-1"


def test_more_header_fields_a_facility_and_escapes_are_understood() -> None:
    found = kmsg.parse(b"30,1,2,c,caller=T1;a\\x0ab\\xc3\\xa4\n", 0)
    assert found.level == 6
    assert found.text == "a bä"


@given(st.binary())
@example(b"6,1,2,-;")
@example(b"6,1," + b"9" * 5000 + b",-;text")
@example(b"6,1,2,-;\x1b[2Jtext\n =\n\n KEY\n")
def test_any_bytes_are_a_record_of_printable_text_or_a_value_error(raw: bytes) -> None:
    try:
        found = kmsg.parse(raw, 0)
    except ValueError:
        return
    assert found.text.isprintable()
    assert len(found.text) <= kmsg.TEXT_MAX


@given(st.binary() | st.text().map(str.encode))
@example(b"[" * 100_000)
@example(b'{"MESSAGE": [1, 300, "x", null], "PRIORITY": "9", "__MONOTONIC_TIMESTAMP": "1"}')
@example(b'{"MESSAGE": "x", "PRIORITY": "", "__MONOTONIC_TIMESTAMP": null}')
@example(b'{"MESSAGE": null}')
def test_any_line_of_a_journal_is_a_record_or_a_value_error(raw: bytes) -> None:
    try:
        found = parse_journal(raw, 0)
    except ValueError:
        return
    assert found.text.isprintable()


def test_a_line_of_the_journal_is_the_same_record() -> None:
    entry = {
        "MESSAGE": "usb 1-1: USB disconnect, device number 5",
        "PRIORITY": "6",
        "_KERNEL_DEVICE": "+usb:1-1",
        "_KERNEL_SUBSYSTEM": "usb",
        "__MONOTONIC_TIMESTAMP": "7146866813",
    }
    found = parse_journal(json.dumps(entry).encode(), 1795380000000000000)
    assert found.utc_ns == 1795387146866813000
    assert (found.text, found.device) == (kmsg.parse(DISCONNECT, 0).text, "1-1")


@pytest.mark.parametrize(
    ("text", "sign", "says"),
    [
        (
            "uvcvideo 1-1:1.1: Non-zero status (-71) in video completion handler.",
            Sign.CABLE,
            "-71: bits were garbled",
        ),
        ("usb 1-1: device descriptor read/64, error -110", Sign.CABLE, "-110: the camera did not"),
        ("usb 1-1: device not accepting address 7, error -71", Sign.CABLE, "cable"),
        ("usb usb1-port1: unable to enumerate USB device", Sign.CABLE, "cannot be recognised"),
        ("usb usb1-port1: Cannot enable. Maybe the USB cable is bad?", Sign.CABLE, "change"),
        ("usb 1-1-port2: disabled by hub (EMI?), re-enabling...", Sign.CABLE, "interference"),
        ("usb usb1-port1: over-current condition", Sign.POWER, "power"),
        (
            "usb 1-1: rejected 1 configuration due to insufficient available bus power",
            Sign.POWER,
            "powered hub",
        ),
        ("usb 1-1: Not enough bandwidth for new device state.", Sign.BANDWIDTH, "no bandwidth"),
        ("uvcvideo 1-1:1.1: Failed to submit URB 0 (-28).", Sign.BANDWIDTH, "no bandwidth"),
        ("uvcvideo 1-1:1.1: Failed to resubmit video URB (-19).", Sign.GONE, "cannot go on"),
        ("uvcvideo 1-1:1.1: Failed to resubmit video URB (-1).", Sign.NORMAL, "being stopped"),
        (
            "usb 1-1: Failed to query (GET_CUR) UVC control 2 on unit 1: -32 (exp. 1).",
            Sign.CAMERA,
            "refused a request",
        ),
        (
            "usb 1-1: Failed to query (129) UVC probe control : -110 (exp. 26).",
            Sign.CAMERA,
            "did not answer a request",
        ),
        (
            "uvcvideo: Failed to set UVC commit control : -71 (exp. 26).",
            Sign.CABLE,
            "garbled on the wire",
        ),
        ("usb 1-1: USB disconnect, device number 5", Sign.GONE, "left the bus"),
        ("usb 1-1: reset high-speed USB device number 5 using xhci_hcd", Sign.NORMAL, "reset"),
        ("usb 2-1: new SuperSpeed USB device number 2 using xhci_hcd", Sign.NORMAL, "plugged in"),
        ("xhci_hcd 0000:00:14.0: HC died; cleaning up", Sign.HOST, "controller"),
        ("usb 1-1: something new, error -71", Sign.CAMERA, "-71: bits were garbled"),
    ],
)
def test_a_line_is_explained(text: str, sign: Sign, says: str) -> None:
    known = meaning(text)
    assert known is not None
    assert known.sign is sign
    assert says in known.text


def test_a_line_that_nobody_knows_has_no_meaning() -> None:
    assert meaning("EXT4-fs (vda1): mounted filesystem") is None


@pytest.mark.parametrize(
    ("line", "port", "concerned"),
    [
        (record("usb 1-1: USB disconnect", DEVICE="+usb:1-1"), "1-1", True),
        (record("usb 1-1: USB disconnect"), "1-1", True),
        (record("uvcvideo 1-1:1.1: Non-zero status (-71)"), "1-1", True),
        (record("anything", DEVICE="+usb:1-1:1.0"), "1-1", True),
        (record("usb usb1-port1: over-current condition"), "1-1", True),
        (record("usb 1-1-port2: over-current condition"), "1-1.2", True),
        (record("usb 3-10.4-port12: over-current condition"), "3-10.4.12", True),
        (record("uvcvideo: Failed to query"), "1-1", True),
        (record("xhci_hcd 0000:00:14.0: HC died; cleaning up"), "1-1", True),
        (record("usb 1-1.2: USB disconnect", DEVICE="+usb:1-1.2"), "1-1", False),
        (record("usb 1-12: USB disconnect"), "1-1", False),
        (record("usb usb1-port12: over-current condition"), "1-1", False),
        (record("EXT4-fs error: 1-1: HC died"), "1-1", False),
        (record("usb 1-2: USB disconnect"), "", True),
        (record("usbcore: registered new interface driver"), "", False),
    ],
)
def test_lines_of_this_port_alone_are_taken(line: kmsg.Record, port: str, concerned: bool) -> None:
    assert concerns(line, port) is concerned


def test_old_lines_and_lines_of_no_interest_are_left_out_and_unknown_warnings_are_not() -> None:
    lines = [
        record("usb 1-1: USB disconnect, device number 4", utc_ns=99),
        record("usb 1-1: USB disconnect, device number 5", utc_ns=100),
        record("usb 1-1: SerialNumber: 4711", utc_ns=101),
        record("usb 1-1: strange things happen", level=4, utc_ns=102),
    ]
    log = read("1-1", 100, readers=[lambda: lines])
    assert [line.utc_ns for line in log.lines] == [100, 102]
    assert log.lines[0].meaning
    assert not log.lines[1].meaning
    assert not log.notes


def test_of_too_many_lines_the_newest_stay() -> None:
    lines = [record("usb 1-1: USB disconnect", utc_ns=at) for at in range(1000)]
    log = read("1-1", 0, readers=[lambda: lines])
    assert len(log.lines) == LINES_MAX
    assert log.lines[-1].utc_ns == 999


def test_the_journal_stands_in_and_if_nothing_can_be_read_the_group_is_said() -> None:
    lines = [record("usb 1-1: USB disconnect", utc_ns=5)]
    log = read("1-1", 0, readers=[refuse, lambda: lines])
    assert len(log.lines) == 1
    log = read("1-1", 0, readers=[refuse, refuse])
    assert log.lines == ()
    assert log.notes == (NOT_READABLE,)
    assert "systemd-journal" in NOT_READABLE
