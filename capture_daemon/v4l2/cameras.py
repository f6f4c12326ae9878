"""Which cameras there are, by sysfs and udev's links, without opening one: opening wakes it up.

A UVC camera has two nodes, pictures and metadata. udev says which is which (ID_V4L_CAPABILITIES);
where there is no udev, sysfs' index does: pictures come first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from framebus.errors import raise_shortage

from capture_daemon.devices.sysfs import SystemPaths, attribute, driver_of, usb_device


@dataclass(frozen=True, slots=True)
class Camera:
    """One video node. What is not known is empty."""

    node: str
    name: str
    index: int
    captures: bool
    """False for a metadata or output node."""
    driver: str = ""
    port: str = ""
    """The USB port, as the kernel's log names it: "1-1.2"."""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    by_id: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()

    stable: str = ""
    """A name that survives replugging: by its serial where that is unique, else by its port."""

    @property
    def usb_name(self) -> str:
        """usb:VID:PID:SERIAL, empty for a camera without a serial number."""
        return f"usb:{self.vendor}:{self.product}:{self.serial}" if self.serial else ""

    def file_names(self) -> list[str]:
        """Return what its node and the links to it are called, without their folders."""
        return [os.path.basename(path) for path in (self.node, *self.by_id, *self.by_path)]

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


def udev_capabilities(node: str) -> str | None:
    """Return udev's ID_V4L_CAPABILITIES of a node, None where udev knows nothing."""
    try:
        import pyudev
    except ImportError:  # libudev is not installed
        return None
    try:
        device = pyudev.Devices.from_device_file(pyudev.Context(), node)
    except pyudev.DeviceNotFoundError:
        return None
    except OSError as error:
        raise_shortage(error, f"cannot ask udev about {node}")
        return None
    value = device.properties.get("ID_V4L_CAPABILITIES")
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class CameraPaths(SystemPaths):
    """Where to look for cameras, and what udev knows of a node; another tree in tests."""

    capabilities: Callable[[str], str | None] = udev_capabilities


def cameras(paths: CameraPaths | None = None) -> list[Camera]:
    """Return every video node, in the order of their numbers. Opens none. Raises OutOfResources."""
    paths = paths or CameraPaths()
    folder = paths.sys / "class/video4linux"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise_shortage(error, "cannot look which cameras there are")
        raise
    numbered = [name for name in names if re.fullmatch(r"video\d+", name)]
    ids = _links(paths.dev / "v4l/by-id")
    by_path = _links(paths.dev / "v4l/by-path")
    found = []
    for name in sorted(numbered, key=lambda name: int(name[5:])):
        node = str(paths.dev / name)
        index = attribute(folder / name / "index")
        interface = folder / name / "device"
        usb = usb_device(interface)
        vendor, product, serial = (
            attribute(usb / file) if usb else "" for file in ("idVendor", "idProduct", "serial")
        )
        known = paths.capabilities(node)
        found.append(
            Camera(
                node=node,
                name=attribute(folder / name / "name"),
                index=int(index) if index.isdigit() else 0,
                captures=":capture:" in known if known is not None else index in ("", "0"),
                driver=driver_of(interface),
                port=usb.name if usb else "",
                vendor=vendor,
                product=product,
                serial=serial,
                by_id=tuple(link for link, target in ids if target == name),
                by_path=tuple(link for link, target in by_path if target == name),
            )
        )
    return [replace(camera, stable=_stable(camera, found)) for camera in found]


def _stable(camera: Camera, present: list[Camera]) -> str:
    # Cheap cameras of one make share one serial number.
    twins = [other for other in present if other.usb_name == camera.usb_name]
    if camera.usb_name and len({other.port for other in twins}) == 1 and camera.captures:
        return camera.usb_name
    return next(iter((*camera.by_path, *camera.by_id)), camera.node)


def _links(folder: Path) -> list[tuple[str, str]]:
    """Return (link, name of the node it points to) for each link of a folder, sorted."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [(str(folder / name), (folder / name).resolve().name) for name in names]
