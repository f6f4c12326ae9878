"""The one source that is open, and its device: locked by us, and known to the keeper.

A device's lock belongs to the time in which it is open, because which device it is may only then
be known ("the camera with this serial number"). Runs in the capture thread, but for the checks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from framebus.errors import CameraHeld, NoPermission, OutOfResources, UsageError
from framebus.names import device_lock

from capture_daemon.ownership.inherited_device import InheritedDevice
from capture_daemon.ownership.keeper_client import KeeperClient
from capture_daemon.ownership.locks import Locks
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import (
    Adoptable,
    Granted,
    Interrupt,
    Request,
    Source,
    SourceError,
    SourceUnusable,
)

log = logging.getLogger(__name__)

Build = Callable[[spec.SourceSpec, Request, Interrupt], Source]


class SourceOwner:
    """At most one source is open and at most one device is locked at a time."""

    def __init__(
        self,
        *,
        locks: Locks,
        runtime: Path,
        keeper: KeeperClient,
        inherited: InheritedDevice | None = None,
        apart_from: Callable[[], spec.SourceSpec | None] = lambda: None,
        build: Build = spec.build,
    ) -> None:
        """Own `inherited`, a device that was handed over: the first `open` may go on with it.

        `apart_from` returns a source whose device these must never open. Any thread.
        """
        self._locks = locks
        self._runtime = runtime
        self._keeper = keeper
        self.supervised = keeper.present
        """Whether somebody keeps the device and starts a successor."""
        self._inherited_device = inherited
        self._apart_from = apart_from
        self._build_source = build
        self._request: CaptureRequest | None = None
        self._spec: spec.SourceSpec | None = None
        self.built: Source | None = None
        """The source that was open last, or was to be; its device may be gone."""
        self._lock: Path | None = None
        self.kept = False
        """A keeper has the open device too: it may be left streaming."""

    def current(self) -> spec.SourceSpec | None:
        """Return what was built last, with what `auto` meant; None before. Any thread."""
        return self._spec

    @property
    def was_handed_over(self) -> bool:
        """Whether a predecessor's open device waits to be gone on with, or closed."""
        return self._inherited_device is not None

    def open(self, request: CaptureRequest, interrupt: Interrupt) -> tuple[str, Source, Granted]:
        """Open the request's source; return its kind, itself, and what it gives.

        Raises SourceError, UsageError; nothing is open then.
        """
        self.close()
        try:
            granted = self._inherited(request, interrupt) or self._opened(request, interrupt)
        except BaseException:
            self.close()
            raise
        if self._spec is None or self.built is None:
            raise ValueError("open: no source was built")
        if isinstance(self.built, Adoptable) and self.supervised:
            self._keeper.keep(self.built.fileno())
            self.kept = True
        return self._spec.kind, self.built, granted

    def close(self) -> None:
        """Let go of the source and its device. Twice is harmless."""
        # The keeper first: a device of which somebody has a copy is not closed by closing ours.
        self._keeper.let_go()
        self.kept = False
        try:
            if self.built is not None:
                self.built.close()
        finally:
            if self._lock is not None:
                self._locks.release(self._lock)
                self._lock = None

    def check(self, request: CaptureRequest) -> None:
        """Raise for a request that cannot be carried out now; opens nothing, changes nothing.

        It may hang where a disk does: for a thread of its own.

        CameraHeld: another daemon has the device. UsageError: the file or the program is missing.
        An unplugged camera or an unreachable server is no error: it is waited for.
        """
        self.check_held(request)
        path = os.path.expanduser(request.spec.argument)  # Path's own raises for no such user
        if request.spec.kind == "file" and not os.access(path, os.R_OK):
            raise UsageError("the source's file is not there, or may not be read")
        if request.spec.kind == "ffmpeg" and shutil.which("ffmpeg") is None:
            raise UsageError("the program ffmpeg is not installed: `apt install ffmpeg`")
        if request.spec.kind == "rpicam":
            from capture_daemon.sources.rpicam.source import PROGRAMS, program

            if not program():
                raise UsageError(f"the program {PROGRAMS[0]} is not installed")

    def check_held(self, request: CaptureRequest) -> None:
        """Raise CameraHeld if another daemon has the device now. `auto` finds out later."""
        lock = self._lock_of(request.spec)
        if lock is not None:
            self._locks.check(lock, f"the device of {request.spec.public}")

    def check_apart(self, wanted: spec.SourceSpec, other: spec.SourceSpec) -> None:
        """Raise UsageError if both are one device, as far as that can be told now."""
        if self._is_same(wanted, other):
            raise UsageError(_same_device(wanted))

    def _is_same(self, wanted: spec.SourceSpec, other: spec.SourceSpec) -> bool:
        lock = self._lock_of(wanted)
        return lock is not None and lock == self._lock_of(other)

    def _inherited(self, request: CaptureRequest, interrupt: Interrupt) -> Granted | None:
        """Go on with what was handed over to us at the start; None when there is any doubt."""
        inherited, self._inherited_device = self._inherited_device, None
        if inherited is None:
            return None
        try:
            inherited.check_request(request)
            source = self._build(request, _device_of(request.spec, inherited.rdev), interrupt)
            if not isinstance(source, Adoptable):
                raise SourceError(
                    "other-request", f"{request.spec.public} cannot go on with a device"
                )
            self._acquire()
            granted = source.adopt(inherited.take(), inherited.last)
            inherited.check_granted(granted)
        except (SourceError, UsageError) as error:
            log.info("the camera that was handed over is opened afresh: %s", error)
            self.close()
            self._unlock(inherited)
            self._request = None
            return None
        finally:
            inherited.close()
        log.info("going on with %s, which was handed over", granted.device)
        return granted

    def _unlock(self, inherited: InheritedDevice) -> None:
        """Remove the dead predecessor's lock file of a device that is not gone on with."""
        with contextlib.suppress(SourceError, CameraHeld, NoPermission, OutOfResources):
            lock = device_lock(self._runtime, inherited.rdev)
            self._locks.acquire(lock, "the device that was handed over", self)
            self._locks.release(lock)

    def _opened(self, request: CaptureRequest, interrupt: Interrupt) -> Granted:
        source = self.built
        if request != self._request or source is None:
            source = self._build(request, spec.resolve(request.spec), interrupt)
        self._acquire()
        return source.open()

    def _build(
        self, request: CaptureRequest, resolved: spec.SourceSpec, interrupt: Interrupt
    ) -> Source:
        self.built = self._build_source(resolved, request.format, interrupt)
        self._spec, self._request = resolved, request
        return self.built

    def _acquire(self) -> None:
        """Lock the device of the source, if it has one. Raises SourceError."""
        lock = self._lock_of(self._spec)
        if lock is None or self._spec is None:
            return
        other = self._apart_from()
        if other is not None and self._is_same(self._spec, other):
            raise SourceUnusable("same-device", _same_device(self._spec))
        try:
            self._locks.acquire(lock, f"the device of {self._spec.public}", self)
        except CameraHeld as error:
            raise SourceError("held", str(error), remedy="end the other daemon") from error
        except NoPermission as error:
            raise SourceError("no-permission", str(error)) from error
        except OutOfResources as error:
            raise SourceError("no-descriptors", str(error)) from error
        self._lock = lock

    def _lock_of(self, resolved: spec.SourceSpec | None) -> Path | None:
        """Return the lock file of the device, None if it has none, or is not there now."""
        if resolved is None or resolved.kind != "v4l2":
            return None
        from capture_daemon.v4l2.discovery import rdev  # other sources need nothing of v4l2

        try:
            return device_lock(self._runtime, rdev(resolved.argument))
        except SourceError:
            return None  # not plugged in: opening it will say so


def _same_device(fallback: spec.SourceSpec) -> str:
    return f"the fallback {fallback.public} is the camera itself: name another source"


def _device_of(wanted: spec.SourceSpec, rdev: int) -> spec.SourceSpec:
    """Return the v4l2 source of device `rdev`, if that is what is wanted. Raises SourceError."""
    from capture_daemon.v4l2 import discovery  # other sources need nothing of v4l2

    if wanted.kind == "auto":
        return spec.chosen(discovery.stable_name(rdev))
    if wanted.kind != "v4l2" or discovery.rdev(wanted.argument) != rdev:
        raise SourceError("other-request", f"{wanted.public} is another device")
    return wanted
