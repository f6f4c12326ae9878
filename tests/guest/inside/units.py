"""The project's units under a running systemd: asked, commanded, and their processes looked at."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.guest.camera.client import wait_for
from tests.guest.machine import TREE

CAPTURE = "framebus-capture@front.service"
WEB = "framebus-web.service"
HELPER = "framebus-privileged.service"
LIMIT_S = 300.0
_ASK_S = 0.5

T = TypeVar("T")


def systemctl(*arguments: str) -> None:
    """Run a command that must succeed."""
    command("systemctl", *arguments)


def command(*words: str) -> None:
    """Run any command that must succeed, in the checkout."""
    done = subprocess.run(
        words, cwd=TREE, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    assert done.returncode == 0, f"{words}: {done.stderr}{log()}"


def eventually(condition: Callable[[], T], what: str) -> T:
    """Return the first true value of a condition that costs something to ask."""

    def asked() -> T:
        value = condition()
        if not value:
            time.sleep(_ASK_S)
        return value

    try:
        return wait_for(asked, what, LIMIT_S)
    except TimeoutError as error:
        raise AssertionError(f"{error}\n{log()}") from error


def log() -> str:
    """What the project's units, and systemd about them, have said since the boot."""
    journal = ["journalctl", "--quiet", "--output=cat", "--unit=framebus-*"]
    return subprocess.run(journal, capture_output=True, text=True, check=True).stdout


def shown(unit: str, *properties: str) -> list[str]:
    """The values of properties, in alphabetical order of their names."""
    asking = ["systemctl", "show", f"--property={','.join(properties)}", unit]
    lines = subprocess.run(asking, capture_output=True, text=True, check=True).stdout.split("\n")
    return [line.partition("=")[2] for line in sorted(filter(None, lines))]


def number(unit: str, name: str) -> int:
    """The value of a property that is a number."""
    return int(shown(unit, name)[0])


def main_process(unit: str) -> int:
    """The unit's main process, as soon as it is ready. Raises TimeoutError."""

    def ready() -> int:
        pid, state = shown(unit, "MainPID", "SubState")
        return int(pid) if state == "running" else 0

    return eventually(ready, f"{unit} to run")


def users(unit: str) -> set[str]:
    """The names of the users that the unit's processes run as."""
    (group,) = shown(unit, "ControlGroup")
    found = set()
    for pid in Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split():
        with contextlib.suppress(FileNotFoundError):  # a journalctl that was asked something
            found.add(pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name)
    return found


def may(unit: str, *tests: str) -> list[bool]:
    """Whether each of test(1)'s conditions holds for a process like the unit's.

    As its user, in its groups, and in its view of the files.
    """
    pid, user = shown(unit, "MainPID", "User")
    script = "; ".join(f"test {condition} && echo yes || echo no" for condition in tests)
    trying = ["nsenter", f"--target={pid}", "--mount", "setpriv", f"--reuid={user}"]
    trying += [f"--regid={user}", "--init-groups", "sh", "-c", script]
    said = subprocess.run(trying, capture_output=True, text=True, check=True, timeout=LIMIT_S)
    return [answer == "yes" for answer in said.stdout.split()]
