"""The doctor's checks of framebus itself: daemons, units, what a killed one left, incidents."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

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


def directory(machine: Machine) -> Iterator[Finding]:
    """Is the directory in which daemons and viewers meet the one that is meant?"""
    runtime = machine.runtime
    if machine.system_runtime != runtime and cameras(machine.system_runtime):
        yield note(
            f"services meet in {machine.system_runtime}, this command looks in {runtime}",
            f"export FRAMEBUS_RUNTIME_DIR={machine.system_runtime}",
        )
    if not runtime.exists():
        yield note(f"{runtime}: no daemon has run here yet")
    elif not os.access(runtime, os.R_OK | os.X_OK):
        yield wrong(
            f"{machine.user.name} may not look into {runtime}",
            f"sudo usermod -aG framebus {machine.user.name}    (then log out and in again), "
            "or sudo framebus doctor",
        )
    else:
        try:
            owner = owner_of(runtime)
        except FramebusError as error:
            yield wrong(*_halves(error))
        else:
            names = [CameraNames(runtime, camera) for camera in cameras(runtime)]
            yield from _untrusted(names, owner)
            yield _stale(machine, names, owner)


def _untrusted(known: Sequence[CameraNames], owner: int) -> Iterator[Finding]:
    """Yield what lies there that nobody believes in, and that is in a daemon's way."""
    for names in known:
        for path in (names.lock, names.ring_file):
            try:
                os.close(open_trusted(path, owner))
            except Untrusted as error:
                yield wrong(*_halves(error))
            except OSError:
                continue


def _halves(error: FramebusError) -> tuple[str, str]:
    """Return the message and the remedy of an error that ends in its remedy."""
    message, _, remedy = str(error).rpartition(": ")
    return message, remedy


def _stale(machine: Machine, known: Sequence[CameraNames], owner: int) -> Finding:
    """Return what killed daemons have left."""
    left = []
    for names in known:
        if machine.lock_holder(names.lock):
            continue
        segments = leftovers.segments(names, owner, directory=machine.shared_memory)
        files = [each for each in (*names.files, *segments) if each != names.lock]
        left += [str(each) for each in files if each.exists()]
    if not left:
        return good(f"{machine.runtime}: nothing stale")
    return note(
        f"a killed daemon has left {', '.join(left)}",
        "harmless: the next daemon of that name replaces them; rm removes them",
    )


def daemons(machine: Machine) -> Iterator[Finding]:
    """Does a daemon run for each camera, and does it give frames?"""
    names = machine.names()
    if not names:
        yield note("no daemon runs here", "framebus up    (starts one, and the web page)")
    for name in names:
        told = machine.status(name)
        if isinstance(told, FramebusError):
            yield _silent(machine, name, told)
            continue
        yield _daemon(name, told)
        if said := object_at(told, "ring").get("note"):
            message, _, remedy = str(said).rpartition("; ")
            yield note(f"{name}: {message}", remedy)


def _daemon(name: str, told: Mapping[str, object]) -> Finding:
    state, why = told.get("state"), object_at(told, "cause")
    if state == "streaming":
        spec, fps = object_at(told, "source").get("spec", ""), object_at(told, "frames").get("fps")
        return good(f"{name} streams from {spec} at {fps} fps")
    reason = why.get("message") or "it gives no reason"
    if state == "stopped":
        return note(f"{name} is stopped", f"framebus ctl start --name {name}")
    if state == "idle":
        return good(f"{name} is off, since nobody watches")
    if state == "opening":
        return note(f"{name} is opening: {reason}")
    message = f"{name} gives no frames ({state}): {reason}"
    return wrong(message, str(why.get("remedy") or f"framebus ctl restart --name {name}"))


def _silent(machine: Machine, name: str, error: FramebusError) -> Finding:
    pid = machine.lock_holder(CameraNames(machine.runtime, name).lock)
    match error:
        case Untrusted():
            return wrong(*_halves(error))
        case NoPermission():
            return wrong(str(error), "sudo framebus doctor")
        case ControlTimeout():
            return wrong(
                f"the daemon of {name}, process {pid}, does not answer",
                f"kill -9 {pid}    (framebus up or systemd then starts a new one)",
            )
        case CameraAbsent():
            unit = machine.run(["systemctl", "cat", f"framebus-capture@{name}.service"])
            by_hand = unit is None or unit.code
            how = "framebus up --name " if by_hand else "sudo systemctl start framebus-capture@"
            return wrong(f"no daemon runs for {name}", f"{how}{name}")
        case _:
            return wrong(str(error), f"framebus ctl restart --name {name}")


def units(machine: Machine) -> Iterator[Finding]:
    """Do the systemd units run that are there?"""
    listed = machine.run(
        ["systemctl", "list-units", "--all", "--plain", "--no-legend", "framebus-*"]
    )
    if listed is None or listed.code:
        return  # no systemd here
    for line in listed.output.splitlines():
        fields = line.split(None, 4)
        if len(fields) >= 4:
            yield _unit(*fields[:4])


def _unit(unit: str, loaded: str, active: str, sub: str) -> Finding:
    if active == "active":
        return good(f"{unit} runs")
    if loaded != "loaded":
        return wrong(f"{unit} is {loaded}", "sudo systemctl daemon-reload")
    if active == "failed" or sub == "auto-restart":
        return wrong(
            f"{unit} has failed ({sub})",
            f"journalctl -u {unit} -n 20    (says why), then sudo systemctl restart {unit}",
        )
    if active != "inactive":
        return note(f"{unit} is {active} ({sub})")
    return wrong(f"{unit} is {active}", f"sudo systemctl start {unit}")


def incidents(machine: Machine) -> Iterator[Finding]:
    """Were frames lost in the last day?"""
    for name in machine.names():
        recent = [
            each
            for each in known_incidents(machine, name)
            if _number(each.get("began_utc_ns")) > machine.now_utc_ns - _DAY_NS
        ]
        if recent:
            longest = max(recent, key=lambda each: _number(each.get("away_s")))
            why = object_at(longest, "cause").get("message", "?")
            times = "once" if len(recent) == 1 else f"{len(recent)} times"
            yield note(
                f"{name} lost frames {times} in the last 24 hours, "
                f"for {duration(_number(longest.get('away_s')))} at most ({why})",
                f"framebus ctl incidents --name {name}    (tells all)",
            )


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


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
