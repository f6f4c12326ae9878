"""What is wrong with this machine's cameras, and the command that mends it: checks and their text.

The checks are independent: one that fails in a way nobody thought of is a finding of its own.
"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from framebus.errors import OutOfResources
from framebus.printable import line
from framebus.version import __version__

from capture_daemon.diagnosis import check_cameras, check_service, check_system
from capture_daemon.diagnosis.finding import Finding, Level, wrong
from capture_daemon.diagnosis.machine import Machine

Check = Callable[[Machine], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    "libraries": check_system.libraries,
    "fast path": check_system.fast_path,
    "drivers": check_system.drivers,
    "camera": check_cameras.presence,
    "permission": check_cameras.permission,
    "held": check_cameras.held,
    "kernel log": check_cameras.kernel,
    "shared memory": check_system.shared_memory,
    "directory": check_service.directory,
    "unit": check_service.units,
    "daemon": check_service.daemons,
    "incidents": check_service.incidents,
}
"""In the order in which a person would look: what stands on what."""

_MARKS = {Level.WRONG: "WRONG", Level.NOTE: "note", Level.GOOD: "ok"}
_WIDTH = 100
_MARGIN = 22


def examine(machine: Machine, checks: Mapping[str, Check] = CHECKS) -> list[Finding]:
    """Make all checks."""
    findings: list[Finding] = []
    for name, check in checks.items():
        try:
            findings += (replace(found, check=name) for found in check(machine))
        except OutOfResources:  # of ours: it tells nothing of this machine's cameras
            raise
        except Exception as error:  # noqa: BLE001  the other checks are wanted all the same
            message = f"this check itself failed: {type(error).__name__}: {error}"
            remedy = "please report it, with the file that framebus doctor --bundle FILE makes"
            findings.append(replace(wrong(message, remedy), check=name))
    return findings


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if something is wrong, else 0."""
    return int(any(each.level is Level.WRONG for each in findings))


def render(machine: Machine, findings: Sequence[Finding]) -> str:
    """Return who was asked, and where, the findings as text, and what they come to."""
    lines = [
        f"framebus {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}, as {machine.user.name}",
        "",
    ]
    for each in findings:
        first = f"{_MARKS[each.level]:<6} {each.check:<14} "
        lines += _wrapped(first, each.message)
        if each.remedy:
            lines += _wrapped(" " * (_MARGIN - 3) + "-> ", each.remedy)
    bad = sum(each.level is Level.WRONG for each in findings)
    count = {0: "Nothing is wrong.", 1: "One thing is wrong."}.get(bad, f"{bad} things are wrong.")
    return "\n".join([*lines, "", count])


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        line(text),
        _WIDTH,
        initial_indent=first.ljust(_MARGIN),
        subsequent_indent=" " * _MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    )
