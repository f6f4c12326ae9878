"""The doctor's checks of cameras: there, allowed, free, and well on their bus?"""

from __future__ import annotations

import grp
import os
from collections import Counter
from pathlib import Path

from framebus.names import CameraNames
from framebus.names import cameras as known_cameras

from capture_daemon.devices.sysfs import attribute
from capture_daemon.diagnosis.finding import Finding, good, note, wrong
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.diagnosis.records import Holder, Line, Sign
from capture_daemon.v4l2.cameras import Camera

WINDOW_S = 3600
"""How far back the kernel's log is looked at."""
_VIDEO_CLASS = "0e"  # bInterfaceClass of video, USB class codes
_BAD_CABLE = 3
"""Signs of a bad cable within the window that are no accident."""


def presence(machine: Machine) -> list[Finding]:
    """Is a camera there, and did the kernel take it?"""
    found = machine.cameras()
    refused = _untaken(machine.sys)
    findings = [
        wrong(
            "camera",
            f"a camera is plugged in at USB port {port}, but {why}",
            remedy,
        )
        for port, why, remedy in refused
    ]
    if machine.device is not None and not found:
        return [
            *findings,
            wrong(
                "camera",
                f"{machine.device} is no camera that is here now",
                "framebus devices    (lists those that are)",
            ),
        ]
    if not found and not refused:
        bus = machine.sys / "bus/usb/devices"
        where = "" if bus.exists() else " (this machine shows no USB at all: a container?)"
        message = f"no camera is connected{where}"
        if not machine.wants_camera():
            return [note("camera", message)]
        return [wrong("camera", message, "plug one in; without one: framebus up --source test")]
    return [*findings, *(good("camera", _name(camera)) for camera in found)]


def _untaken(sys: Path) -> list[tuple[str, str, str]]:
    """Return (port, why, remedy) of USB cameras that no driver has taken."""
    found = {}
    try:
        entries = sorted(os.listdir(sys / "bus/usb/devices"))
    except OSError:
        return []
    for entry in entries:
        folder = sys / "bus/usb/devices" / entry
        port = entry.partition(":")[0]
        kind = attribute(folder / "bInterfaceClass")
        if attribute(folder / "authorized") == "0" and kind in ("", _VIDEO_CLASS):
            if attribute(folder / "idVendor") or kind:
                command = f"echo 1 | sudo tee /sys/bus/usb/devices/{entry}/authorized"
                found[port] = ("somebody has forbidden it (authorized is 0)", command)
        elif kind == _VIDEO_CLASS and not (folder / "driver").exists():
            found.setdefault(
                port,
                (
                    "no driver has taken it",
                    "sudo modprobe uvcvideo; if that does not help, plug it out and in",
                ),
            )
    return [(port, *why) for port, why in found.items()]


def permission(machine: Machine) -> list[Finding]:
    """May this user open the cameras?"""
    findings = []
    for camera in machine.cameras():
        try:
            owner = os.stat(camera.node).st_gid
        except OSError:
            findings.append(
                wrong(
                    "permission",
                    f"{camera.node} is missing, though the kernel has the camera",
                    f"in a container, pass it: --device {camera.node}",
                )
            )
            continue
        if machine.access(camera.node, os.R_OK | os.W_OK):
            findings.append(good("permission", f"{machine.user.name} may open {camera.node}"))
        else:
            findings.append(_refused(machine, camera.node, owner))
    return findings


def _refused(machine: Machine, node: str, gid: int) -> Finding:
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    user = machine.user
    if gid in user.groups:
        return wrong(
            "permission",
            f"{user.name} may not open {node}, though in its group {group}",
            f"sudo chmod 660 {node}    (and look for the udev rule that changed it)",
        )
    if user.listed(group):
        return wrong(
            "permission",
            f"{user.name} may not open {node}: in the group {group} only since the last login",
            f"log out and in again, or: newgrp {group}",
        )
    return wrong(
        "permission",
        f"{user.name} may not open {node}: it belongs to the group {group}",
        f"sudo usermod -aG {group} {user.name}    (then log out and in again)",
    )


def held(machine: Machine) -> list[Finding]:
    """Does another program have a camera?"""
    findings = []
    daemons = _daemons(machine)
    for camera in machine.cameras():
        try:
            rdev = os.stat(camera.node).st_rdev
            seen = machine.holders(rdev, daemons)
        except OSError:
            continue
        others = [each for each in seen.found if not each.ours]
        ours = [each for each in seen.found if each.ours]
        findings += [_held(camera, each, beside=bool(ours)) for each in others]
        if not others:
            by = f" but the daemon, process {ours[0].pid}" if ours else ""
            findings.append(good("held", f"{camera.node}: no process is seen to have it{by}"))
        findings += [note("held", sentence) for sentence in seen.notes()]
    return list(dict.fromkeys(findings))


def _held(camera: Camera, holder: Holder, *, beside: bool) -> Finding:
    who = f"process {holder.pid} ({holder.user}): {holder.command}"
    how = {
        ("mapping",): " (it closed the device, but still has it mapped)",
        ("descriptor", "dead-leader"): " (its main thread has ended, another lives on)",
    }.get(holder.how, "")
    message = f"{camera.node} is open in {who}{how}"
    if beside:
        return note("held", f"{message}; a capture daemon has it, too")
    end = "kill -9" if "dead-leader" in holder.how else "kill"
    if holder.unit.endswith(".service"):
        return wrong("held", message, f"sudo systemctl stop {holder.unit}")
    if " " in holder.unit:
        return wrong("held", message, f"stop the container {holder.unit}")
    return wrong("held", message, f"{end} {holder.pid}")


def _daemons(machine: Machine) -> frozenset[int]:
    names = known_cameras(machine.runtime)
    pids = (machine.lock_holder(CameraNames(machine.runtime, name).lock) for name in names)
    return frozenset(pid for pid in pids if pid)


def kernel(machine: Machine) -> list[Finding]:
    """What has the kernel said about the cameras' ports in the last hour?"""
    ports = sorted({camera.port for camera in machine.cameras() if camera.port}) or [""]
    findings = []
    for port in ports:
        log = machine.kernel_log(port, machine.now_utc_ns - WINDOW_S * 1_000_000_000)
        if log.notes:
            return [note("kernel log", each) for each in log.notes]
        findings += _signs(machine, port, log.lines)
    return findings or [good("kernel log", "no complaint about a camera in the last hour")]


def _signs(machine: Machine, port: str, lines: tuple[Line, ...]) -> list[Finding]:
    counted = Counter(line.sign for line in lines if line.sign is not None)
    newest = {line.sign: line for line in lines}
    where = f"port {port}" if port else "USB"
    findings = []
    for sign, count in counted.items():
        line = newest[sign]
        said = f"{where}: {line.meaning}; the kernel: {line.text}"
        if count > 1:
            said = f"{said} (and {count - 1} more like it in the last hour)"
        remedy = _REMEDIES.get(sign)
        if remedy is None:
            continue
        serious = sign in (Sign.POWER, Sign.HOST, Sign.BANDWIDTH) or count >= _BAD_CABLE
        if sign is Sign.BANDWIDTH:
            remedy += _rivals(machine, port)
        findings.append(wrong("kernel log", said, remedy) if serious else note("kernel log", said))
    return findings


_REMEDIES = {
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
