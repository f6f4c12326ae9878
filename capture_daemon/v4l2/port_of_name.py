"""The USB port of a camera that a person named, while it has no node: by its device's sysfs files.

A camera that is deauthorised, or whose driver was unbound, is in no list of cameras; but vendor,
product and serial number stay in its USB device's folder, and its place is its folder's name. So a
daemon that starts meanwhile knows the port all the same. Opens and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from capture_daemon.devices.sysfs import SystemPaths, UsbPort, ports
from capture_daemon.v4l2.discovery import USB_NAME

_BY_ID = re.compile(r"(?:/dev/v4l/by-id/)?(usb-.+)-video-index\d+")
_BY_PATH = re.compile(
    r"(?:/dev/v4l/by-path/)?(?:.+-)?(?:pci|platform)-([^/]+?)-usb(?:v\d+)?-0:([\d.]+):\d+\.\d+"
    r"-video-index\d+"
)
_STRANGE = re.compile(r"[^0-9A-Za-z#+.:=@_\u0080-\U0010ffff-]")


def port_of_name(device: str, paths: SystemPaths | None = None) -> UsbPort | None:
    """Return the port of the one camera that a name fits: usb:VID:PID[:SERIAL], by-id or by-path.

    None when it tells no camera (a number, a path of a person's own), or fits none or several.
    """
    fits = _test_of(device)
    if fits is None:
        return None
    fitting = [port for port in ports(paths or SystemPaths()) if port.is_camera() and fits(port)]
    return fitting[0] if len(fitting) == 1 else None


def _test_of(device: str) -> Callable[[UsbPort], bool] | None:
    if usb := USB_NAME.fullmatch(device):
        identity, serial = f"{usb[1]}:{usb[2]}".lower(), usb[3]
        return lambda port: port.identity() == identity and serial in (None, port.text("serial"))
    if by_id := _BY_ID.fullmatch(device):
        return lambda port: _udev_id(port) == by_id[1]
    if by_path := _BY_PATH.fullmatch(device):
        controller, place = by_path[1], by_path[2]
        return lambda port: port.name.partition("-")[2] == place and _controller(port) == controller
    return None


def _udev_id(port: UsbPort) -> str:
    """Return ID_BUS and ID_SERIAL as udev's usb_id makes them."""
    vendor = _cleaned(port.text("manufacturer")) or port.text("idVendor")
    product = _cleaned(port.text("product")) or port.text("idProduct")
    return "_".join(filter(None, (f"usb-{vendor}", product, _cleaned(port.text("serial")))))


def _cleaned(text: str) -> str:
    """Return `text` as udev has it in names: white space and what is not allowed becomes "_"."""
    return _STRANGE.sub("_", "_".join(text.split()))


def _controller(port: UsbPort) -> str:
    """Return the name of the host controller's device, the parent of its root hub."""
    parents = port.folder.resolve().parents
    return next((each.parent.name for each in parents if re.fullmatch(r"usb\d+", each.name)), "")
