"""Holders and incidents as text for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pytest
from framebus.cli import polling
from framebus.cli.render_diagnosis import holders, incidents
from framebus.control.client import ControlClient

SECOND = 1_000_000_000
NOW = 1_795_387_146 * SECOND
HOLDER = {
    "pid": 5011,
    "command": "cheese",
    "user": "ada",
    "since_utc_ns": NOW - 200 * SECOND,
    "unit": "session-3.scope",
    "how": ["descriptor", "dead-leader"],
    "ours": False,
}
INCIDENT = {
    "id": "20261122T223906.866",
    "camera": "front",
    "state": "streaming",
    "began_utc_ns": NOW,
    "ended_utc_ns": NOW + 2 * SECOND,
    "away_s": 2.31,
    "cause": {"code": "device-gone", "message": "the camera was unplugged", "remedy": "plug it in"},
    "causes": ["device-gone", "device-absent"],
    "tried": [
        {"rung": "reopen", "utc_ns": NOW, "note": ""},
        {"rung": "reopen", "utc_ns": NOW, "note": ""},
        {"rung": "usb-reset", "utc_ns": NOW, "note": "port 1-1"},
    ],
    "cured_by": "usb-reset",
    "holders": [HOLDER],
    "kernel_log": [
        {"utc_ns": NOW, "text": "usb 1-1: USB disconnect", "meaning": "it left the bus"}
    ],
    "notes": ["3 processes could not be looked into"],
}


def told(**more: object) -> str:
    return incidents({"incidents": [{**INCIDENT, **more}], "now": None}, UTC)


def test_an_incident_tells_when_how_long_why_what_was_tried_and_what_was_seen() -> None:
    assert told().splitlines() == [
        "2026-11-22 22:39:06  2 s without frames: the camera was unplugged",
        "    cause     device-gone, device-absent (while streaming)",
        "    tried     reopen 2 times, usb-reset (port 1-1)",
        "    cured by  usb-reset",
        "    held by   5011 (ada, session-3.scope; descriptor, dead-leader): cheese",
        "    kernel    22:39:06 usb 1-1: USB disconnect",
        "              = it left the bus",
        "    note      3 processes could not be looked into",
    ]


def test_a_line_of_the_kernel_that_repeats_is_said_once_with_a_count() -> None:
    line = {"utc_ns": NOW, "text": "Non-zero status (-71)", "meaning": "garbled"}
    text = told(kernel_log=[line] * 5)
    assert "kernel    22:39:06 Non-zero status (-71) (5 times)" in text
    assert text.count("garbled") == 1


def test_one_that_goes_on_is_told_from_one_whose_end_nobody_saw() -> None:
    reply = {"incidents": [{**INCIDENT, "ended_utc_ns": None}], "now": INCIDENT["id"]}
    assert "2 s without frames so far" in incidents(reply, UTC)
    assert "over 2 s without frames" in told(ended_utc_ns=None)


def test_no_incident_is_good_news() -> None:
    assert incidents({"incidents": []}) == "no frames have been lost, as far as is known"


def test_a_journal_that_cannot_be_written_is_said_below() -> None:
    journal = {"path": "/state/x", "trouble": "No space left on device", "unwritten": 3}
    text = incidents({"incidents": [], "journal": journal, "left_off": 7})
    assert "not kept in /state/x: No space left on device (3 times)" in text
    assert "7 older ones" in text


def test_holders_are_a_table_and_the_daemon_itself_is_marked() -> None:
    ours = {**HOLDER, "pid": 1, "unit": "", "how": ["descriptor"], "command": "framebus capture"}
    reply = {"device": "/dev/video0", "pid": 1, "holders": [ours, HOLDER], "notes": ["and so on"]}
    header, first, second, note = holders(reply, NOW).splitlines()
    assert header.split()[:2] == ["PID", "USER"]
    assert first.endswith("this daemon: framebus capture")
    assert second.split()[:5] == ["5011", "ada", "3", "min", "20"]
    assert note == "note: and so on"


def test_nobody_and_no_device_are_two_things() -> None:
    reply = {"device": "/dev/video0", "holders": []}
    assert holders(reply, NOW) == "no process is seen to have /dev/video0"
    assert "not there now" in holders({"device": "", "holders": []}, NOW)


def test_holders_that_nobody_has_looked_for_yet_are_not_told_as_none() -> None:
    reply: dict[str, Any] = {"device": "", "holders": [], "seen_utc_ns": None, "fresh": False}
    assert holders(reply, NOW).startswith("who has the camera's device is not known")
    earlier = {**reply, "device": "/dev/video0", "seen_utc_ns": NOW - 90 * SECOND}
    assert holders(earlier, NOW).splitlines() == [
        "no process is seen to have /dev/video0",
        "note: this was seen 1 min 30 s ago, and a new look has not ended yet",
    ]


@pytest.mark.parametrize("reply", [None, [], {}, {"holders": 5}, {"incidents": {"a": 1}}, "text"])
def test_a_reply_of_another_shape_is_printed_and_never_refused(reply: object) -> None:
    assert isinstance(holders(reply, NOW), str)
    assert isinstance(incidents(reply), str)


@dataclass
class Daemon(ControlClient):
    """Has looked after some calls."""

    slow: int
    calls: int = 0
    clock_s: float = 0.0

    def call(
        self, method: str, params: Mapping[str, object] | None = None, **_: object
    ) -> dict[str, Any]:
        self.calls += 1
        return {"holders": [], "fresh": self.calls > self.slow}

    def sleep(self, seconds: float) -> None:
        self.clock_s += seconds


def test_who_asks_for_holders_waits_until_the_daemon_has_looked() -> None:
    daemon = Daemon(slow=3)
    reply = polling.holders(daemon, clock=lambda: daemon.clock_s, sleep=daemon.sleep)
    assert reply == {"holders": [], "fresh": True}
    assert daemon.calls == 4


def test_who_asks_for_holders_does_not_wait_for_ever() -> None:
    daemon = Daemon(slow=10**9)
    reply = polling.holders(daemon, clock=lambda: daemon.clock_s, sleep=daemon.sleep)
    assert reply == {"holders": [], "fresh": False}
