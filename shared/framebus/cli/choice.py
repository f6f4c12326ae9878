"""Which camera a command means, and what to say when that one does not run here.

Not named, it is the one that runs. Where none of that name runs, the message says which do: in this
runtime directory, and in others of this machine, with the command for each.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from framebus.errors import CameraAbsent, FramebusError, FrameTimeout, NoPermission, UsageError
from framebus.invocation import typed
from framebus.names import DEFAULT_CAMERA, CameraNames, check_runtime_dir, runtime_dir
from framebus.options import flags
from framebus.options.flags import Command
from framebus.options.table import NAME
from framebus.running import RunningCamera, RuntimeDirectory, examine, others, running
from framebus.spelling import closest

_MOST = 16
"""Cameras that one message lists."""


def option(command: Command) -> Command:
    """Give a click command the option that says which camera."""
    return flags.flag(NAME, "The camera's name. [default: the one that runs]")(command)


def choose(name: str | None, words: Sequence[str]) -> CameraNames:
    """Return the names of the camera that is meant: the one named, else the one that runs.

    With none running it is the default one, which may be about to start. `words` are the command,
    as messages shall show it. Raises UsageError when several run, and NoPermission when that cannot
    be seen.
    """
    runtime = check_runtime_dir(runtime_dir())
    there = os.path.exists(runtime)  # Path.exists raises where one may not look
    if there and not runtime.is_dir():
        raise UsageError(
            f"{runtime} is no directory: set FRAMEBUS_RUNTIME_DIR to one, or leave it out"
        )
    needed = os.X_OK if name is not None else os.X_OK | os.R_OK
    if there and not os.access(runtime, needed):
        directory = examine(runtime)
        named = (*words, "--name", name) if name is not None else words
        grant = f": {_granted(directory, named)}" if directory else ": run as its owner"
        raise NoPermission(f"no permission to look into {runtime}{grant}")
    if name is not None:
        return CameraNames(runtime, name)
    found = running(runtime)
    if len(found) > 1:
        first = typed.command(*words, "--name", found[0].name)
        raise UsageError(
            f"{len(found)} cameras run in {runtime}: {listed(found)}. Say which, as in `{first}`"
        )
    return CameraNames(runtime, found[0].name if found else DEFAULT_CAMERA)


@contextmanager
def explained(names: CameraNames, name: str | None, words: Sequence[str]) -> Iterator[None]:
    """Have a CameraAbsent say where there are cameras. `name` is what the person gave.

    A FrameTimeout for want of a daemon is one, too. What else is raised has the camera's name in
    its commands, if it had to be given.
    """
    try:
        yield
    except FramebusError as error:
        waits = isinstance(error, CameraAbsent | FrameTimeout)
        if waits and (absent := absence(names, name, words)):
            raise CameraAbsent(absent) from error
        if error.args:
            error.args = (typed.for_camera(str(error.args[0]), name), *error.args[1:])
        raise


def absence(names: CameraNames, name: str | None, words: Sequence[str]) -> str:
    """Return why a camera is not there and what to type instead; "" if it is there."""
    here = running(names.runtime)
    if any(each.name == names.camera for each in here):
        return ""
    if name is None:
        what, start = f"no camera runs in {names.runtime}", typed.command("up")
    else:
        what = f"no daemon serves camera {name!r} in {names.runtime}"
        start = typed.command("up", "--name", name)
    if here:
        meant = closest(names.camera, [each.name for each in here]) or here[0].name
        instead = typed.command(*words, "--name", meant)
        found = f", where {listed(here)} {_runs(here)}: type `{instead}`, or"
    elif elsewhere := sorted(others(names.runtime), key=lambda each: _lacks(each, name)):
        found = f", but {_directory(elsewhere[0], name, words)}{_more(elsewhere[1:])}; or"
    else:
        found = ":"
    return f"{what}{found} start one here with `{start}`"


def listed(cameras: Sequence[RunningCamera]) -> str:
    """Return the names of cameras in one line."""
    more = len(cameras) - _MOST
    names = [each.name for each in cameras[:_MOST]] + ([f"{more} more"] if more > 0 else [])
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def user(number: int) -> str:
    """Return a user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"


def group(number: int) -> str:
    """Return a group's name, or the number of one that has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return f"#{number}"


def missing_group(file: Path) -> str:
    """Return how to get into the group of a file that we may not use, "" where that is not it."""
    try:
        number = file.stat().st_gid
    except OSError:
        return ""
    if number in (0, os.getegid(), *os.getgroups()):
        return ""
    return f" ({_joining(number)})"


def remedy(directory: RuntimeDirectory, words: Sequence[str]) -> str:
    """Return what lets this person give a command to the cameras of another directory."""
    if directory.readable and directory.ours:
        return f"type `{typed.command(*words, runtime=directory.path)}`"
    if os.geteuid() == 0:
        return (
            f"if you trust user {user(directory.owner)}, type "
            f"`{typed.command(*words, runtime=directory.path)}`"
        )
    return _granted(directory, words)


def _directory(directory: RuntimeDirectory, name: str | None, words: Sequence[str]) -> str:
    there = [each.name for each in directory.cameras]
    whose = "" if directory.ours else f", of user {user(directory.owner)}"
    if name in there or (name is None and len(there) > 1):
        words = (*words, "--name", name or there[0])
    elif name is not None:
        words = (*words, "--name", closest(name, there) or there[0])
    found = f"{listed(directory.cameras)} {_runs(directory.cameras)} in {directory.path}{whose}"
    return f"{found}: {remedy(directory, words)}"


def _granted(directory: RuntimeDirectory, words: Sequence[str]) -> str:
    """Return what would let this person look into a directory."""
    owner, of = user(directory.owner), group(directory.group)
    become = typed.command(
        *words, runtime=directory.path, user=None if directory.owner == 0 else owner, root=True
    )
    shared = directory.mode & 0o050 == 0o050 and of not in (owner, "root")
    if not shared or directory.group in (os.getegid(), *os.getgroups()):
        return f"it is user {owner}'s: type `{become}`"
    return f"{_joining(directory.group)}; until then `{become}`"


def _joining(number: int) -> str:
    """Return how this user gets into a group of which this process is not."""
    me, of = user(os.geteuid()), group(number)
    try:
        member = me in grp.getgrgid(number).gr_mem
    except KeyError:
        member = False
    if member:
        return f"you are in the group {of} once you have logged in again"
    return f"you are not in the group {of}: `sudo adduser {me} {of}`, then log in again"


def _lacks(directory: RuntimeDirectory, name: str | None) -> bool:
    return name is not None and all(each.name != name for each in directory.cameras)


def _runs(cameras: Sequence[RunningCamera]) -> str:
    return "runs" if len(cameras) == 1 else "run"


def _more(directories: Sequence[RuntimeDirectory]) -> str:
    if not directories:
        return ""
    paths = ", ".join(str(each.path) for each in directories[:_MOST])
    return f" (others run in {paths}: see `{typed.command('ls')}`)"
