"""A machine for the doctor that is made of files: nothing of the real one is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from framebus.errors import CameraAbsent
from framebus.installation import PACKAGES
from framebus.names import CameraNames

from capture_daemon.diagnosis.finding import Finding, Level
from capture_daemon.diagnosis.machine import Machine, User
from capture_daemon.diagnosis.programs import Ran
from capture_daemon.diagnosis.records import Holder, Holders, KernelLog, Line

UTC = 1_795_387_146_000_000_000


@dataclass
class Bench:
    """Change a part, then take `machine()`."""

    root: Path
    versions: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(PACKAGES.values(), "1.0")
    )
    slow: str = ""
    """Why there is no fast path."""
    ran: dict[str, Ran] = field(default_factory=dict)
    """What a program says, by a word of its command line; none is there otherwise."""
    replies: dict[str, object] = field(default_factory=dict)
    """What daemons say, by method."""
    alive: set[Path] = field(default_factory=set)
    """Lock files that somebody holds."""
    holders: tuple[Holder, ...] = ()
    unseen: int = 0
    lines: tuple[Line, ...] = ()
    log_notes: tuple[str, ...] = ()
    may_open: bool = True
    groups: frozenset[int] = frozenset()
    listed: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for folder in ("proc", "sys/module/uvcvideo", "dev", "shm", "run", "state"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "proc/devices").write_text("Character devices:\n 81 video4linux\n")

    @property
    def runtime(self) -> Path:
        return self.root / "run"

    def plug(self, number: int = 0, port: str = "1-1", name: str = "Webcam") -> Path:
        """Add a USB camera; return its node."""
        device = self.root / "sys/bus/usb/devices" / port
        interface = device / f"{port}:1.0"
        interface.mkdir(parents=True)
        for key, text in {"idVendor": "046d", "idProduct": "0825", "serial": f"S{number}"}.items():
            (device / key).write_text(text)
        (device / "speed").write_text("480\n")
        folder = self.root / f"sys/class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "index").write_text("0")
        (folder / "name").write_text(name)
        (folder / "device").symlink_to(interface)
        node = self.root / f"dev/video{number}"
        node.touch()
        return node

    def machine(self, **more: Any) -> Machine:
        """Return it as the doctor sees it."""
        made = Machine(
            runtime=self.runtime,
            state=self.root / "state",
            sys=self.root / "sys",
            proc=self.root / "proc",
            dev=self.root / "dev",
            shared_memory=self.root / "shm",
            system_runtime=self.root / "run",
            system_state=self.root / "system-state",
            modules=self.root / "modules",
            user=User("ada", self.groups, self.listed),
            now_utc_ns=UTC,
            version=self.versions.get,
            fast_path=lambda: self.slow,
            run=self._run,
            ask=self._ask,
            lock_holder=lambda path: 4711 if path in self.alive else 0,
            holders=lambda rdev, daemons: Holders(self.holders, self.unseen),
            kernel_log=lambda port, since_ns: KernelLog(self.lines, self.log_notes),
            access=lambda path, mode: self.may_open,
        )
        return replace(made, **more)

    def serve(self, camera: str = "camera", **status: object) -> None:
        """Have a daemon run that tells this status."""
        lock = CameraNames(self.runtime, camera).lock
        lock.touch()
        self.alive.add(lock)
        self.replies["status"] = {"source": {"spec": "test", "kind": "test"}, **status}

    def _run(self, arguments: Sequence[str]) -> Ran | None:
        return next((ran for word, ran in self.ran.items() if word in arguments), None)

    def _ask(
        self, names: CameraNames, method: str, params: Mapping[str, object] | None = None
    ) -> object:
        reply = self.replies.get(method)
        if isinstance(reply, Exception):
            raise reply
        if reply is None or names.lock not in self.alive:
            raise CameraAbsent(f"no daemon serves camera {names.camera!r}")
        return reply


def wrongs(findings: Iterable[Finding]) -> list[Finding]:
    """Those that somebody must mend."""
    return [each for each in findings if each.level is Level.WRONG]


def only_wrong(findings: Iterable[Finding]) -> Finding:
    """The one that is wrong."""
    (found,) = wrongs(findings)
    return found


def a_holder(**more: Any) -> Holder:
    """Another program that has a camera."""
    holder = Holder(4712, "cheese", "ada", UTC, "session-3.scope", ("descriptor",), False)
    return replace(holder, **more)
