"""Tells when a video device appears, through pyudev. For the main thread; nothing there blocks.

Importing pyudev takes a tenth of a second and more, so that is left to a short-lived thread, and to
a time when a starting daemon has its camera.
Where udevd runs its own announcement is waited for, which comes after the links and permissions are
in place; elsewhere the kernel's, since nobody will change anything after it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from framebus import installation
from framebus.errors import SHORTAGES

log = logging.getLogger(__name__)

START_S = 1.0
_END_S = 0.5
"""How long an end waits for the thread: an import from a disk that hangs takes for ever."""
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
    """The nodes that were added since the last look; without a monitor, none ever."""

    def __init__(
        self, open_monitor: Callable[[], Monitor | None], *, after_s: float = START_S
    ) -> None:
        self._open_monitor = open_monitor
        self._after_s = after_s
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._monitor: Monitor | None = None

    def start(self, post: Callable[[Monitor | None], None]) -> None:
        """Open the monitor in a while, in a thread that ends with posting it to the main one.

        None where no events can be heard.
        """
        self._thread = threading.Thread(
            target=self._open, args=(post,), name="hotplug", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread. One that hangs in an import is left behind, and may post afterwards."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def use(self, monitor: Monitor | None) -> int | None:
        """Listen to `monitor`; return a descriptor that is readable when something has happened."""
        self._monitor = monitor
        return None if monitor is None else monitor.fileno()

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

    def _open(self, post: Callable[[Monitor | None], None]) -> None:
        if self._ending.wait(self._after_s):
            return
        monitor = self._open_monitor()
        if not self._ending.is_set():
            post(monitor)


def open_monitor(udevd: Path = _UDEVD) -> Monitor | None:
    """Listen to udevd or the kernel; where neither can be heard, say so and return None."""
    try:
        import pyudev  # without libudev its import, or its first use, fails

        context = pyudev.Context()
        source = "udev" if udevd.exists() else "kernel"
        monitor = pyudev.Monitor.from_netlink(context, source=source)
        monitor.filter_by("video4linux")
        monitor.start()
    except (ImportError, OSError) as error:
        log.warning(
            "a camera that is plugged in is noticed at the next retry only: %s (%s)",
            error,
            _remedy(error),
        )
        return None
    log.debug("listening to the %s for devices", source)
    opened: Monitor = monitor
    return opened


def _remedy(error: ImportError | OSError) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"`{installation.install('pyudev')}`"
    return SHORTAGES.get(getattr(error, "errno", None) or 0, "`apt install libudev1`")
