"""Requests that the camera refuses or never answers: which call fails, how, and after how long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.guest.camera.client import Bench, PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import OK, Handle

FIVE_S = 4.5
"""The driver gives a camera 5 s for an answer."""


def _timed(handle: Handle, call: str) -> tuple[str, float]:
    started = time.monotonic()
    seen = handle.attempt(call)
    return seen, time.monotonic() - started


@pytest.mark.parametrize("call", ["S_FMT", "TRY_FMT", "S_PARM"])
def test_a_refused_probe_is_eio(camera: PluggedCamera, handle: Handle, call: str) -> None:
    camera.arm("probe-refused")
    assert handle.attempt(call) == "EIO"
    camera.clear()
    assert handle.attempt(call) == OK


@pytest.mark.parametrize("call", ["S_FMT", "TRY_FMT", "S_PARM"])
def test_an_unanswered_probe_is_eio_after_five_seconds(
    camera: PluggedCamera, handle: Handle, call: str
) -> None:
    camera.arm("probe-unanswered")
    seen, seconds = _timed(handle, call)
    assert seen == "EIO"
    assert seconds >= FIVE_S


def test_a_refused_commit_fails_streamon_and_a_retry_works(
    camera: PluggedCamera, handle: Handle
) -> None:
    camera.arm("commit-refused", 1)
    with pytest.raises(OSError, match="Input/output error"):
        handle.start()
    handle.stream_on()
    assert handle.dequeue().whole


def test_an_unanswered_commit_fails_streamon_after_five_seconds_and_a_retry_works(
    camera: PluggedCamera, handle: Handle
) -> None:
    camera.arm("commit-unanswered", 1)
    started = time.monotonic()
    with pytest.raises(OSError, match="Input/output error"):
        handle.start()
    assert time.monotonic() - started >= FIVE_S
    handle.stream_on()
    assert handle.dequeue().whole


@pytest.mark.parametrize(
    ("fault", "seen"), [("control-refused", "EIO"), ("control-not-ready", "EBUSY")]
)
def test_a_refused_control_says_why(plug: Plug, fault: str, seen: str) -> None:
    camera = plug()
    with Handle(camera.wait_node()) as handle:
        camera.arm(fault)
        assert handle.attempt("S_CTRL") == seen
        camera.clear()
        assert handle.attempt("S_CTRL") == OK


def test_a_control_that_is_refused_cannot_be_read_either(plug: Plug) -> None:
    camera = plug()
    camera.arm("control-refused")
    with Handle(camera.wait_node()) as handle:
        assert handle.attempt("G_CTRL") == "EIO"


def test_an_unanswered_control_fails_after_five_seconds(plug: Plug) -> None:
    camera = plug()
    with Handle(camera.wait_node()) as handle:
        camera.arm("control-unanswered", 1)
        seen, seconds = _timed(handle, "S_CTRL")
    assert seen != OK
    assert seconds >= FIVE_S


@pytest.mark.parametrize(
    ("model", "faults"), [("bulk", ["probe-refused"]), ("barren", [])], ids=["refused", "barren"]
)
def test_a_camera_that_offers_nothing_has_no_node(
    bench: Bench, model: str, faults: list[str]
) -> None:
    camera = bench.attach("nothing", model, faults=faults)
    driver = camera.device / f"{camera.device.name}:1.0" / "driver"
    wait_for(lambda: camera.device.exists() and _probed(camera.device), "the driver to have tried")
    assert camera.node() is None
    assert not list(camera.device.glob("*/video4linux/video*")), driver
    camera.unplug()


def _probed(device: Path) -> bool:
    """Whether udev has handled the video interface, which it does after the driver has tried."""
    return (device / f"{device.name}:1.1").exists() and not Path("/run/udev/queue").exists()


def test_what_is_not_offered_is_adjusted_not_refused(handle: Handle) -> None:
    assert handle.set_format("MJPG", 800, 600)[0] == "MJPG"
    assert handle.set_format("H264", 640, 480)[0] in ("MJPG", "YUYV")
    assert handle.set_format("MJPG", 1, 1) == ("MJPG", 320, 240)


def test_s_fmt_after_s_parm_puts_the_rate_back_silently(handle: Handle) -> None:
    handle.set_format("MJPG", 640, 480)
    assert handle.set_rate(5) == 5
    handle.set_format("MJPG", 640, 480)
    assert handle.rate() == 30
