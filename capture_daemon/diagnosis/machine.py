"""The machine as the doctor sees it: where to look, and whom to ask. Another one in tests.

Everything is read when it is asked for, nothing is kept, and nothing here opens a camera.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framebus.contract import status_document
from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.json_parts import object_at
from framebus.liveness import holder
from framebus.names import SHARED_MEMORY, CameraNames, runtime_dir, state_dir
from framebus.names import cameras as known_cameras
from framebus.native_library import Unavailable

from capture_daemon.diagnosis import holders, kernel_log
from capture_daemon.diagnosis.programs import Ran, run
from capture_daemon.diagnosis.records import Holders, KernelLog
from capture_daemon.native import library
from capture_daemon.v4l2.cameras import Camera, CameraPaths, cameras


def ask(names: CameraNames, method: str, params: Mapping[str, object] | None = None) -> object:
    """Make one control call. Raises FramebusError."""
    with ControlClient(names, timeout_s=2.0) as client:
        return client.call(method, params)


def version(distribution: str) -> str | None:
    """Return the installed version of a Python package, None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def fast_path() -> str:
    """Return why frames cannot take the fast path here; empty if they can."""
    try:
        library.load()
    except Unavailable as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    groups: frozenset[int]
    """Those of this process."""
    listed: frozenset[int]
    """Those that a new login would bring."""


def this_user() -> User:
    """Return the user of this process."""
    groups = frozenset({*os.getgroups(), os.getegid()})
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return User(str(os.getuid()), groups, groups)
    return User(entry.pw_name, groups, frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid)))


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look and whom to ask."""

    runtime: Path = field(default_factory=runtime_dir)
    state: Path = field(default_factory=state_dir)
    name: str | None = None
    """The camera that a person asked about; None: all that are known."""
    device: str | None = None
    """The node of the device that a person asked about; None: all."""
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    shared_memory: Path = SHARED_MEMORY
    system_runtime: Path = Path("/run/framebus")
    system_state: Path = Path("/var/lib/framebus")
    modules: Path = field(default_factory=lambda: Path("/lib/modules") / os.uname().release)
    user: User = field(default_factory=this_user)
    now_utc_ns: int = field(default_factory=time.time_ns)
    version: Callable[[str], str | None] = version
    fast_path: Callable[[], str] = fast_path
    run: Callable[[Sequence[str]], Ran | None] = run
    ask: Callable[..., object] = ask
    lock_holder: Callable[[Path], int] = holder
    holders: Callable[[int, frozenset[int]], Holders] = field(
        default=lambda rdev, daemons: holders.find(rdev, daemons=daemons)
    )
    kernel_log: Callable[[str, int], KernelLog] = kernel_log.read
    access: Callable[[str, int], bool] = os.access

    @property
    def paths(self) -> CameraPaths:
        """Where cameras are looked for."""
        return CameraPaths(sys=self.sys, dev=self.dev)

    def cameras(self) -> list[Camera]:
        """Return the cameras that are meant. Opens none."""
        return [
            camera
            for camera in cameras(self.paths)
            if camera.captures and self.device in (None, camera.node)
        ]

    def names(self) -> Sequence[str]:
        """Return the names of the cameras that are meant, with a daemon or without."""
        return [self.name] if self.name else known_cameras(self.runtime)

    def status(self, camera: str) -> Mapping[str, object] | FramebusError:
        """Return a daemon's status, or why it gave none."""
        try:
            told = self.ask(CameraNames(self.runtime, camera), "status")
        except FramebusError as error:
            return error
        return status_document.cleaned(told)

    def wants_camera(self) -> bool:
        """Whether a camera of this machine is wanted: not if all daemons serve something else."""
        if self.device is not None:
            return True
        kinds = [object_at(self.status(name), "source").get("kind", "") for name in self.names()]
        return not kinds or any(kind in ("v4l2", "auto", "") for kind in kinds)
