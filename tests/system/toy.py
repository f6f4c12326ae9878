"""A supervisor with toy children, as a program: `python -m tests.system.toy supervise DIR KIND…`.

Each child of KIND appends its process id to DIR/KIND and then behaves as its name says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from framebus.cli.part import Part
from framebus.cli.supervisor import Supervisor

from capture_daemon.ownership.keeper_client import KeeperClient, handed_over


def supervise(directory: Path, kinds: list[str]) -> int:
    launch = [sys.executable, "-m", "framebus.cli.launch", str(os.getpid()), "tests.system.toy"]
    return Supervisor(
        [
            Part(
                kind,
                [*launch, "child", str(directory), kind],
                keeps=tempfile.gettempdir() if kind.startswith("keeper") else "",
            )
            for kind in kinds
        ],
        environ=os.environ,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    ).run()


def record(file: Path, pid: int) -> None:
    with file.open("a") as lines:
        lines.write(f"{pid}\n")


def child(directory: Path, kind: str) -> None:
    if kind.startswith("exit"):
        record(directory / kind, os.getpid())
        sys.exit(int(kind.removeprefix("exit")))
    if kind == "parent":
        record(directory / "grandchild", subprocess.Popen(["sleep", "600"]).pid)
    if kind.startswith("keeper"):
        keep(directory, forget=kind == "keeper-forgets")
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    record(directory / kind, os.getpid())
    threading.Event().wait()


def keep(directory: Path, *, forget: bool) -> None:
    """Count lives in a file that no name leads to: only who was handed it over finds the count."""
    keeper = KeeperClient(os.environ)
    fd = handed_over(os.environ)
    if fd is None:
        fd = os.memfd_create("lives")
    os.write(fd, b"+")
    lives = os.pread(fd, 100, 0).decode()
    keeper.let_go()
    keeper.keep(fd)
    if forget:
        keeper.let_go()
    (directory / ".lives").write_text(lives)


def main() -> None:
    what, directory, *kinds = sys.argv[1:]
    if what == "supervise":
        sys.exit(supervise(Path(directory), kinds))
    child(Path(directory), kinds[0])


if __name__ == "__main__":
    main()
