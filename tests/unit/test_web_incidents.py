"""What the web tier tells of incidents: what anybody may see, and nothing of the machine."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from web_workers.cameras.incidents import told

INCIDENT = {
    "id": "20261123T014555.000",
    "state": "streaming",
    "began_utc_ns": 1,
    "ended_utc_ns": None,
    "away_s": 2.5,
    "cause": {"code": "device-gone", "message": "gone", "remedy": ""},
    "causes": ["device-gone"],
    "tried": [{"rung": "reopen", "utc_ns": 2, "note": "pid 4711"}],
    "cured_by": None,
    "holders": [{"pid": 4711, "command": "cheese"}],
    "kernel_log": [{"text": "usb 1-1: SerialNumber: 0815"}],
    "notes": ["3 processes could not be looked into"],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*INCIDENT, "incidents"]), inner, max_size=4)
    ),
)


def test_processes_and_the_kernels_log_are_not_for_everybody() -> None:
    reply = told({"incidents": [INCIDENT], "left_off": 3})
    (incident,) = reply["incidents"]
    assert "4711" not in str(incident)
    assert "0815" not in str(incident)
    assert incident["cause"]["code"] == "device-gone"
    assert incident["tried"] == ["reopen"]
    assert reply["left_off"] == 3


@given(JSON)
def test_a_reply_of_any_shape_is_told_without_an_error(reply: object) -> None:
    assert isinstance(told(reply)["incidents"], list)


def test_without_a_daemon_there_is_an_empty_list_and_the_reason(client: FlaskClient) -> None:
    response = client.get("/cameras/camera/incidents")
    assert response.status_code == 200
    assert response.get_json()["incidents"] == []
    assert "no daemon serves camera" in response.get_json()["trouble"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "9" * 5000])
def test_a_limit_that_is_none_is_400(client: FlaskClient, limit: str) -> None:
    response = client.get("/cameras/camera/incidents", query_string={"limit": limit})
    assert response.status_code == 400


def test_an_unknown_camera_is_404(client: FlaskClient) -> None:
    assert client.get("/cameras/elsewhere/incidents").status_code == 404
