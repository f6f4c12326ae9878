"""framebus installed in the guest's Debian, by the commands of docs/operations.md as they stand.

Only its first step, pip, is done otherwise: there is no network in the guest, so /opt/framebus is
made of what these tests run with, by links and mounts. What a person edits by hand is given.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.guest.inside.units import command
from tests.guest.machine import TREE

_OPERATIONS = TREE / "docs/operations.md"
_INSTALLED = Path("/opt/framebus")
_LENT = Path("/opt/framebus-guest")
"""Where Python and the packages are for every user: a checkout may be in somebody's own folder."""
_PACKAGES = {
    "framebus": TREE / "shared/framebus",
    "capture_daemon": TREE / "capture_daemon",
    "web_workers": TREE / "web_workers",
}
_FOLLOWED = frozenset({"install", "systemd-sysusers", "systemd-tmpfiles", "udevadm", "systemctl"})

Edit = Callable[[str], str]


def install_program() -> None:
    """Make /opt/framebus: a virtual environment, as pip would have filled it."""
    base = Path(sys.base_prefix)
    python = Path(sys.executable).resolve()
    if base != Path("/usr"):  # the guest's own there
        lent = _lend(base, _LENT / "python")
        python = lent / python.relative_to(base)
        for shared in (lent / "lib").glob("libpython*.so*"):
            Path("/usr/lib", shared.name).symlink_to(shared)
    (_INSTALLED / "bin").mkdir(parents=True)
    (_INSTALLED / "pyvenv.cfg").write_text(f"home = {python.parent}\n")
    (_INSTALLED / "bin/python").symlink_to(python)
    script = Path(sys.prefix, "bin/framebus").read_text().partition("\n")[2]
    (_INSTALLED / "bin/framebus").write_text(f"#!{_INSTALLED}/bin/python\n{script}")
    (_INSTALLED / "bin/framebus").chmod(0o755)
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    packages = _INSTALLED / library
    packages.mkdir(parents=True)
    for entry in _lend(Path(sys.prefix, library), _LENT / "packages").iterdir():
        if entry.name not in _PACKAGES and not entry.name.startswith("__editable__"):
            (packages / entry.name).symlink_to(entry)
    for name, folder in _PACKAGES.items():
        _lend(folder, packages / name)


def _lend(folder: Path, place: Path) -> Path:
    """Have `folder` at `place` too, whoever may look into the folders above it."""
    place.mkdir(parents=True)
    command("mount", "--bind", str(folder), str(place))
    return place


def follow(after: str, before: str, edits: Mapping[str, Edit]) -> None:
    """Carry out the commands of docs/operations.md between two of its phrases.

    Where a person is sent into an editor, `edits` has what becomes of the file.
    """
    text = _OPERATIONS.read_text()
    part = text[text.index(after) : text.index(before)]
    for words in _commands(part):
        if words[0] == "nano":
            file = Path(words[1])
            file.write_text(edits[words[1]](file.read_text()))
        elif words[0] in _FOLLOWED:
            command(*words)


def _commands(part: str) -> Iterator[list[str]]:
    """Yield the words of each command that is to be run as root, without its `sudo`."""
    for block in part.split("```")[1::2]:
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["sudo"]:
                yield words[1:]


def add_to_unit(unit: str, name: str, text: str) -> None:
    """Write a drop-in, as `systemctl edit` does; it counts after the next daemon-reload."""
    folder = Path("/etc/systemd/system") / f"{unit}.d"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.conf").write_text(text)
