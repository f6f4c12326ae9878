"""Which cameras there are, by sysfs and udev's links, without opening one: opening wakes it up.

A UVC camera has two nodes, pictures and metadata. udev says which is which (ID_V4L_CAPABILITIES);
where there is no udev, sysfs' index does: pictures come first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from capture_daemon.sources.base import SourceError, SourceUnusable

_USB_NAME = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")


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

    @property
    def stable(self) -> str:
        """A name that survives replugging: by its serial where it has one, else by its port."""
        if self.vendor and self.serial:
            return f"usb:{self.vendor}:{self.product}:{self.serial}"
        return next(iter((*self.by_id, *self.by_path)), self.node)

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return {**asdict(self), "stable": self.stable}


def udev_capabilities(node: str) -> str | None:
    """Return udev's ID_V4L_CAPABILITIES of a node, None where udev knows nothing."""
    try:
        import pyudev
    except ImportError:  # libudev is not installed
        return None
    try:
        device = pyudev.Devices.from_device_file(pyudev.Context(), node)
    except (OSError, pyudev.DeviceNotFoundError):
        return None
    value = device.get("ID_V4L_CAPABILITIES")
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look; another tree in tests."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    capabilities: Callable[[str], str | None] = udev_capabilities


def cameras(places: Places | None = None) -> list[Camera]:
    """Return every video node, in the order of their numbers. Opens none."""
    places = places or Places()
    folder = places.sys / "class/video4linux"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    numbered = [name for name in names if re.fullmatch(r"video\d+", name)]
    ids = _links(places.dev / "v4l/by-id")
    paths = _links(places.dev / "v4l/by-path")
    found = []
    for name in sorted(numbered, key=lambda name: int(name[5:])):
        node = str(places.dev / name)
        index = _read(folder / name / "index")
        interface = (folder / name / "device").resolve()
        usb = _usb_device(interface)
        known = places.capabilities(node)
        found.append(
            Camera(
                node=node,
                name=_read(folder / name / "name"),
                index=int(index) if index.isdigit() else 0,
                captures=":capture:" in known if known is not None else index in ("", "0"),
                driver=(interface / "driver").resolve().name
                if (interface / "driver").exists()
                else "",
                port=usb.name if usb else "",
                vendor=_read(usb / "idVendor") if usb else "",
                product=_read(usb / "idProduct") if usb else "",
                serial=_read(usb / "serial") if usb else "",
                by_id=tuple(link for link, target in ids if target == name),
                by_path=tuple(link for link, target in paths if target == name),
            )
        )
    return found


def resolve(device: str, places: Places | None = None) -> str:
    """Return the node that a name means: a path, a link's name, or usb:VID:PID[:SERIAL].

    Raises SourceError when no such camera is there now, SourceUnusable when the name fits several.
    """
    places = places or Places()
    if device.startswith("/"):
        if os.path.exists(device):
            return os.path.realpath(device)
        raise _absent(device, places)
    present = [camera for camera in cameras(places) if camera.captures]
    usb = _USB_NAME.fullmatch(device)
    if usb is None:
        for camera in present:
            links = (camera.node, *camera.by_id, *camera.by_path)
            if device in (os.path.basename(link) for link in links):
                return camera.node
        raise _absent(device, places)
    vendor, product, serial = usb[1].lower(), usb[2].lower(), usb[3]
    fitting = [
        camera
        for camera in present
        if (camera.vendor, camera.product) == (vendor, product) and serial in (None, camera.serial)
    ]
    if not fitting:
        raise _absent(device, places)
    if len({camera.port for camera in fitting}) > 1:
        raise SourceUnusable(
            "ambiguous-device",
            f"{device} fits {_list(fitting)}",
            remedy="add the serial number, or name one by its /dev/v4l/by-path link",
        )
    return fitting[0].node


def rdev(device: str, places: Places | None = None) -> int:
    """Return the device number that a name means now, as for names.device_lock.

    Raises SourceError when it is not there.
    """
    node = resolve(device, places)
    try:
        return os.stat(node).st_rdev
    except OSError as error:
        raise _absent(device, places or Places()) from error


def _absent(device: str, places: Places) -> SourceError:
    present = [camera for camera in cameras(places) if camera.captures]
    return SourceError(
        "device-absent",
        f"there is no camera {device} now; "
        + (f"there is {_list(present)}" if present else "there is none at all"),
        remedy="plug the camera in, or name one that is there (`framebus devices`)",
    )


def _list(present: list[Camera]) -> str:
    return ", ".join(f"{camera.stable} ({camera.name}, {camera.node})" for camera in present)


def _links(folder: Path) -> list[tuple[str, str]]:
    """Return (link, name of the node it points to) for each link of a folder, sorted."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [(str(folder / name), (folder / name).resolve().name) for name in names]


def _usb_device(interface: Path) -> Path | None:
    """Return the USB device's folder that an interface's folder ("1-1.2:1.0") lies in."""
    for folder in (interface, *interface.parents):
        if (folder / "idVendor").exists():
            return folder
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
