"""The status document: every key always there, and never over the ring's limit."""

from __future__ import annotations

import json

from framebus.ring.layout import STATUS_TEXT_MAX
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.conductor import Conductor
from capture_daemon.counters import FrameCounters
from capture_daemon.plan import Plan
from capture_daemon.recovery.rungs import DEVICE_LEVEL, Rung, Unavailable
from capture_daemon.reports import Cause, Failed, Opened, Surveyed
from capture_daemon.sources.base import Granted
from capture_daemon.sources.spec import SourceSpec
from capture_daemon.status import Ring, Status, brief
from tests.conducting import Notes

REASONS = ("flagged", "empty", "no-soi", "no-eoi", "stale", "too-large", "encode-failed")
HUGE = 2**63


def status_of(conductor: Conductor) -> Status:
    counters = FrameCounters()
    for number, reason in enumerate(REASONS):
        counters.record(device_sequence=number, captured_ns=1, now_ns=1, rejected_for=reason)
    return Status(
        camera="c" * 32,
        pid=2**22,
        ring=Ring("/dev/shm/" + "x" * 255, HUGE, HUGE, HUGE, HUGE, HUGE),
        conductor=conductor,
        counters=counters,
        control=lambda: {"answered": HUGE, "dropped": {"parts": HUGE, "malformed": HUGE}},
        started_utc_ns=HUGE,
    )


def test_the_longest_texts_still_fit_into_the_ring() -> None:
    long = "\U0001f3a5" * 4000
    conductor = Conductor(
        capture=Notes(),
        plan=Plan(SourceSpec("http", long, long)),
        jitter=lambda: 0.0,
        now_ns=0,
    )
    status = status_of(conductor)
    conductor.start(1)
    opened = Opened(conductor.sessions.number, Granted("MJPG", 1, 1, 1.0, long), "http")
    conductor.on_report(opened, 2)
    rungs = DEVICE_LEVEL | {Rung.END_HOLDER}
    unavailable = tuple(Unavailable(rung, long, long) for rung in rungs)
    conductor.on_report(Surveyed(conductor.sessions.number, unavailable), 3)
    for rung in list(Rung) * 1000:
        conductor.retries.climber.began(rung, 3)
    conductor.on_report(Failed(conductor.sessions.number, Cause("c" * 30, long, long), False), 3)
    assert len(json.dumps(status.document(4), separators=(",", ":"))) < STATUS_TEXT_MAX
    conductor.start(10**12)
    opened = Opened(conductor.sessions.number, Granted("MJPG", 1, 1, 1.0, long), "http")
    conductor.on_report(opened, 2)
    assert len(json.dumps(status.document(4), separators=(",", ":"))) < STATUS_TEXT_MAX


def test_the_keys_are_the_same_in_every_state() -> None:
    conductor = Conductor(
        capture=Notes(), plan=Plan(SourceSpec("test", "", "test")), jitter=lambda: 0.0, now_ns=0
    )
    status = status_of(conductor)
    stopped = status.document(1)
    conductor.start(1)
    conductor.on_report(Opened(conductor.sessions.number, Granted("MJPG", 1, 1, 1.0), "test"), 2)
    opening = status.document(3)
    assert stopped.keys() == opening.keys()
    assert (stopped["state"], opening["state"]) == ("stopped", "opening")


@given(text=st.text(max_size=100), most=st.integers(10, 200))
def test_a_text_is_cut_to_its_bytes_of_json_and_says_so(text: str, most: int) -> None:
    cut = brief(text, most)
    assert len(json.dumps(cut)) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
