"""Control answers whatever the source does. The source here blocks as an ioctl does: it heeds no
interrupt, and returns when the test lets it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from framebus.control.client import ControlClient
from framebus.control.protocol import INTERNAL_ERROR
from framebus.errors import CommandRefused, NoPermission
from framebus.names import CameraNames
from framebus.notify import event_socket, own_context
from framebus.reader import FrameReader
from framebus.ring.writer import RingWriter

from capture_daemon.control.adjustments import MOST_PENDING
from capture_daemon.devices.hotplug import Hotplug
from capture_daemon.lifecycle.pipeline import Access
from capture_daemon.ownership.inheritance import Legacy
from capture_daemon.parts import Parts
from capture_daemon.settings.options import settings
from capture_daemon.settings.plan import Plan
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Captured, Granted, Interrupt, SourceError
from capture_daemon.systemd import ServiceManager
from tests.rungs import NoRungs
from tests.unit.test_publisher import WHOLE
from tests.waiting import until

GAIN: dict[str, object] = {"id": 1, "name": "gain", "type": "integer", "min": 0, "max": 9}


class StubbornSource:
    """Gives a frame every 10 ms, unless told to block at one of its calls."""

    def __init__(self) -> None:
        self.may = {name: threading.Event() for name in ("open", "read", "set_controls")}
        for event in self.may.values():
            event.set()
        self.opened = 0
        self.gain = 3
        self.broken = False
        self._sequence = 0

    def open(self) -> Granted:
        self.may["open"].wait()
        self.opened += 1
        return Granted("MJPG", 64, 32, 100.0, device="a stubborn device")

    def read(self, timeout_s: float) -> Captured | None:
        self.may["read"].wait()
        if self.broken:
            raise ZeroDivisionError("a bug in the source")
        time.sleep(0.01)  # the frame interval
        self._sequence += 1
        return Captured(WHOLE, time.monotonic_ns(), self._sequence)

    def close(self) -> None:
        if self.broken:
            raise OSError("close must not raise, but this one does")

    def formats(self) -> list[dict[str, object]]:
        return [{"fourcc": "MJPG", "description": "", "sizes": []}]

    def controls(self) -> list[dict[str, object]]:
        return [{**GAIN, "value": self.gain}]

    def set_controls(self, values: Mapping[str, object]) -> Mapping[str, object]:
        self.may["set_controls"].wait()
        if values.get("gain") == 7:
            raise SourceError("control-refused", "the camera refused 7", remedy="try 6")
        self.gain = int(str(values["gain"]))
        return {"gain": self.gain}


class OneSource:
    def __init__(self, source: StubbornSource) -> None:
        self.source = source

    supervised = False

    @property
    def built(self) -> StubbornSource:
        return self.source

    def open(self, plan: Plan, interrupt: Interrupt) -> tuple[str, StubbornSource, Granted]:
        return "test", self.source, self.source.open()

    def close(self) -> None:
        self.source.close()

    def leave(self) -> bool:
        return False

    def current(self) -> None:
        """There is no device to diagnose."""

    def check(self, plan: Plan) -> None:
        """Every plan will do."""

    def check_apart(self, wanted: SourceSpec, other: SourceSpec) -> None:
        """There are no two devices."""


class NoSignals:
    def __init__(self) -> None:
        self._fd = os.eventfd(0)

    def fileno(self) -> int:
        return self._fd

    def received(self) -> list[signal.Signals]:
        return []

    def close(self) -> None:
        os.close(self._fd)


class Bench:
    def __init__(self, runtime: Path, source: StubbornSource, stack: ExitStack) -> None:
        self.source = source
        self.names = CameraNames(runtime, "camera")
        signals = NoSignals()
        stack.callback(signals.close)
        self.parts = Parts(
            settings({"source": "test", "ring_size": "1M"}),
            self.names,
            state=runtime / "state",
            writer=RingWriter.create(self.names, capacity=1 << 20),
            legacy=Legacy(),
            camera=Access(OneSource(source), NoRungs()),
            spare=Access(OneSource(StubbornSource()), NoRungs()),
            hotplug=Hotplug(lambda: None, after_s=0.0),
            manager=ServiceManager({}),
            signals=signals,
            stack=stack,
        )
        self.client = ControlClient(self.names, timeout_s=5.0)
        stack.callback(self.client.close)
        self.thread = threading.Thread(target=self.parts.daemon.run)

    def call(self, method: str, **params: object) -> dict[str, Any]:
        result = self.client.call(method, params)
        assert isinstance(result, dict)
        return result

    def until_state(self, state: str) -> dict[str, Any]:
        def reached() -> dict[str, Any]:
            status = self.call("status")
            return status if status["state"] == state else {}

        return until(reached, what=state)

    def until_described(self) -> None:
        def described() -> bool:
            try:
                return bool(self.call("formats")["formats"])
            except CommandRefused:
                return False

        until(described)


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    source = StubbornSource()
    with ExitStack() as stack:
        bench = Bench(runtime, source, stack)
        bench.thread.start()
        yield bench
        for event in source.may.values():
            event.set()
        bench.call("shutdown")
        bench.thread.join()
        assert bench.parts.end_threads(10)


def test_every_method_answers_while_open_blocks(bench: Bench) -> None:
    bench.until_state("streaming")
    bench.call("stop")
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")
    bench.source.may["open"].clear()
    assert bench.call("start")["state"] == "opening"
    for _ in range(20):
        assert bench.call("status")["state"] == "opening"
    assert bench.call("restart")["joined"]
    until(lambda: bench.call("status")["cause"]["code"] == "not-answering")
    assert bench.call("stop")["state"] == "stopped"
    assert bench.call("configure", fps=5)["changed"]
    opened = bench.source.opened
    bench.source.may["open"].set()
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")
    assert bench.source.opened == opened + 1


def test_a_bug_in_a_source_is_a_failure_that_is_tried_again(bench: Bench) -> None:
    bench.until_state("streaming")
    bench.source.broken = True
    status = bench.until_state("backoff")
    assert status["cause"]["code"] == "bug"
    assert "ZeroDivisionError" in status["cause"]["message"]
    bench.source.broken = False
    bench.until_state("streaming")


def test_a_read_that_blocks_is_a_stall_and_ends_when_it_returns(bench: Bench) -> None:
    bench.until_state("streaming")
    until(lambda: bench.call("status")["frames"]["published"] > 10)
    bench.source.may["read"].clear()
    status = bench.until_state("stalled")
    assert status["cause"]["code"] in ("silent", "not-answering")
    until(lambda: bench.call("status")["cause"]["code"] == "not-answering")
    bench.source.may["read"].set()
    bench.until_state("streaming")


def test_stopping_a_source_that_hangs_says_that_it_is_still_closing(bench: Bench) -> None:
    bench.until_state("streaming")
    bench.source.may["read"].clear()
    time.sleep(0.02)  # so that the read under way is the blocked one
    bench.call("stop")
    assert bench.call("status")["cause"]["code"] == "closing"
    bench.source.may["read"].set()
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")


def test_a_control_that_the_camera_takes_at_once_is_applied(bench: Bench) -> None:
    bench.until_described()
    assert bench.call("set_controls", gain=5) == {"applied": {"gain": 5}, "pending": []}
    reading = bench.call("controls")
    assert reading["controls"][0]["value"] == 5
    assert reading["pending"] == []


def test_a_control_that_takes_its_time_is_pending_and_its_outcome_is_an_event(
    bench: Bench,
) -> None:
    bench.until_described()
    context = own_context()
    listener = event_socket(context, bench.names)
    try:
        until(lambda: listener.poll(10))  # connected: the state comes once a second
        bench.source.may["set_controls"].clear()
        assert bench.call("set_controls", gain=6) == {"applied": {}, "pending": ["gain"]}
        for _ in range(MOST_PENDING + 1):
            reading = bench.call("controls")
        assert (reading["fresh"], reading["pending"]) == (False, ["gain"])
        assert reading["controls"][0]["value"] == 3
        bench.source.may["set_controls"].set()
        event = until(lambda: next_event(listener, "controls"))
        assert event == {"event": "controls", "applied": {"gain": 6}, "error": None}
        assert bench.call("controls")["controls"][0]["value"] == 6
    finally:
        listener.close()
        context.term()


def next_event(listener: Any, name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(listener.recv()) if listener.poll(10) else {}
    return event if event.get("event") == name else {}


def test_what_the_camera_refuses_is_an_error_with_its_remedy(bench: Bench) -> None:
    bench.until_described()
    with pytest.raises(CommandRefused, match="refused 7: try 6"):
        bench.call("set_controls", gain=7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gian": 1}, "did you mean 'gain'"),
        ({"gain": 10}, "0 to 9, not 10"),
        ({}, "name the controls"),
    ],
)
def test_a_wrong_control_is_refused_without_asking_the_camera(
    bench: Bench, values: dict[str, object], message: str
) -> None:
    bench.until_described()
    bench.source.may["set_controls"].clear()
    with pytest.raises(CommandRefused, match=message):
        bench.call("set_controls", **values)


def test_texts_and_numbers_of_any_length_are_an_error_and_no_end(bench: Bench) -> None:
    bench.until_described()
    long = "\u00e4" * 9000
    for method, params in (
        ("configure", {"source": "file:/" + long}),
        ("configure", {"source": long}),
        ("configure", {"size": long}),
        ("configure", {"fps": 10**400}),
        ("configure", {long: 1}),
        ("set_controls", {long: 1}),
        ("set_controls", {"gain": 10**400}),
        (long, {}),
    ):
        with pytest.raises(CommandRefused) as error:
            bench.client.call(method, params)
        assert error.value.code != INTERNAL_ERROR
    longest = "http://h/" + "\U0001f3a5" * 3000
    assert bench.call("configure", source=longest)["changed"]
    status = bench.until_state("streaming")
    assert status["source"]["spec"].endswith("…")
    with FrameReader("camera", runtime=bench.names.runtime) as reader:
        assert reader.next(5.0)


def test_calls_for_a_camera_that_never_answers_do_not_pile_up(bench: Bench) -> None:
    bench.until_described()
    bench.source.may["set_controls"].clear()
    for _ in range(MOST_PENDING):
        assert bench.call("set_controls", gain=1)["pending"] == ["gain"]
    with pytest.raises(CommandRefused, match="earlier calls"):
        bench.call("set_controls", gain=1)
    assert bench.call("status")["state"] == "streaming"


def test_a_daemon_that_cannot_be_built_says_why_and_leaves_no_ring(runtime: Path) -> None:
    names = CameraNames(runtime, "camera")
    names.queries_socket.mkdir()
    with pytest.raises(NoPermission, match=r"camera\.queries"), ExitStack() as stack:
        Bench(runtime, StubbornSource(), stack)
    assert not names.segment_path.exists()
