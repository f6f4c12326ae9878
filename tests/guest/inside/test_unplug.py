"""Unplugged, replugged and reset: what an open descriptor sees, and where the node comes back."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import threading
from pathlib import Path

import pytest

from tests.guest.camera.client import PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import CAPTURE, Handle, buffer_of, outcome_of

KERNELS = ("stable", "newer")
GONE = select.POLLPRI | select.POLLERR | select.POLLHUP
_USBDEVFS_RESET = 0x5514


def _events(handle: Handle) -> int:
    """Wait until poll says more than that frames are there."""
    return wait_for(lambda: handle.poll(1.0) & GONE, "poll to tell that the device is gone")


@pytest.mark.parametrize("how", ["unplug", "cut"])
@pytest.mark.parametrize("model", ["bulk", "isochronous"])
def test_an_unplugged_camera_is_enodev_everywhere(plug: Plug, model: str, how: str) -> None:
    camera = plug(model)
    node = camera.wait_node()
    with Handle(node) as handle:
        handle.start()
        handle.dequeue()
        camera.do(how)
        assert _events(handle) == GONE
        calls = ("DQBUF", "QBUF", "G_FMT", "QUERYCAP", "S_CTRL", "STREAMOFF", "REQBUFS(0)")
        assert {call: handle.attempt(call) for call in calls} == dict.fromkeys(calls, "ENODEV")
        wait_for(camera.gone, "the camera to go")
        wait_for(lambda: not node.exists(), "the node to go")


def test_a_blocking_dqbuf_ends_with_einval_or_enodev_at_unplug(plug: Plug) -> None:
    camera = plug()
    with Handle(camera.wait_node(), blocking=True) as handle:
        handle.start()
        handle.dequeue()
        camera.arm("silent")
        seen = []

        def read_until_it_fails() -> None:
            try:
                while True:
                    buffer = buffer_of()
                    handle.ioctl("DQBUF", buffer)
                    handle.ioctl("QBUF", buffer)
            except OSError as error:
                seen.append(outcome_of(error))

        reader = threading.Thread(target=read_until_it_fails)
        reader.start()
        camera.unplug()
        reader.join(30)
        assert not reader.is_alive()
        # EINVAL from a DQBUF that waited, ENODEV from one that came too late.
        assert seen in (["EINVAL"], ["ENODEV"])


def _link(serial: str) -> Path:
    return Path(f"/dev/v4l/by-id/usb-framebus_Framebus_Test_Camera_{serial}-video-index0")


def _is_linked(serial: str, node: Path) -> bool:
    return _link(serial).exists() and _link(serial).resolve() == node


def test_it_comes_back_under_its_number_when_nobody_holds_it(plug: Plug) -> None:
    camera = plug(serial="SAME")
    node = camera.wait_node()
    camera.unplug()
    wait_for(lambda: not node.exists(), "the node to go")
    assert plug(serial="SAME").wait_node() == node
    wait_for(lambda: _is_linked("SAME", node), "the link by id")


def test_a_held_descriptor_renumbers_it_and_the_links_are_right_either_way(plug: Plug) -> None:
    camera = plug(serial="HELD")
    node = camera.wait_node()
    with Handle(node):
        camera.unplug()
        moved = plug(serial="HELD").wait_node()
        assert moved != node
        wait_for(lambda: _is_linked("HELD", moved), "the link by id")
        by_path = [link.resolve() for link in Path("/dev/v4l/by-path").glob("*-video-index0")]
        assert by_path.count(moved) >= 1


def _usb_node(camera: PluggedCamera) -> str:
    bus = int((camera.device / "busnum").read_text())
    number = int((camera.device / "devnum").read_text())
    return f"/dev/bus/usb/{bus:03}/{number:03}"


@pytest.mark.parametrize("streams", [True, False], ids=["streaming", "idle"])
def test_a_usb_reset_unbinds_and_binds_and_moves_the_node(plug: Plug, streams: bool) -> None:
    camera = plug()
    node = camera.wait_node()
    with Handle(node) as handle:
        if streams:
            handle.start()
            handle.dequeue()
        usb = os.open(_usb_node(camera), os.O_RDWR)
        fcntl.ioctl(usb, _USBDEVFS_RESET)
        os.close(usb)
        assert _events(handle) == GONE
        assert handle.attempt("G_FMT") == "ENODEV"
        moved = camera.wait_node()
        assert moved != node
    with Handle(moved) as handle:
        handle.start()
        assert handle.dequeue().whole


def test_streamoff_from_another_thread_frees_a_blocked_dqbuf(plug: Plug) -> None:
    camera = plug()
    with Handle(camera.wait_node(), blocking=True) as handle:
        handle.start()
        camera.arm("silent")
        blocked = threading.Thread(target=_drain, args=(handle,))
        blocked.start()
        blocked.join(2.0)
        assert blocked.is_alive()
        handle.ioctl("STREAMOFF", ctypes.c_int(CAPTURE))
        blocked.join(30)
        assert not blocked.is_alive()


def _drain(handle: Handle) -> None:
    """Dequeue until the driver refuses."""
    while handle.attempt("DQBUF") == "ok":
        pass
