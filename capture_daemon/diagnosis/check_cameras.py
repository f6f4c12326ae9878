"""The doctor's checks of cameras: there, allowed, free, and well on their bus?"""

from __future__ import annotations

import grp
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from framebus.names import CameraNames
from framebus.names import cameras as known_cameras

from capture_daemon.devices.sysfs import SystemPaths, attribute, ports
from capture_daemon.diagnosis.finding import Finding, good, note, wrong
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.diagnosis.records import Holder, Line, Sign
from capture_daemon.v4l2.cameras import Camera

WINDOW_S = 3600
"""How far back the kernel's log is looked at."""
_BAD_CABLE = 3
"""Signs of a bad cable within the window that are no accident."""


def presence(machine: Machine) -> Iterator[Finding]:
    """Is a camera there, and did the kernel take it?"""
    found = machine.cameras()
    refused = list(_untaken(machine.paths))
    yield from refused
    yield from (good(_name(camera)) for camera in found)
    if machine.device is not None and not found:
        yield wrong(
            f"{machine.device} is no camera that is here now",
            "framebus devices    (lists those that are)",
        )
    elif not found and not refused:
        message = "no camera is connected"
        if not machine.paths.usb.exists():
            message += " (this machine shows no USB at all: a container?)"
        if machine.wants_camera():
            yield wrong(message, "plug one in; without one: framebus up --source test")
        else:
            yield note(message)


def _untaken(paths: SystemPaths) -> Iterator[Finding]:
    """Yield the USB cameras that no driver has taken."""
    for port in ports(paths):
        if not port.is_camera():
            continue
        undriven = port.undriven()
        plugged = f"a camera is plugged in at USB port {port.name}, but"
        folders = (port.folder, *undriven)
        forbidden = [each.name for each in folders if attribute(each / "authorized") == "0"]
        if forbidden:
            yield wrong(
                f"{plugged} somebody has forbidden it (authorized is 0)",
                f"echo 1 | sudo tee /sys/bus/usb/devices/{forbidden[0]}/authorized",
            )
        elif undriven:
            yield wrong(
                f"{plugged} no driver has taken it",
                "sudo modprobe uvcvideo; if that does not help, plug it out and in",
            )


def permission(machine: Machine) -> Iterator[Finding]:
    """May this user open the cameras?"""
    for camera in machine.cameras():
        try:
            owner = os.stat(camera.node).st_gid
        except OSError:
            yield wrong(
                f"{camera.node} is missing, though the kernel has the camera",
                f"in a container, pass it: --device {camera.node}",
            )
            continue
        if machine.access(camera.node, os.R_OK | os.W_OK):
            yield good(f"{machine.user.name} may open {camera.node}")
        else:
            yield _refused(machine, camera.node, owner)


def _refused(machine: Machine, node: str, gid: int) -> Finding:
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    user = machine.user
    refused = f"{user.name} may not open {node}"
    if gid in user.groups:
        return wrong(
            f"{refused}, though in its group {group}",
            f"sudo chmod 660 {node}    (and look for the udev rule that changed it)",
        )
    if gid in user.listed:
        return wrong(
            f"{refused}: in the group {group} only since the last login",
            f"log out and in again, or: newgrp {group}",
        )
    return wrong(
        f"{refused}: it belongs to the group {group}",
        f"sudo usermod -aG {group} {user.name}    (then log out and in again)",
    )


def held(machine: Machine) -> Iterator[Finding]:
    """Does another program have a camera?"""
    daemons = _daemons(machine)
    notes: list[str] = []
    for camera in machine.cameras():
        try:
            rdev = os.stat(camera.node).st_rdev
            seen = machine.holders(rdev, daemons)
        except OSError:
            continue
        others = [each for each in seen.found if not each.ours]
        ours = [each for each in seen.found if each.ours]
        yield from (_held(camera, each, beside=bool(ours)) for each in others)
        if not others:
            by = f" but the daemon, process {ours[0].pid}" if ours else ""
            yield good(f"{camera.node}: no process is seen to have it{by}")
        notes += seen.notes()
    yield from map(note, dict.fromkeys(notes))


def _held(camera: Camera, holder: Holder, *, beside: bool) -> Finding:
    who = f"process {holder.pid} ({holder.user}): {holder.command}"
    how = {
        ("mapping",): " (it closed the device, but still has it mapped)",
        ("descriptor", "dead-leader"): " (its main thread has ended, another lives on)",
    }.get(holder.how, "")
    message = f"{camera.node} is open in {who}{how}"
    if beside:
        return note(f"{message}; a capture daemon has it, too")
    if holder.unit.endswith(".service"):
        return wrong(message, f"sudo systemctl stop {holder.unit}")
    if " " in holder.unit:
        return wrong(message, f"stop the container {holder.unit}")
    end = "kill -9" if "dead-leader" in holder.how else "kill"
    return wrong(message, f"{end} {holder.pid}")


def _daemons(machine: Machine) -> frozenset[int]:
    names = known_cameras(machine.runtime)
    pids = (machine.lock_holder(CameraNames(machine.runtime, name).lock) for name in names)
    return frozenset(pid for pid in pids if pid)


def kernel(machine: Machine) -> Iterable[Finding]:
    """What has the kernel said about the cameras' ports in the last hour?"""
    findings: list[Finding] = []
    for port in sorted({camera.port for camera in machine.cameras() if camera.port}) or [""]:
        log = machine.kernel_log(port, machine.now_utc_ns - WINDOW_S * 1_000_000_000)
        if log.notes:
            return map(note, log.notes)
        findings += _signs(machine, port, log.lines)
    return findings or [good("no complaint about a camera in the last hour")]


def _signs(machine: Machine, port: str, lines: tuple[Line, ...]) -> Iterator[Finding]:
    counted = Counter(line.sign for line in lines)
    newest = {line.sign: line for line in lines}
    where = f"port {port}" if port else "USB"
    for sign, count in counted.items():
        remedy = _REMEDIES.get(sign)
        if remedy is None:
            continue
        line = newest[sign]
        said = f"{where}: {line.meaning}; the kernel: {line.text}"
        if count > 1:
            said = f"{said} (and {count - 1} more like it in the last hour)"
        if sign is Sign.BANDWIDTH:
            remedy += _rivals(machine, port)
        serious = sign in (Sign.POWER, Sign.HOST, Sign.BANDWIDTH) or count >= _BAD_CABLE
        yield wrong(said, remedy) if serious else note(said)


_REMEDIES: Mapping[Sign | None, str] = {
    Sign.CABLE: "another cable, then another port, then without the hub",
    Sign.POWER: "a powered hub, or a port of the computer itself",
    Sign.BANDWIDTH: "a smaller --size, a lower --fps, or another bus for this camera",
    Sign.HOST: "start the computer again; if it happens again, another controller or kernel",
    Sign.CAMERA: "plug the camera out and in; try another port",
}


def _rivals(machine: Machine, port: str) -> str:
    """Name the other cameras on the same bus."""
    bus = port.partition("-")[0]
    others = [
        each.name
        for each in machine.cameras()
        if port and each.port != port and each.port.partition("-")[0] == bus
    ]
    return f" (it shares bus {bus} with {', '.join(others)})" if others else ""


def _name(camera: Camera) -> str:
    port = f", port {camera.port}" if camera.port else ""
    return f"{camera.name}, {camera.node}{port}, v4l2:{camera.stable}"
