from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from tests.multipart import split_head
from web_workers.app import create_app
from web_workers.scores import Scores
from web_workers.settings import Settings
from web_workers.takeover import STREAMS, FrameTicket, TakeOver, announce


class NoViewers:
    def viewers(self, camera: str) -> list[dict[str, object]]:
        return []

    def scores(self) -> tuple[Scores, int]:
        return Scores(), 1


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
