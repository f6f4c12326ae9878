"""The route /metrics, without a server: its formats, and cameras without a daemon."""

from __future__ import annotations

import time
from pathlib import Path

from flask.testing import FlaskClient

from tests.helpers.locks import lock_held
from tests.helpers.metrics import OPENMETRICS, parsed
from tests.rigs.bus import Bus


def test_both_formats_are_served_and_say_the_same(client: FlaskClient, patient_bus: Bus) -> None:
    patient_bus.publish(captured_ns=time.monotonic_ns())
    plain = client.get("/metrics")
    assert plain.content_type.startswith("text/plain; version=")
    open_ = client.get("/metrics", headers={"Accept": OPENMETRICS})
    assert open_.content_type.startswith("application/openmetrics-text")
    first, second = parsed(plain.data), parsed(open_.data, openmetrics=True)
    assert first.samples.keys() == second.samples.keys()
    assert first.value("framebus_camera_online", camera="camera") == 1
    assert first.value("framebus_web_workers") is None  # this server has none of ours


def test_without_a_daemon_nothing_is_told_that_only_a_living_one_knows(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish(captured_ns=time.monotonic_ns() - 60_000_000_000)
    scrape = parsed(client.get("/metrics").data)
    assert scrape.value("framebus_camera_state", camera="camera", state="absent") == 1
    assert scrape.value("framebus_camera_cause", camera="camera", code="daemon-died") == 1
    assert scrape.value("framebus_camera_frames_per_second", camera="camera") is None
    assert scrape.value("framebus_daemon_answers", camera="camera") is None
    age_s = scrape.value("framebus_newest_frame_age_seconds", camera="camera")
    assert age_s is not None
    assert age_s >= 60


def test_a_daemon_that_does_not_answer_is_told_as_such(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish(captured_ns=time.monotonic_ns() - 60_000_000_000)
    with lock_held(patient_bus.names):
        scrape = parsed(client.get("/metrics").data)
    assert scrape.value("framebus_daemon_answers", camera="camera") == 0
    assert scrape.value("framebus_camera_state", camera="camera", state="streaming") == 1


def test_every_camera_is_told_of(client: FlaskClient, runtime: Path) -> None:
    (runtime / "front.lock").touch()
    scrape = parsed(client.get("/metrics").data)
    assert {labels["camera"] for labels in scrape.labels("framebus_camera_online")} == {
        "camera",
        "front",
    }
