"""The status document: every key always there, and never over the ring's limit."""

from __future__ import annotations

import json

from framebus.contract import status_document
from framebus.contract.causes import Cause
from framebus.contract.documents import StatusDocument
from framebus.contract.words import DEVICE_LEVEL, REJECTIONS, Rung
from framebus.ring.layout import STATUS_TEXT_MAX
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.reports import Failed, FrameSeen, Opened, Surveyed
from capture_daemon.control.status import Status
from capture_daemon.control.truncate import truncate
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.fallback import Fallback
from capture_daemon.recovery.rungs import Unavailable
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.spec import SourceSpec, parse
from capture_daemon.sources.base import Granted
from capture_daemon.sources.remedies import Medium
from tests.rigs.controllers import GRANTED, Notes, S, fallback_of

HUGE = 2**63


def status_of(
    controller: CaptureController,
    fallback: Fallback | None = None,
    *,
    counters: FrameCounters | None = None,
) -> Status:
    counters = counters or FrameCounters()
    for number, reason in enumerate(REJECTIONS):
        counters.record(device_sequence=number, captured_ns=1, now_ns=1, rejected_for=reason)
    return Status(
        camera="c" * 32,
        pid=2**22,
        epoch=HUGE,
        ring={
            "path": "/dev/shm/" + "x" * 255,
            "size": HUGE,
            "arena": HUGE,
            "frames": HUGE,
            "largest": HUGE,
            "note": "n" * 400,
        },
        controller=controller,
        counters=counters,
        fallback=fallback or fallback_of(controller),
        fallback_counters=counters,
        control=lambda: {"answered": HUGE, "dropped": {"parts": HUGE, "malformed": HUGE}},
        started_ns=HUGE,
    )


def test_the_longest_texts_still_fit_into_the_ring() -> None:
    long = "\U0001f3a5" * 4000
    spec = SourceSpec("http", long, long, long, Medium.NETWORK)
    camera = CaptureController(
        capture=Notes(), request=CaptureRequest(spec), jitter=lambda: 0.0, now_ns=0
    )
    fallback = fallback_of(camera, spec=spec)
    status = status_of(camera, fallback)
    camera.outage.give_up()
    fallback.tick(1)
    for controller in (camera, fallback.own):
        session = controller.sessions.number if controller is fallback.own else begin(controller)
        controller.on_report(Opened(session, Granted("MJPG", 1, 1, 1.0, long), "http"), 2)
        rungs = DEVICE_LEVEL | {Rung.END_HOLDER}
        unavailable = tuple(Unavailable(rung, long, long) for rung in rungs)
        controller.on_report(Surveyed(session, unavailable), 3)
        for rung in list(Rung) * 1000:
            controller.retries.escalation.began(rung, 3)
        controller.on_report(
            Failed(session, Cause.told({"code": "c" * 30, "message": long, "remedy": long}), False),
            3,
        )
    assert size(status.document(4)) < STATUS_TEXT_MAX
    for controller in (camera, fallback.own):
        controller.start(10**12)
        session = controller.sessions.number
        controller.on_report(Opened(session, Granted("MJPG", 1, 1, 1.0, long), "http"), 2)
    document = status.document(4)
    assert isinstance(document["fallback"], dict)
    assert document["fallback"]["source"]["granted"]
    assert size(document) < STATUS_TEXT_MAX


def begin(controller: CaptureController) -> int:
    controller.start(1)
    return controller.sessions.number


def size(document: StatusDocument) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_the_keys_are_the_same_in_every_state() -> None:
    controller = CaptureController(
        capture=Notes(), request=CaptureRequest(parse("test")), jitter=lambda: 0.0, now_ns=0
    )
    status = status_of(controller)
    stopped = status.document(1)
    controller.start(1)
    controller.on_report(Opened(controller.sessions.number, Granted("MJPG", 1, 1, 1.0), "test"), 2)
    opening = status.document(3)
    assert stopped.keys() == opening.keys()
    assert (stopped["state"], opening["state"]) == ("stopped", "opening")


def test_a_fallback_is_told_with_its_own_source_cause_and_frames() -> None:
    camera = CaptureController(
        capture=Notes(),
        request=CaptureRequest(parse("http://h/")),
        jitter=lambda: 0.0,
        now_ns=0,
    )
    fallback = fallback_of(camera, spec=parse("test"))
    status = status_of(camera, fallback)
    assert status_of(camera).document(1)["fallback"] is None
    told = status.document(1)["fallback"]
    assert isinstance(told, dict)
    assert (told["shown"], told["state"], told["cause"]) == (False, "stopped", None)
    before = status.changes(1)
    camera.start(1)
    camera.outage.give_up()
    fallback.tick(2)
    fallback.own.on_report(Opened(1, GRANTED, "test"), 3)
    fallback.own.on_report(FrameSeen(1, 640, 480), 3)
    fallback.tick(4)
    told = status.document(5)["fallback"]
    assert isinstance(told, dict)
    assert (told["shown"], told["state"], told["source"]["spec"]) == (True, "streaming", "test")
    assert told["source"]["granted"] == {"fourcc": "MJPG", "width": 640, "height": 480, "fps": 30.0}
    text = json.dumps(status.document(5))
    assert status_document.parse(text.encode()) == json.loads(text)  # its readers lose nothing
    assert status.changes(5) != before
    assert status.line(5).endswith("; the fallback is shown")


@given(text=st.text(max_size=100), most=st.integers(10, 200))
def test_a_text_is_cut_to_its_bytes_of_json_and_says_so(text: str, most: int) -> None:
    cut = truncate(text, most)
    assert len(json.dumps(cut)) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_only_an_operator_sees_more_of_a_source_than_where_it_is() -> None:
    camera = CaptureController(
        capture=Notes(),
        request=CaptureRequest(parse("http://h/live?k=v")),
        jitter=lambda: 0.0,
        now_ns=0,
    )
    status = status_of(camera, fallback_of(camera, spec=parse("file:/clips/a.mjpeg")))

    def specs(*, operator: bool) -> list[object]:
        told = status.document(1, operator=operator)
        parts = (told, told["fallback"])
        return [part["source"]["spec"] for part in parts]  # type: ignore[index]

    assert specs(operator=False) == ["http://h", "file"]
    assert specs(operator=True) == ["http://h/live?…", "file:/clips/a.mjpeg"]


def test_a_rate_and_a_size_that_are_not_known_are_null_and_a_closed_source_has_no_rate() -> None:
    controller = CaptureController(
        capture=Notes(), request=CaptureRequest(parse("test")), jitter=lambda: 0.0, now_ns=0
    )
    counters = FrameCounters()
    status = status_of(controller, counters=counters)
    controller.start(1)
    session = controller.sessions.number
    controller.on_report(Opened(session, Granted("MJPG", 0, 0, 0.0), "test"), 2)
    opened = status.document(3)
    assert isinstance(opened["source"], dict)
    unknown = {"fourcc": "MJPG", "width": None, "height": None, "fps": None}
    assert opened["source"]["granted"] == unknown
    assert rate(opened) is None
    for number in range(1, 20):
        at_ns = number * S // 10
        counters.record(device_sequence=number, captured_ns=at_ns, now_ns=at_ns, rejected_for=None)
    controller.on_report(FrameSeen(session, 640, 480), 2 * S)
    assert rate(status.document(2 * S)) == 10.0
    controller.stop(2 * S)
    assert rate(status.document(2 * S)) is None


def rate(document: StatusDocument) -> object:
    return document["frames"]["fps"]
