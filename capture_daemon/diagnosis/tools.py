"""What the diagnostics thread asks with: all that it needs is imported when it is first asked."""

from __future__ import annotations

from collections.abc import Callable

from capture_daemon.diagnosis.records import DiagnosedDevice, Holders, KernelLog
from capture_daemon.settings.spec import SourceSpec


class Tools:
    """This machine's; another's in tests."""

    def __init__(self, apart_from: Callable[[], SourceSpec | None]) -> None:
        """`apart_from` returns the fallback, whose device may be open here as well."""
        self._apart_from = apart_from

    def device(self, source: SourceSpec | None) -> DiagnosedDevice | None:
        """Return the device of a source, None while there is none."""
        if source is None or source.kind != "v4l2":
            return None  # no other source needs anything of v4l2
        from capture_daemon.diagnosis import diagnosed_device

        other = diagnosed_device.named(self._apart_from())
        found = diagnosed_device.own(apart_from=other.rdev if other else 0)
        return found or diagnosed_device.named(source)

    def holders(self, rdev: int) -> Holders:
        """Return who has a device. Raises OSError where there is no /proc."""
        from capture_daemon.diagnosis.holders import find

        return find(rdev)

    def kernel_log(self, port: str, since_utc_ns: int) -> KernelLog:
        """Return the kernel's lines about a USB port since a time, UTC."""
        from capture_daemon.diagnosis.kernel_log import read

        return read(port, since_utc_ns)
