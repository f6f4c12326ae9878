"""Who gets a snapshot from the worker's loop: whoever Flask would give one, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rigs.both_paths import BothPaths, get
from tests.rigs.bus import Bus, jpeg
from tests.unit.credentials import GUARDED, basic, bearer, signed_in
from web_workers.access.attempt_limiter import AT_ONCE, AttemptLimiter
from web_workers.app import create_app
from web_workers.settings import OPEN, Settings

HOST = "localhost"


@pytest.fixture
def guarded(runtime: Path, tmp_path: Path, token: str) -> Iterator[BothPaths]:
    """Who asks for a frame has to show the token."""
    both = BothPaths(create_app(Settings(runtime, access=GUARDED, state=tmp_path)))
    yield both
    both.close()


def test_nobody_gets_a_frame_who_shows_nothing(guarded: BothPaths, patient_bus: Bus) -> None:
    patient_bus.publish(jpeg(1))
    for path in ("/snapshot", "/cameras/camera/snapshot", "/?action=snapshot"):
        assert guarded.answer(get(path, host=HOST)) is None
        refused = guarded.threaded(get(path, host=HOST))
        assert refused is not None
        assert refused.startswith(b"HTTP/1.1 401 ")


def test_whoever_shows_the_token_gets_one(guarded: BothPaths, patient_bus: Bus, token: str) -> None:
    patient_bus.publish(jpeg(1))
    for shown in (bearer(token), basic(token)):
        (header,) = (f"{name}: {value}" for name, value in shown.items())
        request = get("/snapshot", header, host="cam.example")
        answer = guarded.direct(request)
        assert answer is not None
        assert answer == guarded.threaded(request)


def test_sessions_and_links_open_what_they_open_elsewhere(
    runtime: Path, tmp_path: Path, token: str, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    app = create_app(Settings(runtime, access=GUARDED, state=tmp_path))
    both = BothPaths(app)
    client = app.test_client()
    try:
        cookie = signed_in(client, token).headers["Set-Cookie"].partition(";")[0]
        link = client.get("/cameras/camera/link").get_json()["snapshot"].partition("?")[2]
        for request in (
            get("/snapshot", f"Cookie: {cookie}", host=HOST),
            get(f"/cameras/camera/snapshot?{link}", host=HOST),
        ):
            answer = both.direct(request)
            assert answer is not None
            assert answer == both.threaded(request)
        for request in (
            get("/snapshot", f"Cookie: {cookie}x", host=HOST),
            get(f"/cameras/camera/snapshot?{link}x", host=HOST),
            get(f"/?action=snapshot&{link}", host=HOST),
            get(f"/?action=snapshot&token={token}", host=HOST),
        ):
            assert both.answer(request) is None
    finally:
        both.close()


@pytest.mark.parametrize("view", ["token", "open"])
def test_a_wrong_try_is_counted_once_and_only_where_it_is_answered(
    runtime: Path,
    tmp_path: Path,
    token: str,
    patient_bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
    view: str,
) -> None:
    monkeypatch.setattr(  # no try comes back
        "web_workers.access.authorizer.AttemptLimiter", lambda: AttemptLimiter(clock=lambda: 0.0)
    )
    patient_bus.publish(jpeg(1))
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    access = replace(GUARDED, view=view, password_file=password)
    both = BothPaths(create_app(Settings(runtime, access=access, state=tmp_path)))
    wrong, right = (
        get("/snapshot", *(f"{n}: {v}" for n, v in basic(shown).items()), host=HOST)
        for shown in ("wrong", "correct horse")
    )
    try:
        for _ in range(3 * AT_ONCE):
            assert both.answer(wrong) is None
        assert both.answer(right) is not None
        for _ in range(AT_ONCE):
            assert both.threaded(wrong) is not None
        assert both.answer(right) is None  # one try too many, as for all
        status = {"token": b"HTTP/1.1 429 ", "open": b"HTTP/1.1 200 "}[view]
        told = both.threaded(right)
        assert told is not None
        assert told.startswith(status)
    finally:
        both.close()


def test_what_a_proxy_says_counts_if_it_is_a_declared_one(
    runtime: Path, tmp_path: Path, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    app = create_app(
        Settings(runtime, access=replace(OPEN, proxies=("192.0.2.1",)), state=tmp_path)
    )
    both = BothPaths(app)
    request = get("/snapshot", "X-Forwarded-Host: elsewhere.example", host=HOST)
    try:
        for client in (("192.0.2.1", 1), ("192.0.2.2", 1), ""):
            told = both.threaded(request, client)
            assert told is not None
            direct = both.direct(request, client)
            assert direct == (told if told.startswith(b"HTTP/1.1 200 ") else None)
        assert both.direct(request, ("192.0.2.1", 1)) is None
    finally:
        both.close()
