"""The daemon's threads on the ladder: a camera that only a rung cures, and rungs that block."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.contract.words import DEVICE_LEVEL, Rung
from framebus.errors import CommandRefused

from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.sources.base import Captured, Granted, Interrupt, Source
from tests.contract.daemon_bench import Bench, owner_of, running
from tests.fakes.rung_executors import NoRungs
from tests.helpers.waiting import until
from tests.samples.small_jpeg import WHOLE


class Camera:
    """A device that streams at 100 fps, until it is wedged; and its rungs."""

    def __init__(self) -> None:
        self.wedged = False
        self.cure = Rung.USB_RESET
        self.missing: set[Rung] = set()
        self.carried_out: list[Rung] = []
        self.may_run_rungs = threading.Event()
        self.may_run_rungs.set()
        self.interrupted = False
        self.is_open = False
        self._sequence = 0

    # -- as the source -------------------------------------------------------------------------

    def open(self) -> Granted:
        self.is_open = True
        return Granted("MJPG", 64, 32, 100.0, device="a camera")

    def read(self, timeout_s: float) -> Captured | None:
        if self.wedged:
            time.sleep(0.05)
            return None
        time.sleep(0.01)  # the frame interval
        self._sequence += 1
        return Captured(WHOLE, time.monotonic_ns(), self._sequence)

    def restart_stream(self) -> None:
        """It does not help."""

    def close(self) -> None:
        self.is_open = False

    # -- as the one who carries out rungs ------------------------------------------------------

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:
        return tuple(Unavailable(rung, "no permission", "grant it") for rung in self.missing)

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        assert not self.is_open, "a rung with the device open"
        assert rung not in self.missing
        self.carried_out.append(rung)
        while not self.may_run_rungs.is_set():
            if interrupt.wait(0.01):
                self.interrupted = True
                return Outcome(Result.NOTHING, "interrupted")
        if rung is self.cure:
            self.wedged = False
        return Outcome(Result.DONE, "done")


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture
def bench(runtime: Path, camera: Camera) -> Iterator[Bench]:
    with running(
        runtime,
        source="v4l2:/dev/video0",
        camera=SourceAccess(owner_of(camera, runtime), camera),
        spare=SourceAccess(owner_of(Camera(), runtime), NoRungs()),
    ) as bench:
        bench.until_well()
        until(lambda: bench.call("status")["frames"]["published"] > 20)
        yield bench
        camera.may_run_rungs.set()


def test_a_camera_that_only_a_usb_reset_cures_is_cured_by_one(bench: Bench, camera: Camera) -> None:
    camera.wedged = True
    until(lambda: bench.call("status")["state"] == "backoff")
    status = bench.until_well()
    assert camera.carried_out == [Rung.REBIND, Rung.USB_RESET]
    assert status["recovery"]["rung"] == "usb-reset"
    assert status["cause"] is None


def test_a_bug_in_the_survey_of_rungs_ends_nothing(
    bench: Bench, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def survey(source: Source | None) -> tuple[Unavailable, ...]:
        asked.append(source)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(camera, "survey", survey)
    until(lambda: not bench.call("restart")["joined"])
    until(lambda: asked)
    bench.until_well()


def test_rungs_that_are_missing_are_told_and_passed_over(bench: Bench, camera: Camera) -> None:
    camera.missing = {Rung.REBIND, Rung.PORT_POWER}
    bench.call("restart")
    bench.until_well()
    camera.wedged = True
    until(lambda: bench.call("status")["state"] == "backoff")
    status = bench.until_well()
    assert camera.carried_out == [Rung.USB_RESET]
    unavailable = status["recovery"]["unavailable"]
    assert [each["rung"] for each in unavailable] == ["rebind", "port-power"]
    assert unavailable[0]["remedy"] == "grant it"


def test_control_answers_and_a_stop_interrupts_while_a_rung_takes_its_time(
    bench: Bench, camera: Camera
) -> None:
    camera.may_run_rungs.clear()
    assert bench.call("reset", rung="usb-reset") == {"state": "backoff", "rung": "usb-reset"}
    until(lambda: camera.carried_out)
    for _ in range(20):
        assert bench.call("status")["state"] == "backoff"
    with pytest.raises(CommandRefused, match="under way"):
        bench.call("reset", rung="rebind")
    bench.call("stop")
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")
    assert camera.interrupted


def test_a_reset_by_hand_brings_the_camera_back_and_is_not_repeated_at_once(
    bench: Bench, camera: Camera
) -> None:
    bench.call("reset", rung="reauthorize")
    until(lambda: camera.carried_out == [Rung.REAUTHORIZE])
    bench.until_well()
    with pytest.raises(CommandRefused, match="try again in"):
        bench.call("reset", rung="usb-reset")
    assert camera.is_open


@pytest.mark.parametrize("rung", ["give-up", "reopen", "", None, 6, ["usb-reset"]])
def test_what_is_no_device_level_rung_is_refused(bench: Bench, rung: object) -> None:
    with pytest.raises(CommandRefused, match="rung is one of bind, rebind"):
        bench.call("reset", rung=rung)


def test_every_device_level_rung_can_be_asked_for() -> None:
    assert {rung.value for rung in DEVICE_LEVEL} == {
        "bind",
        "rebind",
        "usb-reset",
        "reauthorize",
        "port-power",
    }
