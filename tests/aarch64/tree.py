"""A Python for aarch64, unpacked from Debian's packages: made once, and kept in the cache.

`python -m tests.aarch64.tree` makes it and says where it is. It knows nothing of the tests.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.guest.cache import cache_dir, locked
from tests.guest.debian import KEYRING, SetupFailed, mirror, run

PROGRAM = "AARCH64_PYTHON"
"""The variable that names what is Python there: the kernel cannot start the real one."""
EMULATOR = "qemu-aarch64-static"
COMPILER = "aarch64-linux-gnu-gcc"
_SUITE = "bookworm"
_PACKAGES = ("python3.11", "python3-zmq", "python3-xxhash", "python3-hypothesis", "python3-pil")
"""Python, and what has parts in C, or is not to be had without (hypothesis): all else is this
venv's. The oldest Python that framebus runs on, and so any is as good."""
_ROOT = Path(__file__).parents[2]


def why_not() -> str:
    """Return why nothing can run on aarch64 here; empty if it can."""
    missing = [name for name in (EMULATOR, COMPILER) if shutil.which(name) is None]
    return f"{' and '.join(missing)} missing" if missing else ""


def prepare() -> Path:
    """Return the tree with the Python, made if it is not there. Raises SetupFailed."""
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    tree = cache_dir() / f"aarch64-{recipe}"
    with locked("aarch64"):
        if not tree.exists():
            for old in cache_dir().glob("aarch64-*"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix=".making-", dir=cache_dir()) as scratch:
                _make(Path(scratch))
                (Path(scratch) / "tree").rename(tree)
    return tree


def interpreter(tree: Path, folder: Path) -> Path:
    """Return a program of `folder`, made here, that is Python on aarch64 in this checkout."""
    path = ":".join(
        map(
            str,
            (
                tree / "usr/lib/python3/dist-packages",
                _ROOT,
                _ROOT / "shared",
                sysconfig.get_path("purelib"),
            ),
        )
    )
    command = [EMULATOR, "-L", tree, tree / "usr/bin/python3.11"]
    program = folder / "python-aarch64"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(path)} exec {shlex.join(map(str, command))} "$@"\n'
    )
    program.chmod(0o755)
    return program


def _make(scratch: Path) -> None:
    """Unpack the packages, and all that they depend on, into `scratch`/tree."""
    for name in ("lists/partial", "archives/partial", "tree"):
        (scratch / name).mkdir(parents=True)
    sources = scratch / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {_SUITE} main\n")
    options = (
        f"-oDir::State::lists={scratch}/lists",
        f"-oDir::Cache={scratch}",
        "-oDir::State::status=/dev/null",  # as if nothing were installed: all of it is wanted
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=-",
        "-oDir::Etc::preferencesparts=-",
        "-oAPT::Update::Post-Invoke-Success::=",
        "-oAPT::Sandbox::User=",
        "-oAPT::Architecture=arm64",
        "-oAPT::Architectures::=arm64",
        "-oAPT::Install-Recommends=false",
    )
    _apt(options, "update")
    _apt(options, "install", "--download-only", "--yes", *_PACKAGES)
    for file in sorted((scratch / "archives").glob("*.deb")):
        run("dpkg", "-x", file, scratch / "tree")


def _apt(options: Sequence[str], *arguments: str) -> None:
    run("apt-get", *options, "--quiet", *arguments)


def main() -> int:
    """Make it."""
    try:
        sys.stdout.write(f"{prepare()}\n")
    except SetupFailed as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_UNAVAILABLE
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
