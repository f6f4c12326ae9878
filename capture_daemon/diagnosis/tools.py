"""What the diagnostics thread asks with: this machine's, imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capture_daemon.diagnosis.records import DiagnosedDevice, Holders, KernelLog
from capture_daemon.settings.spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Tools:
    """What the thread asks; others in tests. `holders` raises OSError where there is no /proc."""

    device: Callable[[SourceSpec | None], DiagnosedDevice | None]
    """The device of a source, None while there is none."""
    holders: Callable[[int], Holders]
    kernel_log: Callable[[str, int], KernelLog]
    """Lines about a USB port since a time, UTC."""


def local_tools(apart_from: Callable[[], SourceSpec | None]) -> Tools:
    """Return those that ask this machine. What they need is imported when they are first asked.

    `apart_from` returns the fallback, whose device may be open here as well.
    """

    def device(source: SourceSpec | None) -> DiagnosedDevice | None:
        if source is None or source.kind != "v4l2":
            return None  # no other source needs anything of v4l2
        from capture_daemon.diagnosis import diagnosed_device

        other = diagnosed_device.named(apart_from())
        return diagnosed_device.own(
            apart_from=other.rdev if other else 0
        ) or diagnosed_device.named(source)

    def who_has(rdev: int) -> Holders:
        from capture_daemon.diagnosis.holders import find

        return find(rdev)

    def kernel_log(port: str, since_utc_ns: int) -> KernelLog:
        from capture_daemon.diagnosis.kernel_log import read

        return read(port, since_utc_ns)

    return Tools(device, who_has, kernel_log)
