"""Runs a Python module as a child that ends when its parent does, however the parent ends.

    python -m framebus.cli.launch PARENT_PID MODULE [ARGUMENT…]

`framebus up` starts its children through this: the kernel then sends them SIGTERM when `up` dies,
by SIGKILL too (end_with_parent.py). It stays in this process, which is its module's: no second
interpreter has to start.

It also gives the descriptors that were kept for the child the numbers that sd_listen_fds(3)
promises. FRAMEBUS_KEPT lists those that they came with.
"""

from __future__ import annotations

import fcntl
import os
import runpy
import signal
import sys
from collections.abc import MutableMapping

from framebus import installation
from framebus.cli.part import KEPT
from framebus.end_with_parent import end_with_parent

_FIRST = 3  # SD_LISTEN_FDS_START


def number_kept(environ: MutableMapping[str, str]) -> None:
    """Move kept descriptors to 3 and up, and say so as sd_listen_fds(3) does."""
    came = [int(number) for number in environ.pop(KEPT, "").split(",") if number]
    if not came:
        return
    past = _FIRST + len(came)
    aside = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, past) for fd in came]
    for fd in came:
        os.close(fd)
    for index, fd in enumerate(aside):
        os.dup2(fd, _FIRST + index)
        os.close(fd)
    environ["LISTEN_PID"] = str(os.getpid())
    environ["LISTEN_FDS"] = str(len(came))


def main() -> None:
    """Bind this process's life to its parent's and become the module."""
    parent, module, *arguments = sys.argv[1:]
    end_with_parent(int(parent), signal.SIGTERM)
    number_kept(os.environ)
    sys.argv = [module, *arguments]
    with installation.told():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
