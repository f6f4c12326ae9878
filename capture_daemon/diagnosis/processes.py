"""What /proc says about one process: name, user, age, unit. Everything may vanish while it is read.

Sources: proc(5), cgroups(7). Every function here raises OSError when the process is gone or hidden.
"""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from framebus.contract.causes import one_line

from capture_daemon.sources.ffmpeg import options
from capture_daemon.sources.redact import HIDDEN

COMMAND_MAX = 200
_PF_KTHREAD = 0x00200000  # include/linux/sched.h
_TICKS = os.sysconf("SC_CLK_TCK")
_CONTAINER = re.compile(r"(docker|libpod|crio|cri-containerd)-([0-9a-f]{12})[0-9a-f]*\.scope")
_MACHINE = re.compile(r"(lxc(?:\.payload)?)[./]([^/]+)")
_PLAIN_CONTAINER = re.compile(r"/(docker|podman)/([0-9a-f]{12})[0-9a-f]*")
_HARMLESS_ARGUMENT = re.compile(
    r"-[A-Za-z0-9]?|--|--[a-z][a-z0-9-]{0,30}|[0-9]{1,5}(?:[x:./][0-9]{1,5}){0,2}|"
    r"/dev/[\w/.:+-]{1,100}|[\w/.+-]{0,100}\.(?:js|pl|py|rb|sh|so)|"
    r"(?:capture|web|up|capture_daemon|web_workers|framebus[\w.]*)"
)
"""Arguments that carry no secret: names of options, numbers, sizes, devices, scripts, our own."""
_MODULE = re.compile(r"[A-Za-z_][\w.]{0,60}")
_NAMES = {"libpod": "podman", "cri-containerd": "containerd"}


@dataclass(frozen=True, slots=True)
class Stat:
    """The parts of /proc/PID/stat that are used here."""

    name: str
    state: str
    """One letter: "Z" is a process, or a thread group's leader, that has ended."""
    kernel: bool
    """A thread of the kernel: it has no descriptors."""
    start_ticks: int
    """Clock ticks after the boot."""


def parse_stat(text: str) -> Stat:
    """Parse /proc/PID/stat; the name in it may hold spaces and brackets. Raises ValueError."""
    before, bracket, after = text.rpartition(")")
    fields = after.split()
    if not bracket or len(fields) < 20:
        raise ValueError("this is no /proc/PID/stat")
    return Stat(
        name=before.partition("(")[2],
        state=fields[0],
        kernel=bool(int(fields[6]) & _PF_KTHREAD),
        start_ticks=int(fields[19]),
    )


def stat(folder: Path | str) -> Stat:
    """Return the stat of a process or a thread, given its folder in /proc."""
    with open(f"{folder}/stat", encoding="utf-8", errors="replace") as file:
        try:
            return parse_stat(file.read())
        except ValueError as error:
            raise ProcessLookupError(f"{folder}: {error}") from error


def boot_utc_ns(proc: Path) -> int:
    """Return when this machine booted, nanoseconds since 1970; 0 if /proc does not say."""
    return int(_value(f"{proc}/stat", "btime ") or 0) * 1_000_000_000


def started_utc_ns(found: Stat, booted_utc_ns: int) -> int:
    """Return when a process started, nanoseconds since 1970, to about a second."""
    return booted_utc_ns + found.start_ticks * 1_000_000_000 // _TICKS


def arguments(folder: Path | str) -> list[str]:
    """Return a process's arguments; none for one that has ended or has hidden them."""
    with open(f"{folder}/cmdline", "rb") as file:
        text = file.read(16 * 1024)
    return [part.decode(errors="replace") for part in text.split(b"\0") if part]


def command(args: list[str], name: str) -> str:
    """Return one line for people, or the name in brackets where there are no arguments.

    Of the arguments it has those that are known to carry no secret, the others as "…".
    """
    if not args:
        return f"[{one_line(name)}]"
    shown = [args[0]]
    for before, word in pairwise(args):
        found = _harmless(before, word)
        if found != HIDDEN or shown[-1] != HIDDEN:
            shown.append(found)
    line = one_line(" ".join(shown))
    return line if len(line) <= COMMAND_MAX else line[: COMMAND_MAX - 1] + HIDDEN


def _harmless(before: str, word: str) -> str:
    if before == "-m" and _MODULE.fullmatch(word):
        return word
    option, equals, _ = word.partition("=")
    if equals and option.startswith("--") and _HARMLESS_ARGUMENT.fullmatch(option):
        return f"{option}={HIDDEN}"
    if _HARMLESS_ARGUMENT.fullmatch(word) or options.find(word):
        return word
    return HIDDEN


def user(folder: Path | str) -> str:
    """Return the name of the real user of a process, or its number where it has no name."""
    number = _value(f"{folder}/status", "Uid:")
    try:
        return pwd.getpwuid(int(number)).pw_name
    except (KeyError, ValueError):
        return number


def _value(file: str, key: str) -> str:
    """Return the first word behind `key` at the beginning of a line; empty if there is none."""
    with open(file, encoding="utf-8", errors="replace") as lines:
        return next((line.split()[1] for line in lines if line.startswith(key)), "")


def unit(folder: Path | str) -> str:
    """Return the systemd unit or the container that a process belongs to, empty if it has none."""
    with open(f"{folder}/cgroup", encoding="utf-8", errors="replace") as file:
        return unit_of(file.read())


def unit_of(cgroup: str) -> str:
    """Return what /proc/PID/cgroup names: "docker 0123456789ab", "cron.service", "lxc web".

    Both versions of cgroups: the first line with a container wins, else the last unit in a path.
    """
    paths = [line.split(":", 2)[2] for line in cgroup.splitlines() if line.count(":") >= 2]
    for path in paths:
        if found := _CONTAINER.search(path) or _PLAIN_CONTAINER.search(path):
            return f"{_NAMES.get(found[1], found[1])} {found[2]}"
        if found := _MACHINE.search(path):
            return f"lxc {found[2]}"
    parts = (part for path in paths for part in reversed(path.split("/")))
    return next((part for part in parts if part.endswith((".service", ".scope"))), "")
