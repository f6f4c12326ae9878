"""A USB port as sysfs shows it: what is plugged in, whether it is a camera, and its files.

The privileged helper runs this as root: it knows nothing of ours but how a port is named. Nothing
here writes. Facts: the kernel's Documentation/ABI/testing/sysfs-bus-usb, and USB 2.0, table 9-12.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from framebus.units import USB_PORT

_NAME = re.compile(USB_PORT)
_INTERFACE_DESCRIPTOR = 4
_CLASS_OFFSET = 5
_VIDEO_CLASS = 0x0E
_VIDEO_CONTROL = 0x01


@dataclass(frozen=True, slots=True)
class SystemPaths:
    """Where to look; another tree in tests."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")

    @property
    def usb(self) -> Path:
        """The folder of the USB devices, and of their interfaces."""
        return self.sys / "bus/usb/devices"

    @property
    def driver(self) -> Path:
        """The folder of the driver of USB cameras."""
        return self.sys / "bus/usb/drivers/uvcvideo"


class BadPort(ValueError):
    """Not the name of a USB port."""


@dataclass(frozen=True, slots=True)
class UsbPort:
    """A place to plug something in, as the kernel's log names it: "1-1.2". Raises BadPort."""

    name: str
    paths: SystemPaths = field(default_factory=SystemPaths)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadPort("a port is named like 1-1.2")

    @property
    def folder(self) -> Path:
        """The plugged-in device's folder; there while something is plugged in."""
        return self.paths.usb / self.name

    @property
    def hub(self) -> str:
        """The hub that the port belongs to, as uhubctl names it: "1-1", or "1" for a root hub."""
        return self.name.rpartition("." if "." in self.name else "-")[0]

    @property
    def hub_device(self) -> str:
        """The hub as the kernel names it: "1-1", or "usb1" for a root hub."""
        return self.hub if "-" in self.hub else f"usb{self.hub}"

    @property
    def number(self) -> str:
        """The port's number on its hub."""
        return re.split(r"[-.]", self.name)[-1]

    @property
    def hub_node(self) -> Path:
        """The usbfs node of the hub."""
        return _usbfs_node(self.paths, self.paths.usb / self.hub_device)

    @property
    def node(self) -> Path:
        """The usbfs node of what is plugged in."""
        return _usbfs_node(self.paths, self.folder)

    def occupied(self) -> bool:
        """Tell whether something is plugged in."""
        return self.folder.exists()

    def identity(self) -> str:
        """Return vendor and product of what is plugged in, "046d:082d"; empty if nothing is."""
        vendor, product = self.text("idVendor"), self.text("idProduct")
        return f"{vendor}:{product}" if vendor else ""

    def authorized(self) -> bool:
        """Tell whether the device may be used: a person, or usbguard, may have forbidden it."""
        return self.text("authorized") != "0"

    def text(self, file: str) -> str:
        """Return what a file of the plugged-in device says; empty if there is none."""
        return attribute(self.folder / file)

    def is_camera(self) -> bool:
        """Tell whether what is plugged in has a video interface, also while it is deauthorised."""
        try:
            return has_video_interface((self.folder / "descriptors").read_bytes())
        except OSError:
            return False

    def control_interfaces(self) -> list[Path]:
        """Return the folders of the video control interfaces, which the driver binds to."""
        try:
            names = sorted(os.listdir(self.folder))
        except OSError:  # pulled out, at this very moment perhaps
            return []
        return [
            folder
            for folder in (self.folder / name for name in names if name.startswith(f"{self.name}:"))
            if attribute(folder / "bInterfaceClass") == f"{_VIDEO_CLASS:02x}"
            and attribute(folder / "bInterfaceSubClass") == f"{_VIDEO_CONTROL:02x}"
        ]

    def undriven(self) -> list[Path]:
        """Return the folders of the video control interfaces that no driver has, not even one that
        is asking the camera now.
        """
        return [each for each in self.control_interfaces() if not driver_of(each)]

    def other_driver(self) -> str:
        """Return the driver that has the camera in place of uvcvideo (a virtual machine's, say)."""
        for interface in self.control_interfaces():
            driver = driver_of(interface)
            if driver not in ("", self.paths.driver.name):
                return driver
        return ""


def ports(paths: SystemPaths) -> list[UsbPort]:
    """Return the ports in which something is, hubs too."""
    try:
        names = sorted(os.listdir(paths.usb))
    except FileNotFoundError:
        return []
    return [UsbPort(name, paths) for name in names if _NAME.fullmatch(name)]


def port_of(rdev: int, paths: SystemPaths) -> UsbPort | None:
    """Return the port of the USB device that a character device belongs to, None if to none."""
    link = paths.sys / "dev/char" / f"{os.major(rdev)}:{os.minor(rdev)}" / "device"
    device = usb_device(link)
    return UsbPort(device.name, paths) if device and _NAME.fullmatch(device.name) else None


def usb_device(part: Path) -> Path | None:
    """Return the folder of the USB device that a folder, an interface's say, lies in."""
    real = part.resolve()
    return next((each for each in (real, *real.parents) if (each / "idVendor").exists()), None)


def driver_of(interface: Path) -> str:
    """Return the name of the driver that has an interface; empty where none has."""
    try:
        return os.path.basename(os.readlink(interface / "driver"))
    except OSError:
        return ""


def has_video_interface(descriptors: bytes) -> bool:
    """Tell whether a device's descriptors have an interface of the video class."""
    at = 0
    while at + 2 <= len(descriptors):
        length, kind = descriptors[at], descriptors[at + 1]
        if length < 2 or at + length > len(descriptors):
            return False
        is_interface = kind == _INTERFACE_DESCRIPTOR and length > _CLASS_OFFSET
        if is_interface and descriptors[at + _CLASS_OFFSET] == _VIDEO_CLASS:
            return True
        at += length
    return False


def _usbfs_node(paths: SystemPaths, device: Path) -> Path:
    bus, number = attribute(device / "busnum"), attribute(device / "devnum")
    if not (bus.isdecimal() and number.isdecimal()):
        return paths.dev / "bus/usb/absent"
    return paths.dev / "bus/usb" / f"{int(bus):03d}" / f"{int(number):03d}"


def attribute(path: Path) -> str:
    """Return what a file of sysfs says; empty where there is none, or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
