"""The doctor's checks of framebus itself: daemons, units, what a killed one left, incidents."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from framebus.errors import (
    CameraAbsent,
    ControlTimeout,
    FramebusError,
    NoPermission,
    Untrusted,
)
from framebus.invocation.tables import duration
from framebus.json_parts import object_at, objects_at
from framebus.names import CameraNames, cameras, incident_journal
from framebus.ring import leftovers
from framebus.trusted_files import open_trusted, owner_of

from capture_daemon.diagnosis.finding import Finding, good, note, wrong
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.machine import Machine

_DAY_NS = 86_400_000_000_000


def directory(machine: Machine) -> list[Finding]:
    """Is the directory in which daemons and viewers meet the one that is meant?"""
    findings = []
    if machine.system_runtime != machine.runtime and cameras(machine.system_runtime):
        findings.append(
            note(
                "directory",
                f"services meet in {machine.system_runtime}, this command looks in "
                f"{machine.runtime}",
                f"export FRAMEBUS_RUNTIME_DIR={machine.system_runtime}",
            )
        )
    if not machine.runtime.exists():
        return [*findings, note("directory", f"{machine.runtime}: no daemon has run here yet")]
    if not os.access(machine.runtime, os.R_OK | os.X_OK):
        return [
            *findings,
            wrong(
                "directory",
                f"{machine.user.name} may not look into {machine.runtime}",
                f"sudo usermod -aG framebus {machine.user.name}    (then log out and in again), "
                "or sudo framebus doctor",
            ),
        ]
    try:
        owner = owner_of(machine.runtime)
    except FramebusError as error:
        return [*findings, wrong("directory", *_halves(str(error)))]
    return [*findings, *_untrusted(machine, owner), *_stale(machine, owner)]


def _untrusted(machine: Machine, owner: int) -> list[Finding]:
    """Return what lies there that nobody believes in, and that is in a daemon's way."""
    findings = []
    for camera in _known(machine):
        names = CameraNames(machine.runtime, camera)
        for path in (names.lock, names.ring_file):
            try:
                os.close(open_trusted(path, owner))
            except Untrusted as error:
                findings.append(wrong("directory", *_halves(str(error))))
            except OSError:
                continue
    return findings


def _halves(text: str) -> tuple[str, str]:
    """Return the message and the remedy of an error that ends in its remedy."""
    message, _, remedy = text.rpartition(": ")
    return message, remedy


def _stale(machine: Machine, owner: int) -> list[Finding]:
    """Return what killed daemons have left."""
    left = []
    for camera in _known(machine):
        names = CameraNames(machine.runtime, camera)
        if machine.lock_holder(names.lock):
            continue
        files = (
            *(names.control_socket, names.queries_socket),
            *(names.frames_socket, names.events_socket, names.ring_file),
            *leftovers.segments(names, owner, directory=machine.shared_memory),
        )
        left += [str(each) for each in files if each.exists()]
    if not left:
        return [good("directory", f"{machine.runtime}: nothing stale")]
    return [
        note(
            "directory",
            f"a killed daemon has left {', '.join(left)}",
            "harmless: the next daemon of that name replaces them; rm removes them",
        )
    ]


def daemons(machine: Machine) -> list[Finding]:
    """Does a daemon run for each camera, and does it give frames?"""
    names = [machine.name] if machine.name else _known(machine)
    if not names:
        return [
            note("daemon", "no daemon runs here", "framebus up    (starts one, and the web page)")
        ]
    return [finding for name in names for finding in _daemon(machine, name)]


def _daemon(machine: Machine, name: str) -> list[Finding]:
    told = machine.status(name)
    if isinstance(told, FramebusError):
        return [_silent(machine, name, told)]
    state, why = told.get("state"), object_at(told, "cause")
    if state == "streaming":
        spec, fps = object_at(told, "source").get("spec", ""), object_at(told, "frames").get("fps")
        return [good("daemon", f"{name} streams from {spec} at {fps} fps")]
    reason = why.get("message") or "it gives no reason"
    if state == "stopped":
        return [note("daemon", f"{name} is stopped", f"framebus ctl start --name {name}")]
    if state == "opening":
        return [note("daemon", f"{name} is opening: {reason}")]
    message = f"{name} gives no frames ({state}): {reason}"
    remedy = str(why.get("remedy") or f"framebus ctl restart --name {name}")
    return [wrong("daemon", message, remedy)]


