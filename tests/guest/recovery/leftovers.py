"""What lies about in the guest: who has a camera open or mapped, segments, files, processes.

Two counts are compared, before a case and after it, both while frames flow; whatever there is more
of afterwards is left over. Numbers that change by right (a process's id, a node's number) are
replaced by what they stand for.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.guest.machine import JOB_IN_GUEST

_VIDEO_MAJOR = 81  # Documentation/admin-guide/devices.txt: video4linux
_PROC = Path("/proc")
_OURS = re.compile(r"capture_daemon|gunicorn|framebus")
_MODULE = re.compile(r"capture_daemon|web_workers|gunicorn|framebus")
_DEVICE_LOCK = re.compile(r"@\d+-\d+")


def _processes() -> Iterator[Path]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            yield Path(entry.path)


def command_of(process: Path) -> list[str]:
    """Return a process's arguments; empty for a kernel thread or a process that has ended."""
    try:
        return [part.decode() for part in (process / "cmdline").read_bytes().split(b"\0") if part]
    except OSError:
        return []


def _descriptors(process: Path) -> Iterator[int]:
    """Yield the device number of each camera that a process has open, by any of its threads."""
    seen = set()
    for thread in _names(process / "task"):
        folder = process / "task" / thread / "fd"
        for name in _names(folder):
            with contextlib.suppress(OSError):
                status = os.stat(folder / name)
                if stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == _VIDEO_MAJOR:
                    seen.add((name, status.st_rdev))
    for _, rdev in seen:
        yield rdev


def _names(folder: Path) -> list[str]:
    """Return what a folder of /proc holds; nothing once its process has ended."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _mappings(process: Path) -> Iterator[str]:
    """Yield the name of the node of each mapping of a camera."""
    with contextlib.suppress(OSError):
        for line in (process / "maps").read_text().splitlines():
            if "/dev/video" in line:
                yield line.split(maxsplit=5)[5]


def count(
    *, roles: Mapping[int, str], node: Path | None, runtime: Path, segments: Path
) -> Counter[str]:
    """Return how many there are of everything. `roles` names processes by their id."""
    found: Counter[str] = Counter()
    current = os.stat(node).st_rdev if node and node.exists() else 0
    for process in _processes():
        command = command_of(process)
        if not command:
            continue
        who = roles.get(int(process.name)) or _name(command)
        for rdev in _descriptors(process):
            which = "the camera" if rdev == current else "a camera that is gone"
            found[f"descriptor of {which} in {who}"] += 1
        for name in _mappings(process):
            which = "the camera" if node and name == str(node) else "a camera that is gone"
            found[f"mapping of {which} in {who}"] += 1
        if _is_ours(command):
            found[f"process {who}"] += 1
    for path in segments.glob("*framebus*"):
        found[f"segment {path.stem}"] += 1  # without what is random
    for path in runtime.glob("*"):
        found[f"file {_DEVICE_LOCK.sub('@DEVICE', path.name)}"] += 1
    return found


def _is_ours(command: list[str]) -> bool:
    text = " ".join(command)
    return bool(_OURS.search(text)) and "tests.guest" not in text


def ours() -> list[int]:
    """Return the processes of the project that run, without those of the harness.

    Raises RuntimeError outside of the guest: there they may be anybody's.
    """
    if not Path(JOB_IN_GUEST, "start").exists():
        raise RuntimeError("only in the guest is every process of the project the harness's")
    return [int(process.name) for process in _processes() if _is_ours(command_of(process))]


def _name(command: list[str]) -> str:
    """Return what a process is called: the module that Python runs, else the program."""
    for argument in command[1:]:
        if _MODULE.fullmatch(argument.split(".")[0]):
            return argument
    return os.path.basename(command[0])


def left(before: Counter[str], after: Counter[str]) -> list[str]:
    """Return what there is more of than before, in words."""
    return [
        what if number == 1 else f"{number} x {what}"
        for what, number in sorted((after - before).items())
    ]
