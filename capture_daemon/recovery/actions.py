"""Carries out the device-level rungs on a USB port, where this process has the permission.

The daemon uses it for what it may do itself, the privileged helper for the rest. Only the standard
library; no budget and no choice here. None of it may be done while this process has the device
open: the driver would not find its streaming interface again, and the camera would come back under
another number.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from framebus.contract.words import Rung

from capture_daemon.devices.sysfs import UsbPort

USBDEVFS_RESET = 0x5514
"""_IO('U', 20) of linux/usbdevice_fs.h."""
_CALL = struct.Struct("iiP")
"""struct usbdevfs_ioctl: the interface's number, the call, its argument."""
USBDEVFS_IOCTL = 0xC0005512 | _CALL.size << 16
"""_IOWR('U', 18, struct usbdevfs_ioctl)."""
USBDEVFS_CONNECT = 0x5517
"""_IO('U', 23): have a driver bound to the interface. Without one that takes it, 0 all the same."""
OFF_S = 1.0
"""How long a device stays deauthorised."""
_POWER_OFF_S = 2
_POWER_LIMIT_S = 15.0

Pause = Callable[[float], object]
Reset = Callable[[int], object]
Connect = Callable[[int, int], object]


class RungFailed(Exception):
    """The rung could not be carried out; the message says why."""


def _reset(descriptor: int) -> None:
    fcntl.ioctl(descriptor, USBDEVFS_RESET)


def _connect(descriptor: int, interface: int) -> None:
    fcntl.ioctl(descriptor, USBDEVFS_IOCTL, _CALL.pack(interface, USBDEVFS_CONNECT, 0))


class PortActions:
    """Bind, rebind, USB reset, reauthorise and power cycle."""

    def __init__(
        self, *, pause: Pause = time.sleep, reset: Reset = _reset, connect: Connect = _connect
    ) -> None:
        """Take how to wait, and how a descriptor's USB device is reset, and how a driver is bound
        to its interface of a number; others in tests.
        """
        self._pause = pause
        self._reset = reset
        self._connect = connect
        self._carriers: Mapping[Rung, Callable[[UsbPort], str]] = {
            Rung.BIND: self._bind,
            Rung.REBIND: self._rebind,
            Rung.USB_RESET: self._usb_reset,
            Rung.REAUTHORIZE: self._reauthorize,
            Rung.PORT_POWER: self._power_cycle,
        }

    def needs(self, rung: Rung, port: UsbPort) -> Path:
        """Return the file that must be writable for `rung`."""
        match rung:
            case Rung.REBIND:
                return port.paths.driver / "bind"
            case Rung.BIND | Rung.USB_RESET:
                return port.node
            case Rung.REAUTHORIZE:
                return port.folder / "authorized"
            case Rung.PORT_POWER:
                return port.hub_node
            case _:
                raise ValueError(f"{rung.value} is not about a port")

    def permitted(self, rung: Rung, port: UsbPort) -> bool:
        """Tell whether this process may carry `rung` out."""
        return os.access(self.needs(rung, port), os.W_OK)

    def carry_out(self, rung: Rung, port: UsbPort) -> str:
        """Carry `rung` out; return what was done. Raises RungFailed."""
        try:
            return self._carriers[rung](port)
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            raise RungFailed(f"{rung.value} of {port.name}:{where} {error.strerror}") from error

    def _bind(self, port: UsbPort) -> str:
        descriptor = os.open(port.node, os.O_RDWR | os.O_CLOEXEC)
        try:
            for interface in port.undriven():
                self._connect(descriptor, int(interface.name.rpartition(".")[2]))
        finally:
            os.close(descriptor)
        if left := port.undriven():
            raise RungFailed(f"uvcvideo does not take {', '.join(each.name for each in left)}")
        return f"uvcvideo bound to {port.name}"

    def _rebind(self, port: UsbPort) -> str:
        interfaces = port.control_interfaces()
        if not interfaces:
            raise RungFailed(f"{port.name} has no video control interface")
        driver = port.paths.driver
        for interface in interfaces:
            if (interface / "driver").exists():
                _write(driver / "unbind", interface.name)
            _write(driver / "bind", interface.name)
        return f"uvcvideo bound to {', '.join(each.name for each in interfaces)} again"

    def _usb_reset(self, port: UsbPort) -> str:
        descriptor = os.open(port.node, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._reset(descriptor)
        finally:
            os.close(descriptor)
        return f"{port.name} was reset"

    def _reauthorize(self, port: UsbPort) -> str:
        switch = port.folder / "authorized"
        try:
            _write(switch, "0")
            self._pause(OFF_S)
        finally:
            # Whatever happens: nobody else would switch it on again.
            _write(switch, "1")
        return f"{port.name} was deauthorised and authorised again"

    def _power_cycle(self, port: UsbPort) -> str:
        import subprocess  # seldom needed, and slow to import in a daemon that starts

        program = uhubctl()
        if program is None:
            raise RungFailed("the program uhubctl is not installed")
        command = [program, "--location", port.hub, "--ports", port.number]
        command += ["--action", "cycle", "--delay", str(_POWER_OFF_S)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_POWER_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RungFailed(f"uhubctl did not end within {_POWER_LIMIT_S:.0f} s") from error
        if done.returncode:
            raise RungFailed(f"uhubctl: {(done.stderr or done.stdout).strip()[-200:]}")
        return f"the power of {port.name} was off for {_POWER_OFF_S} s"


def uhubctl() -> str | None:
    """Return the path of the program that switches ports, None if it is not installed."""
    return shutil.which("uhubctl") or shutil.which("uhubctl", path="/usr/sbin:/sbin")


def _write(path: Path, text: str) -> None:
    # No O_CREAT: sysfs has the file, or there is nothing to do.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)
