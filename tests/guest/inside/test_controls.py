"""The camera's controls through the driver."""

from __future__ import annotations

import fcntl
import struct

import pytest
from linuxpy.video import raw

from tests.guest.camera.client import PluggedCamera
from tests.guest.camera.model import EXTENSION_GUID
from tests.guest.inside.handle import BRIGHTNESS, Handle

EXPOSURE_AUTO = raw.ControlID.EXPOSURE_AUTO.value
EXPOSURE_ABSOLUTE = raw.ControlID.EXPOSURE_ABSOLUTE.value
POWER_LINE = raw.ControlID.POWER_LINE_FREQUENCY.value
BUTTON = raw.ControlID.DO_WHITE_BALANCE.value
MANUAL, APERTURE_PRIORITY = 1, 3
_INACTIVE = 0x0010


def _get(handle: Handle, control: int) -> int:
    argument = raw.v4l2_control(id=control)
    handle.ioctl("G_CTRL", argument)
    return int(argument.value)


def _set(handle: Handle, control: int, value: int) -> None:
    handle.ioctl("S_CTRL", raw.v4l2_control(id=control, value=value))


def _query(handle: Handle, control: int) -> raw.v4l2_queryctrl:
    argument = raw.v4l2_queryctrl(id=control)
    handle.ioctl("QUERYCTRL", argument)
    return argument


def test_a_value_reaches_the_camera_and_comes_back(camera: PluggedCamera, handle: Handle) -> None:
    _set(handle, BRIGHTNESS, -17)
    assert camera.state()["controls"]["brightness"] == -17
    assert _get(handle, BRIGHTNESS) == -17


def test_a_value_out_of_range_is_clamped(camera: PluggedCamera, handle: Handle) -> None:
    _set(handle, BRIGHTNESS, 9999)
    assert _get(handle, BRIGHTNESS) == 64
    assert camera.state()["controls"]["brightness"] == 64


def test_automatic_exposure_makes_the_absolute_one_inactive(
    camera: PluggedCamera, handle: Handle
) -> None:
    assert _get(handle, EXPOSURE_AUTO) == APERTURE_PRIORITY
    assert _query(handle, EXPOSURE_ABSOLUTE).flags & _INACTIVE
    with pytest.raises(PermissionError):
        _set(handle, EXPOSURE_ABSOLUTE, 500)
    _set(handle, EXPOSURE_AUTO, MANUAL)
    assert not _query(handle, EXPOSURE_ABSOLUTE).flags & _INACTIVE
    _set(handle, EXPOSURE_ABSOLUTE, 500)
    assert camera.state()["controls"]["exposure_absolute"] == 500
    _set(handle, EXPOSURE_AUTO, APERTURE_PRIORITY)


def test_a_menu_has_names_and_refuses_what_is_not_in_it(handle: Handle) -> None:
    query = _query(handle, POWER_LINE)
    names = []
    for index in range(query.minimum, query.maximum + 1):
        entry = raw.v4l2_querymenu(id=POWER_LINE, index=index)
        handle.ioctl("QUERYMENU", entry)
        names.append(bytes(entry.name).split(b"\0")[0])
    assert names[:3] == [b"Disabled", b"50 Hz", b"60 Hz"]
    _set(handle, POWER_LINE, 2)
    assert _get(handle, POWER_LINE) == 2
    with pytest.raises(OSError, match=r"out of range|Invalid"):
        _set(handle, POWER_LINE, 40)


def test_a_button_can_be_pressed(camera: PluggedCamera, handle: Handle) -> None:
    # No control of the UVC standard becomes a button; an extension unit's does by a mapping
    # (UVCIOC_CTRL_MAP, include/uapi/linux/uvcvideo.h), as vendors' tools make it.
    button_type, unsigned, selector, bits = 4, 2, 1, 8
    mapping = struct.pack(
        "I32s16sBBBxIIQI4I4x",
        *(BUTTON, b"Button", EXTENSION_GUID, selector, bits, 0),
        *(button_type, unsigned, 0, 0, 0, 0, 0, 0),
    )
    fcntl.ioctl(handle.fd, 3 << 30 | len(mapping) << 16 | ord("u") << 8 | 0x20, mapping)
    assert _query(handle, BUTTON).type == button_type
    before = camera.state()["presses"]
    _set(handle, BUTTON, 1)
    assert camera.state()["presses"] == before + 1
