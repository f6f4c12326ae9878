"""Snapshots from the worker's loop: the same bytes as through Flask, where all is usual."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from framebus.frame import FrameFlags
from framebus.ring import ring_file

from tests.rigs.both_paths import BothPaths, get
from tests.rigs.bus import Bus, jpeg
from tests.rigs.idle_daemon import IdleDaemon
from tests.unit.credentials import GUARDED, basic, bearer, signed_in
from web_workers.access.attempt_limiter import AT_ONCE, AttemptLimiter
from web_workers.app import create_app
from web_workers.cameras.newest_frames import STAYS_NS
from web_workers.settings import OPEN, Settings

HOST = "localhost"


@pytest.fixture
def both(app: Flask) -> Iterator[BothPaths]:
    both = BothPaths(app)
    yield both
    both.close()


@pytest.fixture
def guarded(runtime: Path, tmp_path: Path, token: str) -> Iterator[BothPaths]:
    """Who asks for a frame has to show the token."""
    both = BothPaths(create_app(Settings(runtime, access=GUARDED, state=tmp_path)))
    yield both
    both.close()


USUAL = [
    get("/snapshot", host=HOST),
    get("/snapshot", "Connection: close", host=HOST),
    get("/snapshot", "connection: Keep-Alive", host=HOST),
    get("/snapshot", host=HOST, method="HEAD"),
    get("/cameras/camera/snapshot", host="127.0.0.1:8080"),
    get("/cameras/camera/snapshot.jpg", host="[::1]:8080"),
    get("/snapshot.jpg", "User-Agent: OctoPrint", "Accept: */*", "Cookie: a=b; c", host=HOST),
    get("/?action=snapshot", host=HOST),
    get("/?action=snapshot_0&_=1700000000", host=HOST),
    get("/?action=snapshot?1700000000", host=HOST),
    get("/webcam/?action=snapshot", host=HOST),
    get("/webcam/snapshot/", host=HOST),
    get("/webcam/?action=snapshot&placeholder=1", host=HOST),
    get("/snapshot?cacheBust=17&x=%20", "Accept-Language: de;q=0.5", host=HOST),
    get("/capture", host=HOST),
    get("/shot.jpg", host=HOST),
]


@pytest.mark.parametrize("request_", USUAL)
@pytest.mark.parametrize("flags", [FrameFlags.NONE, FrameFlags.FALLBACK])
def test_both_ways_give_the_same_bytes(
    both: BothPaths, patient_bus: Bus, request_: bytes, flags: FrameFlags
) -> None:
    patient_bus.publish(jpeg(1), flags=flags)
    answer = both.direct(request_)
    assert answer is not None
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer == both.threaded(request_)


@pytest.mark.parametrize(
    "request_",
    [
        get("/snapshot?ago=1s", host=HOST),
        get("/snapshot?ago=nonsense", host=HOST),
        get("/snapshot?placeholder=maybe", host=HOST),
        get("/?action=snapshot_1", host=HOST),
        get("/?action=stream", host=HOST),
        get("/?action=command", host=HOST),
        get("/", host=HOST),
        get("/stream", host=HOST),
        get("/state", host=HOST),
        get("/nothing", host=HOST),
        get("/cameras/other/snapshot", host=HOST),
        get("/cameras/Not-A-Name/snapshot", host=HOST),
        get("/snapshot", method="POST", host=HOST),
        get("/snapshot", method="OPTIONS", host=HOST),
        get("/snapshot", "If-None-Match: *", host=HOST),
        get("/snapshot", "Range: bytes=0-1", host=HOST),
        get("/snapshot", "Content-Length: 0", host=HOST),
        get("/snapshot", "Expect: 100-continue", host=HOST),
        get("/snapshot", "Upgrade: h2c", host=HOST),
        get("/snapshot", "Connection: upgrade", host=HOST),
        get("/snapshot", "Accept: a", "Accept: b", host=HOST),
        get("/snapshot", "X_Forwarded_For: 1.2.3.4", host=HOST),
        get("/snapshot", "Accept : a", host=HOST),
        get("/snapshot", "Accept: a", " folded", host=HOST),
        get("/snapshot", "Accept: \x01", host=HOST),
        get("/snapshot", "Accept: \xe9", host=HOST),
        get("/snapshot", f"Accept: {'a' * 2048}", host=HOST),
        get("/sn%61pshot", host=HOST),
        get("/snapshot&1700000000", host=HOST),
        get("//snapshot", host=HOST),
        get("/snapshot#x", host=HOST),
        get("http://localhost/snapshot", host=HOST),
        get("/snapshot", host="elsewhere.example"),
        get("/snapshot", "Host: localhost", host=HOST),
        get(host=HOST).replace(b"HTTP/1.1", b"HTTP/1.0"),
        get(host=HOST).replace(b"Host: localhost\r\n", b""),
        b"\r\n" + get(host=HOST),
    ],
)
def test_what_is_not_wholly_usual_goes_the_way_of_all_requests(
    both: BothPaths, patient_bus: Bus, request_: bytes
) -> None:
    patient_bus.publish(jpeg(1))
    assert both.answer(request_) is None


def test_one_jpeg_is_shared_by_all_who_ask_for_the_same_frame(
    both: BothPaths, patient_bus: Bus
) -> None:
    def shared(path: str) -> object:
        answer = both.answer(get(path, host=HOST))
        assert answer is not None
        return answer.pieces[1].obj

    patient_bus.publish(jpeg(1))
    first = shared("/snapshot")
    assert all(shared(path) is first for path in ("/capture", "/cameras/camera/snapshot"))
    patient_bus.publish(jpeg(2))
    assert shared("/snapshot") is not first


def test_a_camera_without_a_fresh_frame_is_left_to_who_can_say_why(
    both: BothPaths, bus: Bus
) -> None:
    assert both.answer(get(host=HOST)) is None
    bus.publish(jpeg(1), captured_ns=time.monotonic_ns() - 60_000_000_000)
    assert both.answer(get(host=HOST)) is None
    assert both.answer(get("/snapshot?placeholder=1", host=HOST)) is None
    bus.publish(jpeg(2))
    assert both.answer(get(host=HOST)) is not None


def test_a_camera_that_nobody_serves_has_no_answer(both: BothPaths) -> None:
    assert both.answer(get(host=HOST)) is None


def test_the_next_daemons_frames_are_found(
    both: BothPaths, runtime: Path, patient_bus: Bus
) -> None:
    patient_bus.publish(jpeg(1))
    before = both.direct(get(host=HOST))
    assert before is not None
    patient_bus.close()
    successor = Bus(runtime, fps=0.1)
    try:
        assert both.answer(get(host=HOST)) is None
        successor.publish(jpeg(2))
        after = both.direct(get(host=HOST))
        assert after is not None
        assert after.endswith(jpeg(2))
        assert after == both.threaded(get(host=HOST))
    finally:
        successor.close()


def test_a_camera_that_rests_is_woken_and_left_to_who_can_wait_for_it(
    both: BothPaths, patient_bus: Bus
) -> None:
    daemon = IdleDaemon(patient_bus)
    try:
        patient_bus.publish(jpeg(7))
        assert both.answer(get(host=HOST)) is None, "not the frame of before"
        daemon.step()
        assert len(daemon.wakes) == 1
        answer = both.direct(get(host=HOST))
        assert answer is not None
        assert answer.endswith(jpeg(1))
        assert answer == both.threaded(get(host=HOST))
    finally:
        daemon.server.close()


def test_the_ring_is_left_a_while_after_the_last_request(app: Flask, patient_bus: Bus) -> None:
    segment = ring_file.read(patient_bus.names)[0]

    def maps() -> int:
        return Path("/proc/self/maps").read_text().count(str(segment))

    both = BothPaths(app)
    now = time.monotonic_ns()
    both.loop.clock = lambda: now
    patient_bus.publish(jpeg(1))
    before = maps()
    try:
        assert both.answer(get(host=HOST)) is not None
        assert maps() == before + 1
        now += STAYS_NS // 2
        assert both.answer(get(host=HOST)) is not None
        now += STAYS_NS - 1
        both.loop.dispatch()
        assert maps() == before + 1
        now += 1
        both.loop.dispatch()
        assert maps() == before
        assert both.answer(get(host=HOST)) is not None
    finally:
        both.close()
    assert maps() == before


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