def _silent(machine: Machine, name: str, error: FramebusError) -> Finding:
    pid = machine.lock_holder(CameraNames(machine.runtime, name).lock)
    match error:
        case Untrusted():
            return wrong("daemon", *_halves(str(error)))
        case NoPermission():
            return wrong("daemon", str(error), "sudo framebus doctor")
        case ControlTimeout():
            return wrong(
                "daemon",
                f"the daemon of {name}, process {pid}, does not answer",
                f"kill -9 {pid}    (framebus up or systemd then starts a new one)",
            )
        case CameraAbsent():
            how = f"framebus up --name {name}"
            if _unit_file(machine, f"framebus-capture@{name}.service"):
                how = f"sudo systemctl start framebus-capture@{name}"
            return wrong("daemon", f"no daemon runs for {name}", how)
        case _:
            return wrong("daemon", str(error), f"framebus ctl restart --name {name}")


def units(machine: Machine) -> list[Finding]:
    """Do the systemd units run that are there?"""
    listed = machine.run(
        ["systemctl", "list-units", "--all", "--plain", "--no-legend", "framebus-*"]
    )
    if listed is None or listed.code:
        return []  # no systemd here
    findings = []
    for line in listed.output.splitlines():
        fields = line.split(None, 4)
        if len(fields) >= 4:
            findings.append(_unit(*fields[:4]))
    return findings


def _unit(unit: str, loaded: str, active: str, sub: str) -> Finding:
    if active == "active":
        return good("unit", f"{unit} runs")
    if loaded != "loaded":
        return wrong("unit", f"{unit} is {loaded}", "sudo systemctl daemon-reload")
    if active == "failed" or sub == "auto-restart":
        return wrong(
            "unit",
            f"{unit} has failed ({sub})",
            f"journalctl -u {unit} -n 20    (says why), then sudo systemctl restart {unit}",
        )
    if active != "inactive":
        return note("unit", f"{unit} is {active} ({sub})")
    return wrong("unit", f"{unit} is {active}", f"sudo systemctl start {unit}")


def incidents(machine: Machine) -> list[Finding]:
    """Were frames lost in the last day?"""
    findings = []
    for name in [machine.name] if machine.name else _known(machine):
        recent = [
            each
            for each in known_incidents(machine, name)
            if _number(each.get("began_utc_ns")) > machine.now_utc_ns - _DAY_NS
        ]
        if recent:
            longest = max(recent, key=lambda each: _number(each.get("away_s")))
            why = object_at(longest, "cause").get("message", "?")
            findings.append(
                note(
                    "incidents",
                    f"{name} lost frames {_times(len(recent))} in the last 24 hours, "
                    f"for {duration(_number(longest.get('away_s')))} at most ({why})",
                    f"framebus ctl incidents --name {name}    (tells all)",
                )
            )
    return findings


def known_incidents(machine: Machine, name: str) -> Sequence[Mapping[str, object]]:
    """Return a camera's incidents: what its daemon says, else what is on disk; none if neither."""
    try:
        told = machine.ask(CameraNames(machine.runtime, name), "incidents", {"limit": 100})
        return objects_at(told, "incidents")
    except FramebusError:
        return _written(machine, name)


def _written(machine: Machine, name: str) -> list[dict[str, object]]:
    """Return what is on disk: of this user's daemon, else of the service."""
    for state in (machine.state, machine.system_state):
        try:
            found = Journal(incident_journal(state, machine.runtime, name)).read()
        except OSError:
            continue
        if found:
            return found
    return []


def _known(machine: Machine) -> Sequence[str]:
    return cameras(machine.runtime)


def _unit_file(machine: Machine, unit: str) -> bool:
    found = machine.run(["systemctl", "cat", unit])
    return found is not None and found.code == 0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
