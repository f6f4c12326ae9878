"""How large a ring is to be whose size nobody asked for: what room there is, and who shares it.

Daemons start together and know of each other only how many cameras are configured. So each takes
the same share of what all rings can have, whoever is first; and half of that, so that the ring of a
daemon's successor has room beside its own (docs/ring.md). What nobody has told of (daemons started
by hand) leaves as much as it takes for those to come.

`asked` and `shared` are pure; `Room.look` looks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from framebus.names import SHARED_MEMORY, CameraNames
from framebus.ring import leftovers
from framebus.ring.layout import DEFAULT_CAPACITY, LARGEST_FRAME_SHARE, SMALLEST_CAPACITY, Geometry

_MIB = 1 << 20
_BLOCK = 512  # bytes; what st_blocks counts, stat(2)
_GROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60
"""So many bytes or more are no limit: version 1 of control groups has a number for none."""
_MEMORY_SHARE = 2
"""Rings of a control group, successors beside them, have half of its memory at most."""
_MORE = f"give {SHARED_MEMORY} more (a container: --shm-size), or set --ring-size"
_MODEST_MAX = 4 * _MIB
_MODEST_MIN = _MIB // 4


@dataclass(frozen=True, slots=True)
class Room:
    """What there is in shared memory, bytes."""

    free: int
    rings: int
    """What rings have there: of all cameras and runtime directories, dead daemons' too."""
    left: int
    """What of that is this camera's dead daemons': gone as soon as the new ring is told of."""
    memory: int | None = None
    """What this process's control group may have; None for no limit."""

    @classmethod
    def look(cls, names: CameraNames, folder: Path = SHARED_MEMORY) -> Room:
        """Return what there is now for a ring of this camera, whose lock the caller holds."""
        whole = os.statvfs(folder)
        rings = (folder / name for name in os.listdir(folder) if name.startswith("framebus-"))
        left = leftovers.segments(names, os.geteuid(), directory=folder)
        return cls(
            free=whole.f_bavail * whole.f_frsize if whole.f_blocks else _UNLIMITED,
            rings=sum(map(_bytes, rings)),
            left=sum(map(_bytes, left)),
            memory=memory_limit(),
        )


def modest(frame: tuple[int, int] | None) -> int:
    """Return the bytes of an arena for four frames of `frame` pixels, of half a byte a pixel.

    A camera's MJPEG has a sixth to a third of a byte a pixel. An unknown size is taken for a large
    one.
    """
    if frame is None:
        return _MODEST_MAX
    wanted = LARGEST_FRAME_SHARE * frame[0] * frame[1] // 2
    return min(max(1 << (wanted - 1).bit_length(), _MODEST_MIN), _MODEST_MAX)


def least(frame: tuple[int, int] | None) -> int:
    """Return the bytes of the smallest arena that is tried: frames of an eighth of a byte a pixel.

    Its frames are four all the same: a larger one is refused, and the cause names the remedy.
    """
    return max(modest(frame) // 4, SMALLEST_CAPACITY)


@dataclass(frozen=True, slots=True)
class Plan:
    """What arena is to be tried, what has to do where there is no room for it, and why."""

    wanted: int
    """What was asked for, or the default, bytes."""
    capacity: int
    smallest: int
    """Halvings of `capacity` are tried down to this."""
    why: str
    """Why `capacity`, or what is had in its place, is not `wanted`, and what helps."""

    def note(self, capacity: int) -> str:
        """Return what there is to say of an arena of `capacity` bytes; empty if it is as wanted."""
        if capacity >= self.wanted:
            return ""
        why, _, remedy = self.why.partition("; ")
        had, wanted = _mib(capacity), _mib(self.wanted)
        return f"{why}: this ring has {had}, not {wanted}, and so a shorter history; {remedy}"


def asked(capacity: int, *, beside_predecessor: bool, frame: tuple[int, int] | None) -> Plan:
    """Return the plan for a size that somebody chose: this or, beside a killed daemon's ring, less.

    For a shorter history is better than no camera, and its readers hold that ring until there is a
    new one.
    """
    smallest = min(capacity, least(frame)) if beside_predecessor else capacity
    why = f"{SHARED_MEMORY} has no room for it beside a killed daemon's, until the next start"
    return Plan(capacity, capacity, smallest, f"{why}; {_MORE}")


def shared(room: Room, *, cameras: int, frame: tuple[int, int] | None) -> Plan:
    """Return the plan for the ring of one of `cameras`, whose size nobody chose."""
    everything = room.free + room.rings
    share = min(everything // (2 * cameras), (room.free + room.left) // 2)
    enough = Geometry.for_capacity(modest(frame)).size
    if share < enough:  # then a successor will have to do with less
        share = min(enough, everything // cameras, room.free)
    why = f"{SHARED_MEMORY} has {_mib(everything)} for rings, {_of(cameras)}; {_MORE}"
    if room.memory is not None and room.memory // (2 * _MEMORY_SHARE * cameras) < share:
        share = room.memory // (2 * _MEMORY_SHARE * cameras)
        why = (
            f"this control group may have {_mib(room.memory)} of memory, "
            f"{_of(cameras)}; let it have more (a container: --memory, a unit: MemoryMax=), "
            "or set --ring-size"
        )
    capacity = max(_fitting(share), least(frame))
    return Plan(DEFAULT_CAPACITY, capacity, least(frame), why)


def _of(cameras: int) -> str:
    return "and a successor may need one too" if cameras == 1 else f"for {cameras} cameras"


def _fitting(share: int) -> int:
    """Return the largest arena whose segment has at most `share` bytes; 0 if there is none.

    In whole steps: a successor's is to be as large, or its history starts anew, though a few files
    have come or gone.
    """
    for step in (_MIB, SMALLEST_CAPACITY):
        capacity = min(share // step * step, DEFAULT_CAPACITY)
        while capacity and Geometry.for_capacity(capacity).size > share:
            capacity -= step
        if capacity:
            return capacity
    return 0


def memory_limit(proc: Path = Path("/proc"), groups: Path = _GROUPS) -> int | None:
    """Return the bytes that this process's control group, or one above it, may have.

    None: no limit is to be seen. memory.max of Documentation/admin-guide/cgroup-v2.rst, and
    memory.limit_in_bytes of cgroup-v1/memory.rst.
    """
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, name = groups, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = top / path.lstrip("/")
        limits += [
            _number(each / name) for each in (inner, *inner.parents) if each.is_relative_to(top)
        ]
    found = min(limits, default=_UNLIMITED)
    return found if found < _UNLIMITED else None


def _number(file: Path) -> int:
    """Return the number in `file`; _UNLIMITED where there is none."""
    try:
        text = file.read_text().strip()
    except OSError:
        return _UNLIMITED
    return int(text) if text.isdecimal() else _UNLIMITED


def _mib(count: int) -> str:
    return f"{round(count / _MIB, 2):g} MiB"


def _bytes(path: Path) -> int:
    """Return what a file really takes; 0 where it is gone."""
    try:
        return os.lstat(path).st_blocks * _BLOCK
    except OSError:
        return 0
