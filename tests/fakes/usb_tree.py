"""A sysfs and a /dev of ordinary files, with USB ports in them, as the kernel shows a camera."""

from __future__ import annotations

import shutil
from pathlib import Path

from capture_daemon.devices.sysfs import SystemPaths, UsbPort

_DEVICE = bytes([18, 1, 0, 2, 0xEF, 2, 1, 64, 0x6D, 4, 0x2D, 8, 0, 0, 1, 2, 3, 1])
_CONFIGURATION = bytes([9, 2, 40, 0, 2, 1, 0, 0x80, 250])
RDEV = (81 << 8) | 0


def interface(number: int, kind: int, subclass: int) -> bytes:
    return bytes([9, 4, number, 0, 0, kind, subclass, 0, 0])


CAMERA = _DEVICE + _CONFIGURATION + interface(0, 0x0E, 1) + interface(1, 0x0E, 2)
STICK = _DEVICE + _CONFIGURATION + interface(0, 0x08, 6)


class UsbTree:
    """Plug things into it."""

    def __init__(self, root: Path) -> None:
        self.paths = SystemPaths(root / "sys", root / "dev")
        self.paths.driver.mkdir(parents=True)
        for name in ("bind", "unbind"):
            (self.paths.driver / name).write_text("")
        self.devices = self.paths.sys / "bus/usb/devices"
        self._device("usb1", 1, STICK)

    def plug(
        self,
        port: str = "1-1.2",
        descriptors: bytes = CAMERA,
        number: int = 5,
        *,
        serial: str = "",
    ) -> UsbPort:
        """Plug a device in; a camera has its driver bound, and is /dev/video0."""
        folder = self._device(port, number, descriptors)
        if serial:
            (folder / "serial").write_text(f"{serial}\n")
        (folder / "authorized").write_text("1\n")
        if descriptors == CAMERA:
            for at, subclass in ((0, "01"), (1, "02")):
                part = folder / f"{port}:1.{at}"
                part.mkdir()
                (part / "bInterfaceClass").write_text("0e\n")
                (part / "bInterfaceSubClass").write_text(f"{subclass}\n")
            self.port = UsbPort(port, self.paths)
            self.drive(self.port)
            node = self.paths.sys / "dev/char/81:0"
            node.mkdir(parents=True, exist_ok=True)
            (node / "device").unlink(missing_ok=True)
            (node / "device").symlink_to(folder / f"{port}:1.0")
        return UsbPort(port, self.paths)

    def drive(self, port: UsbPort) -> None:
        """Bind the driver to a camera."""
        (port.folder / f"{port.name}:1.0" / "driver").symlink_to(self.paths.driver)

    def undrive(self, port: UsbPort) -> None:
        """Leave a camera without its driver."""
        (port.folder / f"{port.name}:1.0" / "driver").unlink()

    def deauthorise(self, port: UsbPort) -> None:
        """Take away what the kernel takes away: the interfaces, and with them the node."""
        (port.folder / "authorized").write_text("0\n")
        for interface in port.folder.glob(f"{port.name}:*"):
            shutil.rmtree(interface)

    def written(self, name: str) -> str:
        """What was written to a file of the driver last."""
        return (self.paths.driver / name).read_text()

    def _device(self, name: str, number: int, descriptors: bytes) -> Path:
        folder = self.devices / name
        folder.mkdir(parents=True)
        for file, text in (
            ("idVendor", "046d"),
            ("idProduct", "082d"),
            ("busnum", "1"),
            ("devnum", str(number)),
        ):
            (folder / file).write_text(f"{text}\n")
        (folder / "descriptors").write_bytes(descriptors)
        node = self.paths.dev / f"bus/usb/001/{number:03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.write_text("")
        return folder
