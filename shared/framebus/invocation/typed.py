"""How a `framebus` command must be typed here: what every remedy, hint and banner goes through.

Installed for all, it is `framebus`; in a checkout's environment that is not activated it is
`.venv/bin/framebus`; run by a Python it is `python -m framebus`. A runtime directory that the next
shell would not find by itself is put in front.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from framebus.names import runtime_dir, same_file

_IN_TEXT = re.compile(r"(?<=`)(?P<sudo>sudo )?framebus(?= [a-z-])")
_UNNAMED = re.compile(r"(framebus ctl [a-z_]+\b)(?![^`;,]*--name)")


def program() -> str:
    """Return what to type for `framebus` in this directory, by how this process was started."""
    import shutil  # only a remedy is typed, and a daemon need not wait for it

    found = shutil.which("framebus")
    started = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("framebus")  # `python -m framebus`, a test's runner
    for each in (started, beside) if started.name == "framebus" else (beside,):
        if found and same_file(Path(found), each):  # a link to it, as in /usr/local/bin, will do
            return "framebus"
        if each.exists():
            return shlex.quote(_shorter(each))
    return f"{shlex.quote(_shorter(Path(sys.executable)))} -m framebus"


def command(
    *words: str, runtime: Path | None = None, user: str | None = None, root: bool = False
) -> str:
    """Return a command to be typed: `framebus` and its words.

    `runtime` is the directory that it must be told of, None for this command's own, which stands
    there only if a new shell would not find it; `root` has root, or `user`, do it.
    """
    runtime = runtime or told(os.environ, runtime_dir())
    line = " ".join([program(), *map(shlex.quote, words)])
    if runtime is not None:
        line = f"FRAMEBUS_RUNTIME_DIR={shlex.quote(os.path.abspath(runtime))} {line}"
    if not root:
        return line
    become = f"sudo -u {shlex.quote(user)}" if user else "sudo"
    return f"{become} env {line}" if runtime is not None else f"{become} {line}"


def remedies(text: str) -> str:
    """Return a message with its `framebus …` commands as they must be typed here."""
    line, as_root = command(), command(root=True)
    return _IN_TEXT.sub(lambda found: as_root if found["sudo"] else line, text)


def for_camera(text: str, camera: str | None) -> str:
    """Return a message with the camera's name, if one is needed, in each `framebus ctl` of it."""
    return text if camera is None else _UNNAMED.sub(rf"\1 --name {camera}", text)


def told(environ: Mapping[str, str], runtime: Path) -> Path | None:
    """Return `runtime` if a new shell of the same user would not find it by itself, else None."""
    without = {
        name: value
        for name, value in environ.items()
        if name not in ("FRAMEBUS_RUNTIME_DIR", "RUNTIME_DIRECTORY")
    }
    return None if runtime_dir(without) == runtime else runtime


def _shorter(path: Path) -> str:
    """Return a program's path as short as it can be typed in this directory."""
    full = os.path.abspath(path)  # not resolved: a venv's links are what makes it one
    try:
        near = os.path.relpath(full)
    except (OSError, ValueError):  # the directory was removed
        return full
    if near.startswith("../"):
        return full
    return near if "/" in near else f"./{near}"
