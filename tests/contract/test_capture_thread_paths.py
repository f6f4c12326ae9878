"""The capture thread over a camera that plays, with the fast path and without."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from framebus.contract.words import Rung

from capture_daemon.capturing.commands import Close, Open, Quit, RestartStream
from capture_daemon.capturing.reports import Closed, Failed, FrameSeen, Report, Settled
from capture_daemon.capturing.thread import CaptureThread
from capture_daemon.native import library
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.recovery.base import Rungs
from capture_daemon.recovery.rungs import Outcome, Unavailable
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Captured, Granted, Interrupt, Request, Source
from capture_daemon.v4l2.fake import FakeKernel, FrameFault
from capture_daemon.v4l2.source import V4L2Source
from tests.fakes.ioctl_address import IoctlAddress
from tests.helpers.waiting import until
from tests.rigs.controllers import CAMERA
from tests.rigs.fast_stream import Camera
from tests.rigs.frame_path import FramePath


class CountedSource(V4L2Source):
    """Counts the pictures that Python was given."""

    given = 0

    def _captured(self, buffer: object) -> Captured:
        self.given += 1
        return super()._captured(buffer)  # type: ignore[arg-type]


class OneSource:
    """Opens the fake camera."""

    kept = False
    built = None

    def __init__(self, kernel: FakeKernel) -> None:
        self._kernel = kernel
        self.source: CountedSource | None = None

    def open(self, request: CaptureRequest, interrupt: Interrupt) -> tuple[str, Source, Granted]:
        self.source = CountedSource(
            "/dev/video0", Request(), interrupt, ops=self._kernel, resolve=str
        )
        return "v4l2", self.source, self.source.open()

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


class NoRungs:
    """Has none."""

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:
        return ()

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        raise NotImplementedError


class Stage:
    """A thread that captures."""

    def __init__(self, runtime: Path, *, fast: bool) -> None:
        self.camera = Camera()
        self.kernel = FakeKernel([self.camera], newer=True)
        self._ioctl = IoctlAddress(self.kernel.ioctl)
        self.kernel.ioctl_address = self._ioctl.address
        self.path = FramePath(runtime, library.load() if fast else None)
        self.sources = OneSource(self.kernel)
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.thread = CaptureThread(
            name="capture",
            sources=cast(SourceOwner, self.sources),
            rungs=cast(Rungs, NoRungs()),
            publisher=self.path.publishers[0],
            counters=self.path.counters[0],
            post=self.reports.put,
            opened=None,
        )
        self.thread.start()
        self.thread.command(Open(1, CAMERA))

    def wait_for(self, kind: type[Report]) -> Report:
        """Return the next report of a kind; those before it are lost."""
        while True:
            report = self.reports.get(timeout=30)
            if isinstance(report, kind):
                return report

    @property
    def published(self) -> int:
        return self.path.counters[0].counts(0).published

    def more(self, count: int = 10) -> None:
        """Wait for so many frames more."""
        wanted = self.published + count
        until(lambda: self.published >= wanted)

    @property
    def given(self) -> int:
        assert self.sources.source is not None
        return self.sources.source.given

    def close(self) -> None:
        self.thread.command(Quit())
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.thread.dispose()
        self.path.close()


@contextmanager
def staged(runtime: Path, *, fast: bool) -> Iterator[Stage]:
    stage = Stage(runtime, fast=fast)
    with stage.kernel.playing(fps=100):
        try:
            stage.wait_for(Settled)
            yield stage
        finally:
            stage.close()


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def stage(request: pytest.FixtureRequest, runtime: Path) -> Iterator[Stage]:
    with staged(runtime, fast=request.param) as stage:
        yield stage


@pytest.fixture
def fast(runtime: Path) -> Iterator[Stage]:
    with staged(runtime, fast=True) as stage:
        yield stage


def test_a_stream_that_has_settled_goes_past_python(fast: Stage) -> None:
    fast.more()
    given = fast.given
    fast.more(100)
    assert fast.given - given <= 5


def test_a_thread_that_is_in_c_is_seen_to_be_alive_and_to_get_frames(fast: Stage) -> None:
    fast.more()
    before_ns = time.monotonic_ns()
    fast.more(5)
    observed = fast.thread.observed()
    assert observed.doing == "reading"
    assert observed.doing_since_ns is not None
    assert observed.doing_since_ns > before_ns
    assert observed.arrived_ns > before_ns
    assert observed.rate > 0


def test_a_stream_that_is_restarted_proves_itself_anew(stage: Stage) -> None:
    stage.more()
    stage.thread.command(RestartStream(1))
    stage.wait_for(FrameSeen)
    stage.wait_for(Settled)
    stage.more()


def test_a_command_is_carried_out_while_frames_come(stage: Stage) -> None:
    stage.more()
    stage.thread.command(Close(2))
    stage.wait_for(Closed)
    assert stage.kernel.descriptors() == 0
    stage.thread.command(Open(3, CAMERA))
    stage.wait_for(Settled)
    stage.more()


def test_bad_frames_among_good_ones_are_told_of_while_there_is_none_better(stage: Stage) -> None:
    stage.more()
    stage.camera.faults.extend([FrameFault.GARBAGE] * 10_000)
    until(lambda: stage.thread.observed().rejected == ("no-soi",))
    stage.camera.faults.clear()
    until(lambda: stage.thread.observed().rejected == ())
    counts = stage.path.counters[0].counts(0)
    assert counts.captured == counts.published + sum(counts.rejected.values())


def test_a_camera_that_is_unplugged_is_told_of(stage: Stage) -> None:
    stage.more()
    stage.kernel.unplug()
    failed = stage.wait_for(Failed)
    assert isinstance(failed, Failed)
    assert failed.cause.code == "device-gone"


def test_a_camera_that_falls_silent_leaves_the_thread_alive(stage: Stage) -> None:
    stage.more()
    stage.camera.silent = True
    since = {stage.thread.observed().doing_since_ns}

    def returned() -> bool:
        since.add(stage.thread.observed().doing_since_ns)
        return len(since - {None}) > 2

    until(returned)
    stage.camera.silent = False
    stage.more()
