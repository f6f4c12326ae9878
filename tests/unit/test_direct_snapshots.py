"""Snapshots from the worker's loop: the same bytes as through Flask, where all is usual."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from framebus.frame import FrameFlags
from framebus.ring import ring_file

from tests.rigs.both_paths import BothPaths, get
from tests.rigs.bus import Bus, jpeg
from tests.rigs.idle_daemon import IdleDaemon
from web_workers.cameras.newest_frames import STAYS_NS

HOST = "localhost"


@pytest.fixture
def both(app: Flask) -> Iterator[BothPaths]:
    both = BothPaths(app)
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
