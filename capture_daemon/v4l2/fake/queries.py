"""What the fake camera answers to the ioctls that do not touch its stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from linuxpy.video import raw
from linuxpy.video.raw import IOC, Capability, ControlFlag

from capture_daemon.v4l2.fake.camera import FakeCamera, FakeControl
from capture_daemon.v4l2.query import fourcc_number

Item = TypeVar("Item")


def os_error(number: int) -> OSError:
    """Return the OSError that an ioctl gives."""
    return OSError(number, os.strerror(number))


def _querycap(_camera: FakeCamera, answer: Any) -> None:
    answer.driver, answer.card, answer.bus_info = b"uvcvideo", b"Fake Webcam", b"usb-fake-1"
    answer.device_caps = Capability.VIDEO_CAPTURE | Capability.STREAMING
    answer.capabilities = answer.device_caps | Capability.DEVICE_CAPS


def _enum_fmt(camera: FakeCamera, answer: Any) -> None:
    fourcc = _item(list(camera.offers), answer.index)
    answer.pixelformat = fourcc_number(fourcc)
    answer.description = b"Motion-JPEG" if fourcc == "MJPG" else fourcc.encode()


def _enum_framesizes(camera: FakeCamera, answer: Any) -> None:
    sizes = list(_sizes(camera, answer.pixel_format))
    answer.discrete.width, answer.discrete.height = _item(sizes, answer.index)
    answer.type = raw.Frmsizetypes.DISCRETE


def _enum_frameintervals(camera: FakeCamera, answer: Any) -> None:
    rates = _sizes(camera, answer.pixel_format).get((answer.width, answer.height), ())
    answer.discrete.numerator, answer.discrete.denominator = 1, _item(rates, answer.index)
    answer.type = raw.Frmivaltypes.DISCRETE


def _sizes(camera: FakeCamera, number: int) -> Mapping[tuple[int, int], tuple[int, ...]]:
    for fourcc, sizes in camera.offers.items():
        if fourcc_number(fourcc) == number:
            return sizes
    raise os_error(errno.EINVAL)


def _queryctrl(camera: FakeCamera, answer: Any) -> None:
    if answer.id & ControlFlag.NEXT_CTRL:
        after = answer.id & ~ControlFlag.NEXT_CTRL
        answer.id = min((number for number in camera.controls if number > after), default=0)
    control = _control(camera, answer.id)
    answer.type, answer.name = control.type, control.label.encode()
    answer.minimum, answer.maximum, answer.step = control.minimum, control.maximum, control.step
    answer.default_value = control.default
    answer.flags = ControlFlag.INACTIVE if camera.inactive(control) else 0


def _querymenu(camera: FakeCamera, answer: Any) -> None:
    text = _control(camera, answer.id).menu.get(answer.index)
    if text is None:
        raise os_error(errno.EINVAL)
    answer.name = text.encode()


def _g_ctrl(camera: FakeCamera, answer: Any) -> None:
    answer.value = _control(camera, answer.id).value


def _s_ctrl(camera: FakeCamera, answer: Any) -> None:
    control = _control(camera, answer.id)
    if camera.inactive(control):
        raise os_error(errno.EACCES)
    if control.menu and answer.value not in control.menu:
        raise os_error(errno.EINVAL)
    control.value = answer.value = max(control.minimum, min(control.maximum, answer.value))


def _control(camera: FakeCamera, number: int) -> FakeControl:
    control = camera.controls.get(number)
    if control is None:
        raise os_error(errno.EINVAL)
    return control


def _item(items: Sequence[Item], index: int) -> Item:
    if index >= len(items):
        raise os_error(errno.EINVAL)
    return items[index]


QUERIES: Mapping[IOC, Callable[[FakeCamera, Any], None]] = {
    IOC.QUERYCAP: _querycap,
    IOC.ENUM_FMT: _enum_fmt,
    IOC.ENUM_FRAMESIZES: _enum_framesizes,
    IOC.ENUM_FRAMEINTERVALS: _enum_frameintervals,
    IOC.QUERYCTRL: _queryctrl,
    IOC.QUERYMENU: _querymenu,
    IOC.G_CTRL: _g_ctrl,
    IOC.S_CTRL: _s_ctrl,
}
