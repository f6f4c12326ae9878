"""Builds sources, and holds the lock of the device that one of them opens.

A device's lock belongs to the time in which it is open, because which device it is may only then
be known ("the camera with this serial number"). Runs in the capture thread, but for the checks.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from framebus.errors import CameraHeld, NoPermission, UsageError
from framebus.names import device_lock

from capture_daemon.locks import Locks
from capture_daemon.plan import Plan
from capture_daemon.sources import spec
from capture_daemon.sources.base import Interrupt, Source, SourceError


class ExclusiveSources:
    """At most one source is built and at most one device is locked at a time."""

    def __init__(self, *, locks: Locks, runtime: Path) -> None:
        self._locks = locks
        self._runtime = runtime
        self._spec: spec.SourceSpec | None = None
        self._lock: Path | None = None

    def build(self, plan: Plan, interrupt: Interrupt) -> tuple[str, Source]:
        """Make the plan's source, closed; return its kind too. Raises SourceError, UsageError."""
        self._spec = spec.resolve(plan.spec)
        return self._spec.kind, spec.build(self._spec, plan.request, interrupt)

    def current(self) -> spec.SourceSpec | None:
        """Return what was built last, with what `auto` meant; None before. Any thread."""
        return self._spec

    def acquire(self) -> None:
        """Lock the device of the source built last, if it has one. Raises SourceError."""
        self.release()
        lock = self._lock_of(self._spec)
        if lock is None or self._spec is None:
            return
        try:
            self._locks.acquire(lock, f"the device of {self._spec.text}")
        except CameraHeld as error:
            raise SourceError("held", str(error), remedy="end the other daemon") from error
        except NoPermission as error:
            raise SourceError("no-permission", str(error)) from error
        self._lock = lock

    def release(self) -> None:
        """Let the device's lock go; harmless when there is none."""
        if self._lock is not None:
            self._locks.release(self._lock)
            self._lock = None

    def check(self, plan: Plan) -> None:
        """Raise for a plan that cannot be carried out now; opens nothing, changes nothing.

        CameraHeld: another daemon has the device. UsageError: the file or the program is missing.
        An unplugged camera or an unreachable server is no error: it is waited for.
        """
        self.check_held(plan)
        path = Path(plan.spec.argument)
        if plan.spec.kind == "file" and not os.access(path, os.R_OK):
            raise UsageError(f"{path} is not there, or may not be read")
        if plan.spec.kind == "ffmpeg" and shutil.which("ffmpeg") is None:
            raise UsageError("the program ffmpeg is not installed: `apt install ffmpeg`")

    def check_held(self, plan: Plan) -> None:
        """Raise CameraHeld if another daemon has the plan's device now. `auto` finds out later."""
        lock = self._lock_of(plan.spec)
        if lock is not None:
            self._locks.check(lock, f"the device of {plan.spec.text}")

    def _lock_of(self, resolved: spec.SourceSpec | None) -> Path | None:
        """Return the lock file of the device, None if it has none, or is not there now."""
        if resolved is None or resolved.kind != "v4l2":
            return None
        from capture_daemon.v4l2.discovery import rdev  # other sources need nothing of v4l2

        try:
            return device_lock(self._runtime, rdev(resolved.argument))
        except SourceError:
            return None  # not plugged in: opening it will say so
