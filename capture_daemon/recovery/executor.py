"""Carries out the rungs that need the device closed, and says which cannot be used and why.

The capture thread calls it. A device-level rung is done by this process where it has the
permission, else by the privileged helper, else not at all. The camera's port is remembered from
when its device was last seen: it may have vanished from /dev by the time it is needed. Where it was
not seen yet (a daemon starts while its camera is deauthorised), or has left its port, the port is
that of the device which the source's name fits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.devices.sysfs import SystemPaths, UsbPort, port_of
from capture_daemon.recovery.actions import PortActions, RungFailed, uhubctl
from capture_daemon.recovery.holding import Holding
from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.sources.base import Interrupt, RemembersRefusals, Source, SourceError

BACK_S = 5.0
"""How long the device's node may take to come back, with udev's permissions on it."""
_LOOK_S = 0.05

_SETTLES_S = 0.5
"""After so long a device without a driver is one that refused it."""

_GRANTS = {
    Rung.BIND: "install deploy/udev/71-framebus-reset.rules, or enable framebus-privileged.socket",
    Rung.REBIND: "enable framebus-privileged.socket",
    Rung.USB_RESET: "install deploy/udev/71-framebus-reset.rules, or enable "
    "framebus-privileged.socket",
    Rung.REAUTHORIZE: "enable framebus-privileged.socket",
    Rung.PORT_POWER: "enable framebus-privileged.socket with --power-port for this port",
}
"""What gives the permission; docs/operations.md says how."""


class Helper(Protocol):
    """What is needed of privileged.client.PrivilegedClient."""

    def usable(self) -> bool:
        """Tell whether there is a helper that this process may ask."""

    def carry_out(self, rung: Rung, port: str) -> str:
        """Let the helper carry out `rung`; return what it did. Raises RungFailed."""


class Executor:
    """The rungs of one camera."""

    def __init__(
        self,
        *,
        actions: PortActions,
        helper: Helper,
        holding: Holding,
        end_holders: bool,
        power_ports: Collection[str],
        paths: SystemPaths | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`end_holders` and `power_ports` are what a person has allowed."""
        self._actions = actions
        self._helper = helper
        self._holding = holding
        self._end_holders = end_holders
        self._power_ports = power_ports
        self._paths = paths or SystemPaths()
        self._clock = clock
        self._source: Source | None = None
        self._rdev = 0
        self._port: UsbPort | None = None
        self._identity = ""

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:
        """Look at the device of a source, open or not; return the rungs that it cannot have now."""
        if source is not None:
            self._remember(source)
        return tuple(self._unavailable())

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        """Carry a rung out; nothing of the device is open in this process."""
        match rung:
            case Rung.WAIT_FOR_HOLDER | Rung.GIVE_UP:
                return self._holding.wait(self._rdev, limit_s, interrupt)
            case Rung.END_HOLDER:
                return self._holding.end(self._rdev, interrupt)
            case _:
                return self._run_on_device(rung, interrupt)

    def _run_on_device(self, rung: Rung, interrupt: Interrupt) -> Outcome:
        port, objection = self._port, self._objection(rung)
        if objection or port is None:
            reason, remedy = objection or ("there is no USB port", "")
            return Outcome(Result.UNAVAILABLE, reason, remedy)
        try:
            if self._actions.permitted(rung, port):
                note = self._actions.carry_out(rung, port)
            else:
                note = self._helper.carry_out(rung, port.name)
        except RungFailed as error:
            result = Result.NOTHING if rung is Rung.BIND else Result.UNAVAILABLE
            return Outcome(result, str(error), _GRANTS[rung])
        # The source stays the same: it knows which camera a mere number, or `auto`, has meant.
        if isinstance(self._source, RemembersRefusals):
            self._source.forget_refusals()
        if not self._is_back(interrupt):
            return Outcome(Result.NOTHING, f"{note}; its node is not back")
        return Outcome(Result.DONE, note)

    def _remember(self, source: Source) -> None:
        if _name(source) != _name(self._source):
            self._rdev, self._port, self._identity = 0, None, ""
        self._source = source
        rdev = _rdev(source)
        if rdev:
            self._rdev = rdev
            port = port_of(rdev, self._paths)
        elif self._port is None or self._port.identity() != self._identity:
            port = getattr(source, "port", None)  # that its name tells
        else:
            port = None
        if port is not None:
            self._port, self._identity = port, port.identity()

    def _is_back(self, interrupt: Interrupt) -> bool:
        """Wait for the device under its stable name, and for udev to let us open it."""
        source, port = self._source, self._port
        began = self._clock()
        while source is not None and (waited_s := self._clock() - began) < BACK_S:
            if _openable(source):
                return True
            if waited_s > _SETTLES_S and port is not None and port.undriven():
                return False
            if interrupt.wait(_LOOK_S):
                return False
        return False

    def _unavailable(self) -> Iterator[Unavailable]:
        if not self._end_holders:
            reason = "ending another process must be allowed by a person"
            yield Unavailable(Rung.END_HOLDER, reason, "end_holder = true (--end-holder)")
        for rung in sorted(DEVICE_LEVEL, key=lambda each: each.number):
            if objection := self._objection(rung):
                yield Unavailable(rung, *objection)

    def _objection(self, rung: Rung) -> tuple[str, str] | None:
        """Return why `rung` cannot be used now and what would help, None if it can."""
        port = self._port
        if port is None:
            return "there is no USB camera", ""
        if driver := port.other_driver():
            return f"{port.name} is in use through the driver {driver}", ""
        if rung is Rung.PORT_POWER:
            if port.name not in self._power_ports:
                reason = f"switching the power of {port.name} must be allowed by a person"
                return reason, f'power_ports = ["{port.name}"] (--power-ports)'
        else:
            if not port.occupied():
                return f"nothing is plugged into {port.name}", "plug the camera in"
            if port.identity() != self._identity:
                return f"{port.identity()} is plugged into {port.name} now", ""
            if rung is not Rung.REAUTHORIZE and not port.authorized():
                return f"{port.name} is deauthorised", ""
            if rung is Rung.BIND and not port.undriven():
                return f"{port.name} has its driver", ""
        if not self._actions.permitted(rung, port) and not self._helper.usable():
            return f"{self._actions.needs(rung, port)} may not be written", _GRANTS[rung]
        if rung is Rung.PORT_POWER and not self._helper.usable() and uhubctl() is None:
            return "the program uhubctl is not installed", "apt install uhubctl"
        return None


def _name(source: Source | None) -> str:
    """Return what a source is called that has a device: another one of that name may follow it."""
    return str(getattr(source, "name", "")) or f"number {id(source)}"


def _rdev(source: Source) -> int:
    """Return the device number of a source that has a device there now, else 0."""
    try:
        return int(getattr(source, "rdev", 0))
    except (SourceError, OSError):
        return 0


def _openable(source: Source) -> bool:
    try:
        return os.access(str(getattr(source, "node", "")), os.R_OK | os.W_OK)
    except (SourceError, OSError):
        return False
