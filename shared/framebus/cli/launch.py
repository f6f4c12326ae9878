"""Runs a Python module as a child that ends when its parent does, however the parent ends.

    python -m framebus.cli.launch PARENT_PID MODULE [ARGUMENT…]

`framebus up` starts its children through this: the kernel then sends them SIGTERM when `up` dies,
by SIGKILL too (prctl(2), PR_SET_PDEATHSIG; it survives exec, and a child's own children do not
inherit it). It is set here, in the child, because code between fork and exec is not safe.

It also gives the descriptors that were kept for the child the numbers that sd_listen_fds(3)
promises. FRAMEBUS_KEPT lists those that they came with.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import runpy
import signal
import sys
from collections.abc import MutableMapping

from framebus import installation

KEPT = "FRAMEBUS_KEPT"
_FIRST = 3  # SD_LISTEN_FDS_START
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM when the thread that started this process ends.

    Exits at once if the parent, process id `parent`, is gone already. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    if os.getppid() != parent:
        sys.exit(os.EX_TEMPFAIL)


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
    end_with_parent(int(parent))
    number_kept(os.environ)
    sys.argv = [module, *arguments]
    with installation.told():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
