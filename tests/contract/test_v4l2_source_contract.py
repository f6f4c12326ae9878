"""The source contract over the V4L2 source: the fake kernel's two behaviours, and a real camera.

A real one is what FRAMEBUS_TEST_DEVICE names, as the guest sets it up. Nobody can make it fall
silent from here, so it is held to the rest of the contract only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from capture_daemon.sources.base import Granted, Interrupt, Request, Source
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel
from capture_daemon.v4l2.source import V4L2Source
from tests.contract.source_cases import MakeSource, SourceCase, from_text
from tests.contract.source_contract import SourceContract
from tests.samples import pictures

SMALL = Request(640, 480)


class Camera(FakeCamera):
    """Sends pictures of the size that it granted."""

    def picture(self, fourcc: str, size: tuple[int, int], count: int) -> bytes:
        assert fourcc == "MJPG"
        return pictures.jpeg(count % 8, *size)


def fake_kernel(*, newer: bool) -> FakeKernel:
    return FakeKernel([Camera()], newer=newer)


def playing(*, newer: bool) -> MakeSource:
    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        kernel = fake_kernel(newer=newer)
        with kernel.playing(fps=100):
            yield V4L2Source("/dev/video0", SMALL, interrupt, ops=kernel, resolve=str)

    return make


def silent_after_one(*, newer: bool) -> MakeSource:
    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        kernel = fake_kernel(newer=newer)

        class OneFrame(V4L2Source):
            def open(self) -> Granted:
                granted = super().open()
                kernel.deliver()
                return granted

        yield OneFrame("/dev/video0", SMALL, interrupt, ops=kernel, resolve=str)

    return make


ABSENT = from_text("v4l2:{}/video9")
REAL = os.environ.get("FRAMEBUS_TEST_DEVICE")
CASES = [
    SourceCase("fake 6.1", playing(newer=False), ABSENT, silent_after_one(newer=False)),
    SourceCase("fake 7.2", playing(newer=True), ABSENT, silent_after_one(newer=True)),
    *([SourceCase("real", from_text(f"v4l2:{REAL}"), ABSENT)] if REAL else []),
]


class TestV4L2Source(SourceContract):
    @pytest.fixture(params=CASES, ids=lambda case: case.name)
    def case(self, request: pytest.FixtureRequest) -> SourceCase:
        chosen = request.param
        assert isinstance(chosen, SourceCase)
        return chosen
