"""The v4l2 source on the real driver: pictures, hand-over, discovery, a control that hangs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from framebus.frame import FrameFlags
from linuxpy.video import raw

from capture_daemon.sources.base import Captured, Interrupt, Request, SourceError
from capture_daemon.v4l2.cameras import cameras
from capture_daemon.v4l2.discovery import choose, rdev, resolve
from capture_daemon.v4l2.ops import KernelOps
from capture_daemon.v4l2.session import BUFFERS
from capture_daemon.v4l2.source import V4L2Source
from tests.guest.camera.client import Bench
from tests.guest.camera.pictures import read_stamp
from tests.guest.inside.conftest import Plug
from tests.guest.inside.v4l2_holder import FPS
from tests.helpers.waiting import until

KERNELS = ("stable", "newer")
Open = Callable[[Path | str, Request], V4L2Source]
SMALL = Request(width=640, height=480)
WAITING = 3
"""Frames that wait in the buffers for the successor."""


@pytest.fixture
def source() -> Iterator[Open]:
    interrupt = Interrupt()
    made: list[V4L2Source] = []

    def make(device: Path | str, request: Request) -> V4L2Source:
        made.append(V4L2Source(str(device), request, interrupt))
        return made[-1]

    yield make
    for one in made:
        one.close()
    interrupt.close()


def frame(source: V4L2Source) -> Captured:
    captured = source.read(20.0)
    assert captured is not None
    return captured


@pytest.mark.parametrize("model", ["bulk", "isochronous"])
def test_mjpeg_comes_whole_in_order_and_with_the_time_it_was_taken(
    plug: Plug, source: Open, model: str
) -> None:
    camera = source(plug(model).wait_node(), SMALL)
    granted = camera.open()
    assert (granted.fourcc, granted.width, granted.height, granted.fps) == ("MJPG", 640, 480, 30)
    counters = []
    for _ in range(20):
        captured = frame(camera)
        data = bytes(captured.data)
        assert data.startswith(b"\xff\xd8")
        assert data.rstrip(b"\0").endswith(b"\xff\xd9")
        stamp = read_stamp(data)
        counters.append(stamp.counter)
        # The emulator is in this guest, so its clock is ours.
        assert abs(captured.captured_ns - stamp.taken_ns) < 2_000_000_000
    assert counters == sorted(set(counters))


def test_requested_rate_is_granted_after_s_fmt(plug: Plug, source: Open) -> None:
    camera = source(plug("bulk").wait_node(), Request(width=1280, height=720, fps=5))
    granted = camera.open()
    assert (granted.width, granted.height, granted.fps) == (1280, 720, 5)


def test_camera_without_mjpeg_is_encoded(plug: Plug, source: Open) -> None:
    camera = source(plug("raw-only").wait_node(), Request())
    granted = camera.open()
    assert granted.fourcc == "YUYV"
    # Python is slow here: what waited while the encoder was made may be stale.
    captured = next(one for one in (frame(camera) for _ in range(20)) if not one.reject)
    assert captured.flags == FrameFlags.ENCODED
    assert bytes(captured.data[:2]) == b"\xff\xd8"


def test_stream_outlives_a_killed_process_without_a_gap(plug: Plug, source: Open) -> None:
    node = plug("bulk").wait_node()
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.guest.inside.v4l2_holder", str(node)]
    holder = subprocess.Popen([*command, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    _, [kept], _, _ = socket.recv_fds(ours, 1, 1)
    with ours.makefile() as told:
        for _ in range(5):
            last = int(told.readline())
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
        last = max([last, *map(int, told.read().split())])
    ours.close()
    until(lambda: filled(kept) >= WAITING)
    successor = source(node, SMALL)
    begun_ns = time.monotonic_ns()
    granted = successor.adopt(kept)
    assert (granted.fourcc, granted.width, granted.height, granted.fps) == ("MJPG", 640, 480, FPS)
    frames = [frame(successor) for _ in range(20)]
    numbers = [captured.device_sequence for captured in frames]
    # One frame may have been in the dead process' hands.
    assert numbers[0] - last in (1, 2)
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    assert all(captured.captured_ns < begun_ns for captured in frames[:WAITING])
    assert not any(captured.reject or captured.faulty for captured in frames)


def filled(descriptor: int) -> int:
    """How many buffers the driver has filled and nobody took."""
    count = 0
    for index in range(BUFFERS):
        buffer = raw.v4l2_buffer(
            index=index, type=raw.BufType.VIDEO_CAPTURE, memory=raw.Memory.MMAP
        )
        KernelOps().ioctl(descriptor, raw.IOC.QUERYBUF, buffer)
        count += bool(buffer.flags & raw.BufferFlag.DONE)
    return count


def test_camera_is_found_by_every_stable_name_and_by_auto(plug: Plug) -> None:
    node = str(plug("bulk", serial="X42").wait_node())
    listed = {camera.node: camera for camera in cameras()}
    camera = listed[node]
    assert camera.captures
    assert (camera.driver, camera.serial) == ("uvcvideo", "X42")
    metadata = [other for other in listed.values() if other.port == camera.port and other != camera]
    assert not any(other.captures for other in metadata)
    assert camera.stable == f"usb:{camera.vendor}:{camera.product}:X42"
    for name in (camera.stable, *camera.by_id, *camera.by_path):
        assert resolve(name) == node
        assert rdev(name) == os.stat(node).st_rdev
    assert choose() == camera.stable


def test_camera_is_opened_again_by_its_serial_under_another_number(
    bench: Bench, plug: Plug, source: Open
) -> None:
    plugged = plug("bulk", serial="X43")
    first = str(plugged.wait_node())
    name = next(camera.stable for camera in cameras() if camera.node == first)
    camera = source(name, SMALL)
    camera.open()
    frame(camera)
    # Whoever keeps a descriptor keeps the number from being given again.
    kept = os.dup(camera.fileno())
    plugged.unplug()
    with pytest.raises(SourceError):
        until(lambda: camera.read(1.0) is None and False)
    camera.close()
    second = str(bench.plug(plugged.name, serial="X43").wait_node())
    assert second != first
    assert camera.open().device.startswith(f"{second} ")
    frame(camera)
    os.close(kept)


def test_frames_go_on_and_close_returns_while_a_control_hangs(plug: Plug, source: Open) -> None:
    plugged = plug("bulk")
    camera = source(plugged.wait_node(), SMALL)
    camera.open()
    camera.controls()
    plugged.arm("control-unanswered")
    asked: list[int] = []
    codes: list[str] = []

    def ask_until_closed() -> None:
        while codes[-1:] != ["not-open"]:
            asked.append(len(asked))
            try:
                camera.set_controls({"brightness": 5})
            except SourceError as error:
                codes.append(error.code)

    asking = threading.Thread(target=ask_until_closed)
    asking.start()
    # Nothing says how many frames this slow Python reads in the 5 s that one
    # request hangs: count those that were read while one and the same hung.
    beside = 0
    while beside < 3 and len(codes) < 5:
        hanging, ended = len(asked), len(codes)
        frame(camera)
        beside += hanging == len(asked) == ended + 1 == len(codes) + 1
    assert beside == 3
    begun = time.monotonic()
    camera.close()
    # A hung request takes 5 s; this Python is sixteen times slower.
    assert time.monotonic() - begun < 20
    asking.join(30)
    assert codes[-1] == "not-open"
    assert set(codes) <= {"control-refused", "not-open"}
