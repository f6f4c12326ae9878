"""Routes of a camera that is off because nobody watches: a snapshot wakes it, a state does not."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.helpers.waiting import until
from tests.rigs.bus import jpeg
from tests.rigs.idle_daemon import IdleDaemon, served
from web_workers.app import create_app
from web_workers.pages import routes
from web_workers.settings import Settings

GONE = {"code": "device-gone", "message": "it was unplugged", "remedy": "plug it in"}


def test_a_snapshot_wakes_it_and_waits_for_the_first_frame(
    client: FlaskClient, runtime: Path
) -> None:
    with served(runtime) as daemon:
        daemon.bus.publish(jpeg(7))
        response = client.get("/snapshot")
        assert (response.status_code, response.data) == (200, jpeg(1)), "not the one of before"
        assert len(daemon.wakes) == 1


def test_a_camera_that_does_not_wake_says_why(client: FlaskClient, runtime: Path) -> None:
    def break_it(daemon: IdleDaemon) -> None:
        daemon.broken = GONE

    with served(runtime, break_it):
        response = client.get("/snapshot")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert response.get_json()["error"] == "device-gone"


def test_whoever_asks_for_a_state_does_not_wake_it(client: FlaskClient, runtime: Path) -> None:
    with served(runtime) as daemon:
        state = client.get("/state").get_json()
        assert (state["state"], state["online"], state["showing"]) == ("idle", False, None)
        assert state["cause"]["message"] == "off, nobody watches"
        for path in ("/cameras", "/metrics", "/readyz", "/snapshot?ago=1s", "/"):
            client.get(path)
        assert daemon.wakes == []


def test_a_stream_without_the_workers_loop_waits_for_its_first_frame(
    client: FlaskClient, runtime: Path
) -> None:
    with served(runtime) as daemon:
        with client.get("/stream", buffered=False) as response:
            sent = b"".join(itertools.islice(response.iter_encoded(), 2))
        assert jpeg(1) in sent
        assert b"X-Placeholder" not in sent
        assert len(daemon.wakes) == 1


def test_few_may_wait_and_the_next_is_told_at_once(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_WAITING_MAX", 0)
    client = create_app(Settings(runtime)).test_client()
    with served(runtime) as daemon:
        response = client.get("/snapshot")
        assert (response.status_code, response.get_json()["error"]) == (503, "idle")
        until(lambda: daemon.wakes, what="it is woken all the same")


def test_it_is_ready_for_whoever_comes(client: FlaskClient, runtime: Path) -> None:
    with served(runtime):
        response = client.get("/readyz")
        assert response.status_code == 200
        told = response.get_json()
        assert (told["ready"], told["state"], told["cause"]["code"]) == (True, "idle", "idle")
    assert client.get("/readyz").status_code == 503, "its last words are not for ever"
