"""Who has a device open or mapped, found by its device number in /proc. Opens no device.

A descriptor shows under /proc/PID/task/TID/fd, and for a process whose leading thread has ended
only there: /proc/PID/fd of such a "zombie" is empty. A mapping keeps a device open without any
descriptor (an mmap that nobody unmapped), and shows in maps only. The kernel refuses both for other
users' processes to all but root: those are counted, so that "nobody" is never said for certain when
it is not.

It may block for long where another process hangs in the kernel.
"""

from __future__ import annotations

import os
import re
import stat as stat_
from collections.abc import Iterator
from pathlib import Path

from capture_daemon.diagnosis import processes
from capture_daemon.diagnosis.records import SEE_ALL, Holder, Holders

_MAPPED = re.compile(rb"^(\S+) \S+ \S+ (\S+ [1-9]\d*) +(/.*)$", re.MULTILINE)
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_HIDEPID = re.compile(r"^proc \S+ proc \S*hidepid=(?:[124]|noaccess|invisible|ptraceable)", re.M)


def find(
    rdev: int, *, proc: Path = Path("/proc"), daemons: frozenset[int] = frozenset()
) -> Holders:
    """Return who has the character device with this st_rdev, the calling process included.

    `daemons` are the pids that hold framebus's lock files.
    """
    scan = _Scan(proc, rdev, daemons)
    found, unseen = [], 0
    for entry in os.listdir(proc):
        if not entry.isdecimal():
            continue
        try:
            holder = scan.process(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except OSError:  # it is another user's, or no descriptor is left to look with
            unseen += 1
        else:
            if holder is not None:
                found.append(holder)
    return Holders(tuple(sorted(found, key=lambda each: each.pid)), unseen, tuple(_blind(proc)))


class _Scan:
    """One pass over all processes."""

    def __init__(self, proc: Path, rdev: int, daemons: frozenset[int]) -> None:
        self._proc = str(proc)
        self._rdev = rdev
        self._daemons = daemons
        self._booted_utc_ns = processes.boot_utc_ns(proc)
        self._files: dict[bytes, bool] = {}
        """Mapped files by file system and inode, and whether they are the device: most processes
        map the same libraries."""

    def process(self, pid: int) -> Holder | None:
        """Return the process as a holder, None if it is none. Raises OSError if it has ended."""
        folder = f"{self._proc}/{pid}"
        leader = processes.stat(folder)
        if leader.kernel:
            return None
        dead = leader.state in "ZX"
        living = self._living_threads(pid) if dead else [pid]
        how = []
        # A thread may have a table of descriptors of its own.
        tables = [f"{folder}/task/{tid}/fd" for tid in os.listdir(f"{folder}/task")]
        if any(map(self._has_descriptor, tables)):
            how.append("descriptor")
        # All threads share one memory; a dead leader has given its share back.
        if living and self._has_mapping(living[0]):
            how.append("mapping")
        if not how:
            return None
        if dead:
            how.append("dead-leader")
        args = processes.arguments(f"{self._proc}/{living[0]}")
        return Holder(
            pid=pid,
            command=processes.command(args, leader.name),
            user=processes.user(folder),
            since_utc_ns=processes.started_utc_ns(leader, self._booted_utc_ns),
            unit=processes.unit(folder),
            how=tuple(how),
            ours=pid in self._daemons or is_capture_daemon(args),
        )

    def _living_threads(self, pid: int) -> list[int]:
        living = []
        for tid in os.listdir(f"{self._proc}/{pid}/task"):
            try:
                if processes.stat(f"{self._proc}/{pid}/task/{tid}").state not in "ZX":
                    living.append(int(tid))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return living

    def _has_descriptor(self, folder: str) -> bool:
        try:
            table = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError):
            return False
        try:
            return any(self._is_device_at(name, table) for name in os.listdir(table))
        finally:
            os.close(table)

    def _is_device_at(self, name: str, folder: int | None = None) -> bool:
        try:
            found = os.stat(name, dir_fd=folder)
        except PermissionError:
            raise
        except OSError:  # closed meanwhile, or on a network share that is gone
            return False
        return stat_.S_ISCHR(found.st_mode) and found.st_rdev == self._rdev

    def _has_mapping(self, tid: int) -> bool:
        with open(f"{self._proc}/{tid}/maps", "rb") as file:
            text = file.read()
        for span, inode, path in _MAPPED.findall(text):
            if inode not in self._files:
                self._files[inode] = self._look_at_mapping(tid, span.decode(), path)
            if self._files[inode]:
                return True
        return False

    def _look_at_mapping(self, tid: int, span: str, path: bytes) -> bool:
        # Root may follow the mapping itself, which finds a node that has been deleted, too.
        first, _, last = span.partition("-")
        mapping = f"{self._proc}/{tid}/map_files/{int(first, 16):x}-{int(last, 16):x}"
        try:
            return self._is_device_at(mapping)
        except PermissionError:
            return self._is_device_at(f"{self._proc}/{tid}/root{os.fsdecode(path)}")


def is_capture_daemon(args: list[str]) -> bool:
    """Whether a command line is that of a capture daemon, or of `framebus up`, which keeps a copy
    of the device for its daemon's successor.
    """
    names = [os.path.basename(arg) for arg in args[:3]]
    if "framebus" in names[:2]:
        return not {"capture", "up"}.isdisjoint(args[1:3])
    return args[1:3] == ["-m", "capture_daemon"]


def _blind(proc: Path) -> Iterator[str]:
    """Yield why whole processes may be hidden from this one."""
    try:
        if (proc / "self/ns/pid").stat().st_ino != _INITIAL_PID_NAMESPACE:
            yield "this is a container: processes outside of it do not show here"
    except OSError:
        yield f"{proc} does not say whether this is a container"
    try:
        hidden = _HIDEPID.search((proc / "self/mounts").read_text(errors="replace"))
    except OSError:
        hidden = None
    if hidden and os.geteuid() != 0:
        yield f"{proc} hides other users' processes (hidepid): `{SEE_ALL}` sees all"
