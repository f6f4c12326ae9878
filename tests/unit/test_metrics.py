"""What /metrics tells of what is known: names, sums, and nothing that a person wrote."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import DROPS, REJECTIONS, Rung, State
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.metrics import OPENMETRICS, Scrape, parsed
from web_workers.cameras.observe import ABSENT, Observation
from web_workers.counts.tally import Delivery, Tally
from web_workers.counts.worker_counts import WorkerCounts
from web_workers.metrics import camera, incidents, viewers
from web_workers.metrics.families import MetricFamilies

ROOT = Path(__file__).parents[2]
STATUS: dict[str, Any] = {
    "camera": "front",
    "pid": 4711,
    "version": "0.1.0",
    "started_utc_ns": 1_700_000_000_500_000_000,
    "state": "streaming",
    "since_utc_ns": 1_700_000_001_000_000_000,
    "cause": None,
    "incident": "20261123T014555.000",
    "attempts": 2,
    "retry_utc_ns": None,
    "source": {
        "spec": "http://ada:secret@192.0.2.7/stream",
        "kind": "http",
        "device": "192.0.2.7 secret",
        "granted": {"fourcc": "MJPG", "width": 1280, "height": 720, "fps": 30.0},
        "note": "secret",
    },
    "frames": {
        "captured": 107,
        "published": 100,
        "rejected": {"no-eoi": 4, "new-reason": 3},
        "missed": 2,
        "fps": 29.97,
    },
    "fallback": {
        "shown": True,
        "source": {"spec": "secret", "device": "secret"},
        "frames": {
            "captured": 45,
            "published": 40,
            "rejected": {"off-air": 5},
            "missed": 0,
            "fps": 10.0,
        },
    },
    "ring": {"path": "/dev/shm/x", "size": 34091008, "largest": 8388608},
    "control": {"answered": 12, "dropped": {"malformed": 1}},
    "recovery": {
        "rung": "reopen",
        "next": None,
        "tries": {"reopen": 5, "usb-reset": 2},
        "unavailable": [{"rung": "rebind", "reason": "secret", "remedy": "secret"}],
    },
}
REPLY: dict[str, Any] = {
    "incidents": [
        {
            "id": "20261123T014555.000",
            "began_utc_ns": 1_700_000_000_000_000_000,
            "cause": {"code": "held", "message": "secret", "remedy": "secret"},
            "tried": [{"rung": "reopen", "note": "secret"}] * 3
            + [{"rung": "reopen", "times": 4}, {"rung": "usb-reset"}],
            "holders": [{"pid": 4712, "command": "secret"}],
            "kernel_log": [{"text": "secret"}],
        }
    ],
    "now": "20261123T014555.000",
    "totals": [
        {"cause": "device-gone", "cured_by": "reopen", "count": 3, "away_s": 7.5},
        {"cause": "silent", "cured_by": "usb-reset", "count": 1, "away_s": 4.0},
    ],
    "journal": {"path": "/secret", "unwritten": 6, "trouble": "secret"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*STATUS, *STATUS["frames"], *REPLY, "tries", "rung", "id", "dropped"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


def observed(status: dict[str, Any], cause: Cause | None = None, state: str = "") -> Observation:
    return Observation(
        camera="front",
        status=status,
        state=state or str(status.get("state", "opening")),
        cause=cause,
        fresh=cause is None,
        sequence=100,
        age_s=0.02,
        interval_s=0.0333,
    )


def told(seen: Observation, reply: object = None) -> Scrape:
    families = MetricFamilies()
    camera.tell(families, seen)
    incidents.tell(families, seen.camera, reply)
    body, _ = families.text("")
    assert b"secret" not in body
    return parsed(body)


def test_every_word_of_the_contract_has_a_series_from_the_start() -> None:
    scrape = told(observed({**STATUS, "control": {}, "recovery": {}}))
    for series, label, words in (
        ("framebus_camera_state", "state", {*State, ABSENT}),
        ("framebus_recovery_tries_total", "rung", {*Rung}),
        ("framebus_control_dropped_total", "reason", {*DROPS}),
    ):
        assert {labels[label] for labels in scrape.labels(series)} == words


def test_frames_add_up_for_camera_and_fallback_and_reasons_begin_at_zero() -> None:
    scrape = told(observed(STATUS))
    for origin, captured in (("camera", 107), ("fallback", 45)):
        of = {"camera": "front", "origin": origin}
        assert scrape.value("framebus_frames_captured_total", **of) == captured
        published = scrape.value("framebus_frames_published_total", **of)
        assert published == captured - scrape.sum("framebus_frames_rejected_total", **of)
        assert scrape.value("framebus_frames_rejected_total", **of, reason="stale") == 0
    reasons = {labels["reason"] for labels in scrape.labels("framebus_frames_rejected_total")}
    assert reasons == {*REJECTIONS, "new-reason"}
    assert scrape.value("framebus_frames_missed_total", camera="front", origin="camera") == 2
    assert scrape.value("framebus_fallback_shown", camera="front") == 1


def test_whether_anybody_watches_is_told_where_that_matters() -> None:
    for watched in (True, False):
        scrape = told(observed({**STATUS, "demand": {"watched": watched}}))
        assert scrape.value("framebus_camera_watched", camera="front") == int(watched)
    assert told(observed({**STATUS, "demand": None})).labels("framebus_camera_watched") == []


def test_without_a_fallback_nothing_is_told_of_one() -> None:
    scrape = told(observed({**STATUS, "fallback": None}))
    assert scrape.labels("framebus_fallback_shown") == []
    assert scrape.sum("framebus_frames_captured_total", origin="fallback") == 0


def test_one_state_is_true_also_one_that_is_not_known_yet() -> None:
    for state in ("streaming", "absent", "levitating"):
        scrape = told(observed(STATUS, state=state))
        assert scrape.value("framebus_camera_state", camera="front", state=state) == 1
        assert scrape.sum("framebus_camera_state") == 1


def test_a_camera_tells_its_format_its_age_and_why_it_is_away() -> None:
    scrape = told(observed(STATUS, Cause("silent", "secret", "secret")))
    assert scrape.labels("framebus_camera_format_info") == [
        {
            "camera": "front",
            "source": "http",
            "fourcc": "MJPG",
            "width": "1280",
            "height": "720",
            "fps": "30",
        }
    ]
    assert scrape.value("framebus_camera_online", camera="front") == 0
    assert scrape.value("framebus_camera_cause", camera="front", code="silent") == 1
    assert scrape.value("framebus_newest_frame_age_seconds", camera="front") == 0.02
    assert (
        scrape.value("framebus_source_frames_per_second", camera="front", origin="camera") == 29.97
    )
    started = scrape.value("framebus_daemon_start_timestamp_seconds", camera="front")
    assert started == 1_700_000_000.5
    assert scrape.value("framebus_camera_retry_timestamp_seconds", camera="front") is None
    assert scrape.value("framebus_control_answered_total", camera="front") == 12
    assert scrape.sum("framebus_control_dropped_total", camera="front") == 1


def test_incidents_are_told_by_cause_and_cure_and_the_present_one_by_what_was_tried() -> None:
    scrape = told(observed(STATUS), REPLY)
    assert scrape.value("framebus_incident_active", camera="front") == 1
    cured = {"camera": "front", "cause": "device-gone", "cured_by": "reopen"}
    assert scrape.value("framebus_incidents_total", **cured) == 3
    assert scrape.value("framebus_incident_seconds_total", **cured) == 7.5
    assert scrape.sum("framebus_incidents_total") == 4
    began = scrape.value("framebus_incident_began_timestamp_seconds", camera="front")
    assert began == 1_700_000_000
    assert scrape.value("framebus_incident_holders", camera="front") == 1
    assert scrape.value("framebus_incident_tries", camera="front", rung="reopen") == 7
    resets = scrape.value("framebus_recovery_tries_total", camera="front", rung="usb-reset")
    assert resets == 2
    assert scrape.value("framebus_recovery_tries_total", camera="front", rung="rebind") == 0
    assert scrape.value("framebus_recovery_rung", camera="front", rung="reopen") == 1
    assert scrape.value("framebus_recovery_rung_unavailable", camera="front", rung="rebind") == 1
    assert scrape.value("framebus_incidents_unwritten_total", camera="front") == 6
    assert scrape.value("framebus_daemon_answers", camera="front") == 1


def test_an_incident_that_is_over_is_not_told_as_the_present_one() -> None:
    scrape = told(observed(STATUS), {**REPLY, "now": None})
    assert scrape.value("framebus_incident_began_timestamp_seconds", camera="front") is None
    assert scrape.value("framebus_incident_holders", camera="front") is None


@given(JSON, JSON)
def test_documents_of_any_shape_are_told_without_an_error(status: object, reply: object) -> None:
    document = status if isinstance(status, dict) else {"frames": status, "recovery": status}
    families = MetricFamilies()
    camera.tell(families, observed(document))
    incidents.tell(families, "front", reply)
    for accept in ("", OPENMETRICS):
        assert families.text(accept)[0]


def test_viewers_of_all_kinds_are_told_and_the_histogram_adds_up() -> None:
    tally = Tally()
    for age_ns in (500_000, 30_000_000, 40_000_000, 9_000_000_000):
        tally.aged(age_ns)
    counted = tally.worker_counts("front", "stream", 1, [Delivery(4, 3, 1, 1000)])
    families = MetricFamilies()
    viewers.tell(families, ["front", "side"], counted, 2)
    scrape = parsed(families.text("")[0])
    assert scrape.value("framebus_web_workers") == 2
    assert scrape.value("framebus_viewers", camera="front", kind="stream") == 1
    assert scrape.value("framebus_viewer_frames_sent_total", camera="front") == 4
    assert scrape.value("framebus_viewer_frames_skipped_total", camera="front") == 3
    assert scrape.value("framebus_viewer_frames_waiting", camera="front") == 1
    assert scrape.value("framebus_viewer_sent_bytes_total", camera="front", kind="stream") == 1000
    age = "framebus_frame_age_at_send_seconds"
    assert scrape.value(f"{age}_count", camera="front") == 4
    assert scrape.value(f"{age}_sum", camera="front") == pytest.approx(9.0705)
    assert scrape.value(f"{age}_bucket", camera="front", le="0.035") == 2
    assert scrape.value(f"{age}_bucket", camera="front", le="2.0") == 3
    # One that had no viewer yet counts from zero, so that a rate sees the first.
    assert scrape.value("framebus_viewers_accepted_total", camera="side", kind="stream") == 0


def test_names_are_as_prometheus_wants_them() -> None:
    families = MetricFamilies()
    camera.tell(families, observed(STATUS, Cause("silent", "x")))
    incidents.tell(families, "front", REPLY)
    viewers.tell(families, ["front"], WorkerCounts(), 1)
    scrape = parsed(families.text(OPENMETRICS)[0], openmetrics=True)
    for family in scrape.families.values():
        assert re.fullmatch(r"framebus_[a-z_]+", family.name), family.name
        assert family.documentation.endswith("."), family.name
        assert not re.search(r"_(ns|ms|milliseconds|kb|percent)(_|$)", family.name), family.name
        assert all(
            re.fullmatch(r"[a-z_]+", label) for sample in family.samples for label in sample.labels
        )
    assert scrape.families["framebus_viewers_closed"].type == "counter"
    assert scrape.families["framebus_camera_format"].type == "info"


EVERYTHING = {**STATUS, "retry_utc_ns": 1, "demand": {"watched": True}}


def test_the_documentation_lists_what_there_is_and_alerts_use_nothing_else() -> None:
    families = MetricFamilies()
    camera.tell(families, observed(EVERYTHING, Cause("silent", "x")))
    incidents.tell(families, "front", REPLY)
    viewers.tell(families, ["front"], WorkerCounts(), 1)
    scrape = parsed(families.text("")[0])
    labels: dict[str, set[str]] = {}
    for name, has in scrape.samples:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        labels.setdefault(family, set()).update(dict(has))
    page = (ROOT / "docs" / "http.md").read_text()
    rows = re.findall(r"^\| `(framebus_\w+)` \|([^|]*)\|", page, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    listed = {name: set(re.findall(r"`(\w+)`", text)) for name, text in rows}
    assert listed == {name: has - {"camera"} for name, has in labels.items()}
    alerts = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"framebus_\w+", alerts)) < set(labels)
