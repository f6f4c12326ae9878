"""The v4l2 source over the fake camera: what it makes of a session's buffers."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest
from framebus.errors import UsageError
from framebus.frame import FrameFlags
from linuxpy.video.raw import ControlID

from capture_daemon.sources.base import Captured, Interrupt, Request, Restartable, SourceError
from capture_daemon.v4l2 import controls
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel, FrameFault
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.source import V4L2Source
from tests.fakes.faulty_ops import Fault, FaultyOps

RAW_ONLY = {"YUYV": {(64, 16): (30,)}}


class Stage:
    """A fake camera that sends frames when told, and a source on it."""

    def __init__(self, camera: FakeCamera, *, newer: bool = True) -> None:
        self.camera = camera
        self.kernel = FakeKernel([camera], newer=newer)
        self.interrupt = Interrupt()
        self.source = self.make()

    def make(self, request: Request | None = None) -> V4L2Source:
        return V4L2Source(
            self.camera.path,
            Request() if request is None else request,
            self.interrupt,
            ops=self.kernel,
            resolve=str,
        )

    def frame(self) -> Captured:
        self.kernel.deliver()
        captured = self.source.read(30.0)
        assert captured is not None
        return captured


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield from staged(Stage(FakeCamera()))


@pytest.fixture
def raw_stage() -> Iterator[Stage]:
    yield from staged(Stage(FakeCamera(offers=RAW_ONLY)))


def staged(stage: Stage) -> Iterator[Stage]:
    yield stage
    stage.source.close()
    stage.interrupt.close()
    assert (stage.kernel.descriptors(), stage.kernel.mappings()) == (0, 0)


def test_mjpeg_is_passed_on_byte_for_byte(stage: Stage) -> None:
    granted = stage.source.open()
    assert (granted.fourcc, granted.width, granted.height, granted.fps) == ("MJPG", 1280, 720, 30)
    assert granted.device == "/dev/video0 (Fake Webcam)"
    for number in range(40):
        captured = stage.frame()
        assert bytes(captured.data) == stage.camera.picture("MJPG", (1280, 720), number)
        assert captured.device_sequence == number
        assert (captured.flags, captured.reject) == (FrameFlags.NONE, "")


def test_source_is_restartable_and_numbers_go_on(stage: Stage) -> None:
    assert isinstance(stage.source, Restartable)
    stage.source.open()
    stage.frame()
    stage.source.restart_stream()
    assert stage.frame().device_sequence == 1
    stage.source.restart_stream(full=True)
    assert stage.frame().device_sequence == 2


def test_requested_size_and_rate_are_asked_for_and_the_rate_survives_s_fmt(stage: Stage) -> None:
    stage.source = stage.make(Request(width=640, height=480, fps=15))
    granted = stage.source.open()
    assert (granted.width, granted.height, granted.fps) == (640, 480, 15)


def test_frames_lost_before_us_are_a_gap(stage: Stage) -> None:
    stage.source.open()
    stage.kernel.deliver(count=20)
    numbers = []
    while (captured := stage.source.read(0.0)) is not None:
        numbers.append(captured.device_sequence)
    assert numbers == list(range(16))
    assert stage.frame().device_sequence == 20


def test_flagged_buffer_is_faulty_and_an_empty_one_is_empty(stage: Stage) -> None:
    stage.source.open()
    stage.camera.faults.extend([FrameFault.ERROR_BIT, FrameFault.EMPTY])
    assert stage.frame().faulty
    empty = stage.frame()
    assert empty.faulty
    assert len(empty.data) == 0
    assert not stage.frame().faulty


def test_yuyv_is_encoded_and_says_so(raw_stage: Stage) -> None:
    assert raw_stage.source.open().fourcc == "YUYV"
    captured = raw_stage.frame()
    assert captured.flags == FrameFlags.ENCODED
    assert bytes(captured.data[:2]) == b"\xff\xd8"
    assert bytes(captured.data[-2:]) == b"\xff\xd9"


def test_yuyv_that_cannot_be_encoded_is_rejected_by_reason(raw_stage: Stage) -> None:
    raw_stage.source.open()
    raw_stage.camera.faults.extend([FrameFault.TRUNCATED, FrameFault.ERROR_BIT])
    short, flagged = raw_stage.frame(), raw_stage.frame()
    assert (short.reject, len(short.data)) == ("encode-failed", 0)
    assert flagged.faulty
    assert not flagged.reject
    assert raw_stage.frame().data


def test_frames_left_over_from_a_pause_are_stale() -> None:
    now = 1_000_000_000
    kernel = FakeKernel([FakeCamera()], now_ns=lambda: now)
    interrupt = Interrupt()
    source = V4L2Source(
        "/dev/video0", Request(), interrupt, ops=kernel, resolve=str, now_ns=lambda: now
    )
    source.open()
    kernel.deliver(count=3)
    now += 2_000_000_000
    kernel.deliver(count=1)
    reasons = []
    while (captured := source.read(0.0)) is not None:
        reasons.append(captured.reject)
    source.close()
    interrupt.close()
    assert reasons == ["stale", "stale", "stale", ""]


def test_camera_that_came_back_under_another_number_is_found(stage: Stage) -> None:
    stage.source.open()
    stage.kernel.unplug()
    with pytest.raises(SourceError):
        stage.source.read(30.0)
    stage.camera.path = "/dev/video7"
    stage.kernel.plug(stage.camera)
    found = V4L2Source(
        "usb:046d:0825",
        Request(),
        stage.interrupt,
        ops=stage.kernel,
        resolve=lambda _: "/dev/video7",
    )
    assert found.open().device.startswith("/dev/video7 ")
    found.close()


def test_adopted_stream_gives_what_waited_first(stage: Stage) -> None:
    stage.source.open()
    stage.frame()
    kept = os.dup(stage.source.fileno())
    stage.kernel.deliver(count=3, stamp_ns=5_000)
    successor = stage.make()
    granted = successor.adopt(kept)
    assert (granted.fourcc, granted.width) == ("MJPG", 1280)
    waited = [successor.read(0.0) for _ in range(3)]
    assert [frame and (frame.device_sequence, frame.captured_ns) for frame in waited] == [
        (1, 5_000),
        (2, 5_000),
        (3, 5_000),
    ]
    assert [frame and frame.reject for frame in waited] == ["", "", ""]
    successor.close()


def test_closed_source_says_that_it_is_not_open(stage: Stage) -> None:
    assert stage.source.fileno() == -1
    for ask in (stage.source.formats, stage.source.controls, stage.source.restart_stream):
        with pytest.raises(SourceError) as refusal:
            ask()
        assert refusal.value.code == "not-open"


def test_formats_and_controls_are_plain_data(stage: Stage) -> None:
    stage.source.open()
    mjpeg = stage.source.formats()[0]
    assert mjpeg["fourcc"] == "MJPG"
    assert {"width": 640, "height": 480, "fps": [30.0, 15.0]} in mjpeg["sizes"]  # type: ignore[operator]
    controls = {item["name"]: item for item in stage.source.controls()}
    exposure = controls["exposure_time_absolute"]
    assert (exposure["min"], exposure["max"], exposure["value"]) == (1, 5000, 157)
    assert exposure["flags"] == ["inactive"]
    assert controls["auto_exposure"]["menu"] == {"1": "Manual Mode", "3": "Aperture Priority Mode"}


def test_bad_control_changes_nothing(stage: Stage) -> None:
    stage.source.open()
    with pytest.raises(UsageError):
        stage.source.set_controls({"brightness": 5, "contrast": 1000})
    assert stage.camera.controls[ControlID.BRIGHTNESS].value == 0
    assert stage.source.set_controls(
        {"exposure_time_absolute": 300, "auto_exposure": 1, "brightness": 5}
    ) == {"auto_exposure": 1, "exposure_time_absolute": 300, "brightness": 5}


def test_control_that_the_camera_refuses_tells_what_was_set_before(stage: Stage) -> None:
    ops = FaultyOps(stage.kernel, [Fault("S_CTRL", errno.EIO, first=2)])
    source = V4L2Source("/dev/video0", Request(), stage.interrupt, ops=ops, resolve=str)
    source.open()
    with pytest.raises(SourceError, match=r"contrast: S_CTRL .*\(set before it: brightness\)"):
        source.set_controls({"brightness": 5, "contrast": 8})
    source.close()


def test_other_programs_cannot_change_settings(stage: Stage) -> None:
    stage.source.open()
    handle = Handle.open(stage.kernel, "/dev/video0")
    with pytest.raises(SourceError) as refused:
        controls.set_controls(handle, {"brightness": 1})
    handle.close()
    assert refused.value.code == "device-busy"


def test_a_bus_without_room_gets_the_next_lower_format_in_the_same_opening(stage: Stage) -> None:
    no_room = Fault("STREAMON", errno.ENOSPC, times=1)
    ops = FaultyOps(stage.kernel, [no_room])
    stage.source = V4L2Source(stage.camera.path, Request(), stage.interrupt, ops=ops, resolve=str)
    granted = stage.source.open()
    assert (granted.width, granted.height, granted.fps) == (1280, 720, 15)
    assert "1280x720 at 30/s" in granted.note
    assert ops.calls.count("open") == 1
    stage.source.close()
    assert ops.calls.count("STREAMON") == 2
    granted = stage.source.open()
    assert ops.calls.count("STREAMON") == 3, "what did not fit was tried again"
    assert (granted.fps, bool(granted.note)) == (15, True)
    assert stage.frame().reject == ""


def test_a_bus_that_takes_nothing_at_all_leaves_nothing_open(stage: Stage) -> None:
    ops = FaultyOps(stage.kernel, [Fault("STREAMON", errno.ENOSPC, times=99)])
    stage.source = V4L2Source(stage.camera.path, Request(), stage.interrupt, ops=ops, resolve=str)
    with pytest.raises(SourceError) as refusal:
        stage.source.open()
    assert refusal.value.code == "no-bandwidth"
    assert (stage.kernel.descriptors(), stage.kernel.mappings()) == (0, 0)


@pytest.mark.parametrize(("refusals", "fps"), [(2, 30), (3, 15)])
def test_a_refused_commit_is_tried_again_before_less_is_asked_for(
    stage: Stage, refusals: int, fps: int
) -> None:
    ops = FaultyOps(stage.kernel, [Fault("STREAMON", errno.EIO, times=refusals)])
    stage.source = V4L2Source(stage.camera.path, Request(), stage.interrupt, ops=ops, resolve=str)
    for _ in range(2):
        with pytest.raises(SourceError, match="STREAMON"):
            stage.source.open()
    granted = stage.source.open()
    assert (granted.fps, bool(granted.note)) == (fps, fps < 30)


def test_a_raw_picture_that_nobody_wants_is_not_encoded(raw_stage: Stage) -> None:
    source = raw_stage.source
    source.open()
    source.unwanted = lambda _: True
    captured = raw_stage.frame()
    assert (captured.reject, captured.data) == ("unwatched", b"")
    source.unwanted = lambda _: False
    assert bytes(raw_stage.frame().data).startswith(b"\xff\xd8")
