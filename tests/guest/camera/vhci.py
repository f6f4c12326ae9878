"""Ports of the kernel's virtual host controller (vhci_hcd), through sysfs. Needs root.

The kernel is handed one end of a socket pair; whoever holds the other is the device.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

_CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
_HIGH_SPEED = 3
_FREE = "004"  # VDEV_ST_NULL, drivers/usb/usbip/usbip_common.h


@dataclass(frozen=True)
class Port:
    """An attached port; `connection` is the device's end of the cable."""

    number: int
    connection: socket.socket


def attach(number: int | None = None) -> Port:
    """Plug a high-speed device into port `number`, else the first free one. Raises OSError."""
    if number is None:
        number = _free_port()
    ours, kernels = socket.socketpair()
    with kernels:
        device_id = 1 << 16 | number + 2
        request = f"{number} {kernels.fileno()} {device_id} {_HIGH_SPEED}"
        (_CONTROLLER / "attach").write_text(request)
    return Port(number, ours)


def detach(number: int) -> None:
    """Unplug what is in port `number`. Raises OSError when nothing is."""
    (_CONTROLLER / "detach").write_text(str(number))


def _free_port() -> int:
    for line in (_CONTROLLER / "status").read_text().splitlines():
        fields = line.split()
        if fields[0] == "hs" and fields[2] == _FREE:
            return int(fields[1])
    raise OSError("no free high-speed port at vhci_hcd")
