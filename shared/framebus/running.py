"""Which cameras run on this machine, and in which runtime directories; nothing is believed unseen.

A camera runs while a process holds its lock: the kernel says so, and no file. Runtime directories
that this process was not told of are looked for where framebus makes them, and where a control
socket is bound now (/proc/net/unix, which everybody may read). What others may have planted there
is looked at by `lstat`, opened without following links or waiting, and said to be theirs; nothing
in it is connected to.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from framebus.errors import BadCameraName, raise_shortage
from framebus.liveness import holder
from framebus.names import (
    SYSTEM_RUNTIME,
    CameraNames,
    cameras,
    check_camera_name,
    entries,
    same_file,
)

_SESSIONS = Path("/run/user")
_BOUND = Path("/proc/net/unix")
_MOST = 256
"""Directories, and entries of one, that are looked at: more is nobody's honest use."""


@dataclass(frozen=True, slots=True)
class RunningCamera:
    """A camera whose daemon runs now."""

    name: str
    pid: int
    """Its daemon's; 0 where that cannot be seen."""


@dataclass(frozen=True, slots=True)
class RuntimeDirectory:
    """A runtime directory as its owner, and the kernel, show it."""

    path: Path
    owner: int
    """User id."""
    group: int
    mode: int
    readable: bool
    """Whether we may look into it. Of one that is not, the names of its sockets are known only."""
    cameras: tuple[RunningCamera, ...]

    @property
    def ours(self) -> bool:
        """Whether what it holds may be asked: it is ours, root's, or where only root makes one."""
        return self.owner in (os.geteuid(), 0) or self.path == SYSTEM_RUNTIME


def running(runtime: Path) -> list[RunningCamera]:
    """Return the cameras that run in one runtime directory, by name. Raises OutOfResources.

    It need not be trusted: what belongs to its owner says who runs there.
    """
    found = []
    for name in itertools.islice(cameras(runtime), _MOST):
        status = _lstat(runtime)
        pid = holder(CameraNames(runtime, name).lock, status.st_uid) if status else 0
        if pid:
            found.append(RunningCamera(name, pid))
    return found


def others(
    than: Path,
    *,
    sessions: Path = _SESSIONS,
    temporary: Path | None = None,
    system: Path = SYSTEM_RUNTIME,
    bound: Path = _BOUND,
) -> list[RuntimeDirectory]:
    """Return the runtime directories besides `than` in which cameras run, as far as can be seen.

    Those that are ours to ask come first. Raises OutOfResources. The keywords say where to look.
    """
    sockets = _bound_sockets(bound)
    if temporary is None:
        import tempfile  # it costs a command's start, and few come here

        temporary = Path(tempfile.gettempdir())
    candidates = dict.fromkeys((system, *_usual(sessions, temporary), *sockets))
    found = []
    for path in itertools.islice(candidates, _MOST):
        if not same_file(path, than):
            directory = examine(path, sockets.get(path, ()))
            if directory is not None and directory.cameras:
                found.append(directory)
    return sorted(found, key=lambda each: (not each.ours, not each.readable, each.path))


def examine(path: Path, bound: Iterable[str] = ()) -> RuntimeDirectory | None:
    """Return what a runtime directory is, None for what is none, or that others may write.

    `bound` are cameras whose sockets are known to be there.
    """
    status = _lstat(path)
    if status is None or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
        return None
    readable = os.access(path, os.R_OK | os.X_OK)
    there = running(path) if readable else []
    # A lock that we may not read says nothing; that a socket is bound says a little.
    hidden = [name for name in bound if _hidden(CameraNames(path, name).lock)]
    there += [RunningCamera(name, 0) for name in sorted(hidden)]
    return RuntimeDirectory(
        path=path,
        owner=status.st_uid,
        group=status.st_gid,
        mode=stat.S_IMODE(status.st_mode),
        readable=readable,
        cameras=tuple(there),
    )


def _hidden(file: Path) -> bool:
    """Whether there is, or may be, a file that we may not read."""
    try:
        file.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(file, os.R_OK)


def _lstat(path: Path) -> os.stat_result | None:
    """Return what a path is, or the directory that we may not enter to see (/run/user/1000)."""
    try:
        return path.lstat()
    except PermissionError:
        return _lstat(path.parent)
    except OSError:
        return None


def _usual(sessions: Path, temporary: Path) -> Iterator[Path]:
    """Yield where framebus makes runtime directories for a user, each where it is that user's."""
    for user in entries(sessions):
        if user.isdecimal():
            yield sessions / user / "framebus"
    for entry in entries(temporary):
        owner = re.fullmatch(r"framebus-(\d{1,10})", entry, re.ASCII)
        if owner:
            path = temporary / entry
            try:
                if path.lstat().st_uid == int(owner[1]):
                    yield path
            except OSError:
                continue


def _bound_sockets(table: Path) -> dict[Path, tuple[str, ...]]:
    """Return the directories with sockets that are called as control sockets, and their cameras.

    Anybody may bind a socket of any name: what is no plain path is left out.
    """
    try:
        text = table.read_bytes().decode(errors="replace")
    except OSError as error:
        raise_shortage(error, f"cannot read {table}")
        return {}
    found: dict[Path, set[str]] = {}
    for line in text.splitlines()[1:]:
        path = line.split(None, 7)[-1]
        if not path.startswith("/") or not path.endswith(".control") or not path.isprintable():
            continue
        directory, _, file = path.rpartition("/")
        try:
            name = check_camera_name(file.removesuffix(".control"))
        except BadCameraName:
            continue
        found.setdefault(Path(directory or "/"), set()).add(name)
    return {directory: tuple(sorted(names)) for directory, names in found.items()}
