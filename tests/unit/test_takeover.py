from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from tests.helpers.multipart import split_head
from tests.rigs.viewer_limits import viewer_limits
from web_workers.admission.viewer_limits import Admission
from web_workers.app import create_app
from web_workers.counts.worker_counts import WorkerCounts
from web_workers.responses import takeover
from web_workers.responses.takeover import (
    ADMISSION,
    STREAMS,
    FrameTicket,
    TakeOver,
    Ticket,
    announce,
)
from web_workers.settings import Settings
from web_workers.viewers.thread_slots import ThreadSlots


class NoViewers:
    def viewers(self, camera: str) -> list[dict[str, object]]:
        return []

    def __init__(self, places: int = 1) -> None:
        self._viewer_limits = viewer_limits(viewers=places)

    def worker_counts(self) -> tuple[WorkerCounts, int]:
        return WorkerCounts(), 1

    def server(self) -> dict[str, object]:
        return {"workers": [1, 2], "lost": 3}

    def admit(self, ticket: Ticket, address: str | None) -> Admission:
        return self._viewer_limits.admit(address, 0)


def _call(app: Any, path: str, **more: Any) -> tuple[str, Iterator[bytes], dict[str, Any]]:
    environ = EnvironBuilder(path, **more).get_environ()
    statuses: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        statuses.append(status)
        return lambda _data: None

    body = app(environ, start_response)
    return statuses[0], iter(body), environ


def test_nothing_is_sent_before_the_connection_is_taken_over(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(), plain=True)
    status, body, environ = _call(app, "/stream?fps=5")
    assert status == "200 OK"
    assert isinstance(environ[STREAMS], NoViewers)
    with pytest.raises(TakeOver) as raised:
        next(body)
    assert raised.value.ticket == FrameTicket("camera", fps=5.0)
    line, headers, rest = split_head(raised.value.head)
    assert line == "HTTP/1.1 200 OK"
    assert headers["Connection"] == "close"
    assert headers["Content-Security-Policy"]
    assert rest == b""


@pytest.mark.parametrize(
    ("plain", "more"),
    [
        (False, {}),
        (True, {"environ_overrides": {"SERVER_PROTOCOL": "HTTP/2.0"}}),
    ],
)
def test_a_connection_that_cannot_be_taken_over_gets_a_generator(
    runtime: Path, plain: bool, more: dict[str, Any]
) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(), plain=plain)
    _, body, _ = _call(app, "/stream", **more)
    assert next(body) == b"--boundarydonotcross\r\n"
    assert b"X-Placeholder: daemon-absent" in next(body)
    body.close()  # type: ignore[attr-defined]


def test_head_takes_nothing_over(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(), plain=True)
    status, body, _ = _call(app, "/stream", method="HEAD")
    assert (status, list(body)) == ("200 OK", [])


def test_a_wrong_query_is_answered_and_not_taken_over(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(), plain=True)
    status, body, _ = _call(app, "/stream?fps=x")
    assert status == "400 BAD REQUEST"
    assert b"frame rate" in b"".join(body)


def test_a_viewer_that_is_not_admitted_is_told_when_to_come_again(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(places=1), plain=True)
    _, body, environ = _call(app, "/stream")
    with pytest.raises(TakeOver) as taken:
        next(body)
    assert ADMISSION not in environ
    status, refused, _ = _call(app, "/events", headers={"Accept": "application/json"})
    assert status == "503 SERVICE UNAVAILABLE"
    assert b'"error":"too-many-viewers"' in b"".join(refused).replace(b" ", b"")
    taken.value.release()
    taken.value.release()
    assert _call(app, "/events")[0] == "200 OK"


@pytest.mark.parametrize(
    ("path", "more"), [("/stream", {"method": "HEAD"}), ("/stream?fps=x", {}), ("/healthz", {})]
)
def test_what_is_no_viewer_needs_no_admission(
    runtime: Path, path: str, more: dict[str, Any]
) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(places=1), plain=True)
    for _ in range(3):
        _call(app, path, **more)
    assert _call(app, "/stream")[0] == "200 OK"


def test_an_admission_is_given_up_when_something_goes_wrong_after_it(
    runtime: Path,
) -> None:
    flask = create_app(Settings(runtime))

    def fail(_response: Any) -> Any:
        raise ValueError("after the view")

    flask.after_request(fail)
    app = announce(flask, NoViewers(places=1), plain=True)
    for _ in range(3):
        assert _call(app, "/stream")[0] == "500 INTERNAL SERVER ERROR"


def test_a_viewer_with_a_thread_gives_up_its_admission_at_its_end(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(places=1), plain=False)
    environ = EnvironBuilder("/stream").get_environ()
    body = app(environ, lambda *_: lambda _data: None)
    next(iter(body))
    assert _call(app, "/stream")[0] == "503 SERVICE UNAVAILABLE"
    body.close()  # type: ignore[attr-defined]
    assert _call(app, "/stream")[0] == "200 OK"


def test_a_viewer_without_a_thread_is_told_so_as_everything_that_is_wrong_is(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "thread_slots", ThreadSlots(0))
    app = announce(create_app(Settings(runtime)), NoViewers(places=1), plain=False)
    for accepted, begin in (("application/json", b'{"error":"no-threads"'), ("text/html", b"<!")):
        status, body, _ = _call(app, "/stream", headers={"Accept": accepted})
        assert status == "503 SERVICE UNAVAILABLE"
        assert b"".join(body).replace(b" ", b"").startswith(begin)


def test_states_from_a_thread_tell_of_the_workers_too(runtime: Path) -> None:
    app = announce(create_app(Settings(runtime)), NoViewers(), plain=False)
    _, body, _ = _call(app, "/events")
    told = [next(body).partition(b"\n") for _ in range(3)]
    body.close()  # type: ignore[attr-defined]
    assert [event for event, _, _ in told] == [b"retry: 500", b"event: server", b"event: state"]
    assert told[1][2] == b'data: {"workers":[1,2],"lost":3}\n\n'
