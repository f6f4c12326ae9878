"""Tells when a video device appears, through pyudev. Main thread; nothing here blocks.

Where udevd runs its own announcement is waited for, which comes after the links and permissions are
in place; elsewhere the kernel's, since nobody will change anything after it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

log = logging.getLogger(__name__)

_UDEVD = Path("/run/udev/control")


class Device(Protocol):
    """What is needed of pyudev.Device."""

    action: str | None
    device_node: str | None


class Monitor(Protocol):
    """What is needed of pyudev.Monitor."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def poll(self, timeout: float | None = None) -> Device | None:
        """Return the next event, None if there is none."""


class Hotplug:
    """The nodes that were added since the last look."""

    def __init__(self, monitor: Monitor | None) -> None:
        """No monitor: nothing is ever seen, and the retries go on without it."""
        self._monitor = monitor

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when something has happened; None without one."""
        return None if self._monitor is None else self._monitor.fileno()

    def added(self) -> list[str]:
        """Return the nodes that have appeared, oldest first; an empty one may be any.

        Whether it is the camera that is waited for is looked up when that is opened, by a thread
        that may wait for sysfs.
        """
        nodes: list[str] = []
        while self._monitor is not None:
            try:
                device = self._monitor.poll(0)
            except OSError as error:  # ENOBUFS: more happened than the socket could hold
                log.info("device events were lost: %s", error.strerror)
                nodes.append("")
                break
            if device is None:
                break
            log.debug("%s of %s", device.action, device.device_node)
            if device.action == "add" and device.device_node:
                nodes.append(device.device_node)
        return nodes


def open_hotplug(udevd: Path = _UDEVD) -> Hotplug:
    """Listen to udevd or the kernel; where neither can be heard, say so once."""
    try:
        import pyudev  # without libudev its import, or its first use, fails

        context = pyudev.Context()
        source = "udev" if udevd.exists() else "kernel"
        monitor = pyudev.Monitor.from_netlink(context, source=source)
        monitor.filter_by("video4linux")
        monitor.start()
    except (ImportError, OSError) as error:
        log.warning(
            "a camera that is plugged in is noticed at the next retry only: %s "
            "(`apt install libudev1`)",
            error,
        )
        return Hotplug(None)
    log.debug("listening to the %s for devices", source)
    return Hotplug(monitor)
