"""The doctor's checks of what framebus stands on: libraries, drivers, shared memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from framebus.installation import LOST_WITHOUT, PACKAGES, install
from framebus.invocation.tables import amount
from framebus.native_library import REMEDY
from framebus.ring.layout import DEFAULT_CAPACITY
from framebus.ring.room import least

from capture_daemon.diagnosis.finding import Finding, good, note, wrong
from capture_daemon.diagnosis.machine import Machine

"""Before it: CVE-2019-6250, CVE-2019-13132, CVE-2020-15166."""
_INDEXES = ("modules.dep", "modules.builtin")
"""What lists the kernel's modules, loaded or not."""
_MIB = 1 << 20


def libraries(machine: Machine) -> Iterator[Finding]:
    """Are the Python packages there?"""
    versions = {name: machine.version(name) for name in PACKAGES.values()}
    missing = [name for name, version in versions.items() if version is None]
    needed = [name for name in missing if name not in LOST_WITHOUT]
    if needed:
        yield wrong(f"missing Python packages: {', '.join(needed)}", install(*needed))
    else:
        yield good(", ".join(f"{name} {found}" for name, found in versions.items() if found))
    lost: dict[str, list[str]] = {}
    for name in missing:
        if name in LOST_WITHOUT:
            lost.setdefault(LOST_WITHOUT[name], []).append(name)
    for what, names in lost.items():
        are = "is" if len(names) == 1 else "are"
        yield note(f"{' and '.join(names)} {are} not installed: {what}", install(*names))


def fast_path(machine: Machine) -> Iterator[Finding]:
    """Is the part in C there that spares the processor?"""
    why_not = machine.fast_path()
    if why_not:
        yield note(f"each frame costs more processor time than it need: {why_not}", REMEDY)
    else:
        yield good("the usual frame is handled in C")


def drivers(machine: Machine) -> Iterator[Finding]:
    """Does the kernel have V4L2, and the driver of USB cameras?"""
    if (machine.sys / "module/uvcvideo").exists():
        yield good("V4L2 and uvcvideo are loaded")
    elif machine.cameras():
        yield good("V4L2 is loaded; uvcvideo, for USB cameras, is not")
    elif not machine.wants_camera():
        yield note("uvcvideo, for USB cameras, is not loaded, and not needed")
    elif any(_says(machine.modules / index, "/uvcvideo.ko") for index in _INDEXES):
        yield wrong("the driver of USB cameras, uvcvideo, is not loaded", "sudo modprobe uvcvideo")
    elif _says(machine.proc / "devices", "video4linux"):
        yield note("V4L2 is there, but uvcvideo is not: fine for a camera that is not on USB")
    else:
        yield wrong(
            "this kernel has no V4L2 and ships no uvcvideo: it can serve no camera of its own",
            "in a container or a virtual machine, load uvcvideo on the host and pass the camera "
            "in; on Ubuntu: sudo apt install linux-modules-extra-$(uname -r); without a camera: "
            "framebus up --source test",
        )


def _says(file: Path, word: str) -> bool:
    try:
        return word in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def shared_memory(machine: Machine) -> Iterator[Finding]:
    """Is there room for a ring?"""
    folder = machine.shared_memory
    try:
        room = os.statvfs(folder)
    except OSError as error:
        yield wrong(
            f"{folder} cannot be used: {error.strerror}", f"sudo mount -t tmpfs tmpfs {folder}"
        )
        return
    free, size = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    rings = sorted(name for name in os.listdir(folder) if name.startswith("framebus-"))
    what = f"{amount(free)} of {amount(size)} free in {folder}"
    if rings:
        what += f", {len(rings)} ring{'s' if len(rings) > 1 else ''} there"
    remedy = f"see what fills it (ls -lS {folder}), or in a container --shm-size=256m"
    if free < least(None) + _MIB // 4 and not rings:
        smallest = f"not even for a ring of {amount(least(None))}"
        yield wrong(f"{what}: no room, {smallest}", remedy)
    elif free < DEFAULT_CAPACITY + 2 * _MIB and not rings:
        usual = f"no room for a ring of {amount(DEFAULT_CAPACITY)}, so for a shorter history only"
        yield note(f"{what}: {usual}", remedy)
    else:
        yield good(what)
