"""The routes, without a server: statuses, headers and JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from framebus.frame import FrameFlags

from tests.helpers.locks import lock_held
from tests.helpers.waiting import until
from tests.rigs.bus import Bus, jpeg
from web_workers.app import create_app
from web_workers.settings import Settings


def test_a_snapshot_is_the_newest_frame_with_its_time_and_sequence(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    patient_bus.publish(jpeg(2))
    for path in ("/snapshot", "/cameras/camera/snapshot", "/?action=snapshot"):
        response = client.get(path)
        assert (response.status_code, response.data) == (200, jpeg(2)), path
        assert response.mimetype == "image/jpeg"
        assert response.headers["X-Sequence"] == "2"
        assert response.headers["X-UStreamer-Online"] == "true"
        assert response.headers["X-UStreamer-Width"] == "64"
        assert abs(float(response.headers["X-Timestamp"]) - time.time()) < 60


def test_a_snapshot_of_a_camera_that_is_away_says_why_and_when_to_ask_again(
    client: FlaskClient,
) -> None:
    response = client.get("/snapshot")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    body = response.get_json()
    assert (body["error"], body["state"]) == ("daemon-absent", "absent")
    assert "framebus capture --name camera" in body["remedy"]


def test_an_old_frame_is_no_snapshot_but_can_be_had_marked(client: FlaskClient, bus: Bus) -> None:
    bus.publish(jpeg(1), captured_ns=time.monotonic_ns() - 60_000_000_000)
    response = client.get("/snapshot")
    assert response.status_code == 503
    assert response.get_json()["error"] == "daemon-died"
    response = client.get("/snapshot?placeholder=1")
    assert response.status_code == 200
    assert response.headers["X-Placeholder"] == "daemon-died"
    assert response.headers["X-Sequence"] == "1"
    assert response.data != jpeg(1)


def test_history_is_found_by_age(client: FlaskClient, bus: Bus) -> None:
    now = time.monotonic_ns()
    for number in range(50):
        bus.publish(jpeg(number), captured_ns=now - (49 - number) * 1_000_000_000)
    response = client.get("/snapshot?ago=20s")
    assert response.status_code == 200
    # Frame 30 is 20 s old at `now`, and the request comes later.
    assert int(response.headers["X-Sequence"]) in range(30, 50)
    newest = client.get("/snapshot?ago=0s")
    assert newest.headers["X-Sequence"] == "50"
    response = client.get("/snapshot?ago=90s")
    assert response.status_code == 404
    assert "history reaches back" in response.get_json()["message"]


def online(client: FlaskClient, bus: Bus, path: str) -> dict[str, Any]:
    """The state right after a frame; {} where the machine stood still in between."""
    bus.publish()
    state: dict[str, Any] = client.get(path).get_json()
    return state if state["online"] else {}


def test_state_has_the_daemons_words_and_ustreamers_shape(client: FlaskClient, bus: Bus) -> None:
    for path in ("/state", "/cameras/camera/state"):
        state = until(lambda path=path: online(client, bus, path))  # type: ignore[misc]
        assert state["state"] == "streaming"
        assert state["viewers"]["count"] == 0
        assert state["ok"] is True
        source = state["result"]["source"]
        assert source["resolution"] == {"width": 64, "height": 48}
        assert (source["online"], source["desired_fps"], source["captured_fps"]) == (True, 30, 30)
        assert state["result"]["stream"]["clients_stat"] == {}


def test_cameras_are_listed_as_they_appear_and_stay_listed(
    client: FlaskClient, runtime: Path
) -> None:
    def listed() -> list[str]:
        return [each["camera"] for each in client.get("/cameras").get_json()["cameras"]]

    assert listed() == ["camera"]
    (runtime / "front.lock").touch()
    assert listed() == ["camera", "front"]
    (runtime / "front.lock").unlink()
    assert listed() == ["camera", "front"]
    assert client.get("/cameras/front/snapshot").status_code == 503


def test_a_configured_camera_is_there_before_a_daemon_ever_ran(runtime: Path) -> None:
    client = create_app(Settings(runtime, "front", ("front", "garden"))).test_client()
    assert [each["camera"] for each in client.get("/cameras").get_json()["cameras"]] == [
        "front",
        "garden",
    ]
    garden = client.get("/cameras/garden").get_json()
    assert (garden["state"], garden["cause"]["code"]) == ("absent", "daemon-absent")
    assert 'framebus_camera_online{camera="garden"} 0.0' in client.get("/metrics").text


def test_a_snapshot_that_the_client_has_already_is_not_sent_again(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    first = client.get("/snapshot")
    seen = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/snapshot", headers=seen)
    assert (again.status_code, again.data) == (304, b"")
    patient_bus.publish(jpeg(2))
    newer = client.get("/snapshot", headers=seen)
    assert (newer.status_code, newer.data) == (200, jpeg(2))


def test_a_snapshot_is_sent_whole_whatever_range_is_asked_for(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    response = client.get("/snapshot", headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.data) == (200, jpeg(1))


@pytest.mark.parametrize("what", ["stream", "snapshot", "state", "events"])
def test_an_unknown_camera_is_404_and_the_known_ones_are_named(
    client: FlaskClient, what: str
) -> None:
    response = client.get(f"/cameras/nosuch/{what}")
    assert response.status_code == 404
    assert response.get_json()["cameras"] == ["camera"]
    page = client.get(f"/cameras/nosuch/{what}", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert "there are: camera" in page.text


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "A", "a" * 33, "%00", "<script>"])
def test_a_name_that_is_none_is_404_too(client: FlaskClient, name: str) -> None:
    response = client.get(f"/cameras/{name}/state", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "<script>" not in response.text


@pytest.mark.parametrize(
    "query", ["fps=fast", "fps=0", "extra_headers=perhaps", "dual_final_frames=2"]
)
def test_a_bad_query_is_400_with_what_to_use(client: FlaskClient, query: str) -> None:
    response = client.get(f"/stream?{query}")
    assert response.status_code == 400
    assert "use" in response.get_json()["message"]


def test_a_missing_page_and_a_wrong_method_are_answered_in_the_same_shape(
    client: FlaskClient,
) -> None:
    assert client.get("/nothing").get_json()["error"] == "not-found"
    response = client.post("/stream")
    assert (response.status_code, response.get_json()["error"]) == (405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]


def test_ready_means_fresh_frames(client: FlaskClient, bus: Bus, runtime: Path) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["ready"]) == (503, False)
    assert until(lambda: bus.publish() and client.get("/readyz").status_code == 200)
    (runtime / "front.lock").touch()
    response = client.get("/readyz?camera=front")
    assert response.status_code == 503
    assert response.get_json()["cause"]["code"] == "daemon-absent"
    bus.publish(captured_ns=time.monotonic_ns() - 1_200_000_000)  # over 3 x 33 ms + 1 s
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.fixture
def slow_bus(patient_bus: Bus) -> Iterator[Bus]:
    """The same of a daemon that lives."""
    with lock_held(patient_bus.names):
        yield patient_bus


def test_a_fallback_is_shown_and_is_not_the_camera(client: FlaskClient, slow_bus: Bus) -> None:
    cause = {"code": "device-absent", "message": "it is gone", "remedy": "plug it in"}
    granted = {"fourcc": "MJPG", "width": 160, "height": 120, "fps": 5.0}
    source = {"spec": "test", "granted": granted}
    fallback: dict[str, object] = {"shown": True, "source": source, "frames": {"fps": 5.0}}
    slow_bus.tell("backoff", cause, fallback)
    slow_bus.publish(jpeg(1), flags=FrameFlags.FALLBACK)
    snapshot = client.get("/snapshot?placeholder=1")
    assert (snapshot.status_code, snapshot.data) == (200, jpeg(1))
    assert snapshot.headers["X-Fallback"] == "true"
    state = client.get("/state").get_json()
    assert (state["online"], state["showing"], state["cause"]) == (False, "fallback", cause)
    seen = state["result"]["source"]
    assert (seen["online"], seen["captured_fps"]) == (False, 5)
    assert seen["resolution"] == {"width": 160, "height": 120}
    assert client.get("/readyz").status_code == 503


def test_the_camera_that_is_back_is_what_is_shown(client: FlaskClient, slow_bus: Bus) -> None:
    slow_bus.publish(jpeg(1), flags=FrameFlags.FALLBACK)
    slow_bus.tell("streaming")
    slow_bus.publish()
    assert "X-Fallback" not in client.get("/snapshot").headers
    assert client.get("/state").get_json()["showing"] == "camera"
    assert client.get("/readyz").status_code == 200


def test_head_is_answered_on_every_route_without_a_body(
    client: FlaskClient, runtime: Path, patient_bus: Bus
) -> None:
    patient_bus.publish()
    for rule in create_app(Settings(runtime)).url_map.iter_rules():
        if rule.endpoint in ("access.login", "access.control"):
            continue  # off; tests/unit/test_access_routes.py
        path = rule.rule.replace("<name>", "camera").replace("<path:filename>", "page.js")
        with client.head(path) as response:
            assert (response.status_code, response.data) == (200, b""), path
            assert response.headers["X-Content-Type-Options"] == "nosniff", path
            assert response.headers["Cache-Control"] == "no-store", path
            assert "default-src 'none'" in response.headers["Content-Security-Policy"], path
            assert response.headers["Referrer-Policy"] == "no-referrer", path


def test_options_are_told_on_every_route_and_no_origin_is_given_leave(
    client: FlaskClient, runtime: Path
) -> None:
    for rule in create_app(Settings(runtime)).url_map.iter_rules():
        if rule.endpoint in ("access.login", "access.control"):
            continue
        path = rule.rule.replace("<name>", "camera").replace("<path:filename>", "page.js")
        response = client.options(path, headers={"Origin": "https://else.example"})
        assert (response.status_code, response.data) == (200, b""), path
        assert "GET" in response.headers["Allow"], path
        assert "Access-Control-Allow-Origin" not in response.headers, path


def test_what_a_tab_of_its_own_shows_lets_the_browsers_viewer_style_it(
    client: FlaskClient, patient_bus: Bus
) -> None:
    patient_bus.publish()
    for path in ("/snapshot", "/stream", "/state", "/metrics"):
        policy = client.head(path).headers["Content-Security-Policy"]
        assert "style-src 'unsafe-inline'" in policy, path
        assert "script-src" not in policy, path
    assert "unsafe" not in client.get("/").headers["Content-Security-Policy"]


def test_the_page_names_its_cameras_and_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    assert "camera" in client.get("/").text
    for path in ("/", "/static/page.js", "/static/page.css", "/static/icon.svg"):
        with client.get(path) as response:
            text = response.data.decode().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"(https?:)?//[a-z]", text), path
