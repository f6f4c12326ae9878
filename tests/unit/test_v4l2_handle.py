from __future__ import annotations

import errno
import threading

import pytest

from capture_daemon.sources.base import SourceError, SourceGone
from capture_daemon.v4l2 import handle as handle_module
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.query import identify
from tests.fakes.faulty_ops import Fault, FaultyOps
from tests.helpers.waiting import until


def test_closed_handle_refuses_and_closing_twice_is_harmless() -> None:
    kernel = FakeKernel([FakeCamera()])
    handle = Handle.open(kernel, "/dev/video0")
    assert identify(handle) == "Fake Webcam"
    handle.close()
    handle.close()
    assert handle.closed
    assert kernel.descriptors() == 0
    with pytest.raises(SourceGone) as refusal:
        identify(handle)
    assert refusal.value.code == "not-open"


def test_close_that_the_kernel_refuses_is_reported_and_has_closed() -> None:
    kernel = FakeKernel([FakeCamera()])
    handle = Handle.open(FaultyOps(kernel, [Fault("close", errno.EIO)]), "/dev/video0")
    with pytest.raises(SourceError, match="close on /dev/video0: EIO"):
        handle.close()
    assert kernel.descriptors() == 0


def test_close_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handle_module, "CLOSE_WAIT_S", 0.05)
    kernel = FakeKernel([FakeCamera()])
    answered = threading.Event()
    ops = FaultyOps(kernel, [Fault("QUERYCAP", errno.EIO, release=answered)])
    handle = Handle.open(ops, "/dev/video0")
    failures: list[SourceError] = []

    def ask() -> None:
        try:
            identify(handle)
        except SourceError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: "QUERYCAP" in ops.calls)
    handle.close()
    assert kernel.descriptors() == 0
    answered.set()
    asking.join(30)
    assert failures[0].errno == errno.EIO
