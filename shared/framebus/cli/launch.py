"""Runs a Python module as a child that ends when its parent does, however the parent ends.

    python -m framebus.cli.launch PARENT_PID MODULE [ARGUMENT…]

`framebus up` starts its children through this: the kernel then sends them SIGTERM when `up` dies,
by SIGKILL too (prctl(2), PR_SET_PDEATHSIG; it survives exec, and a child's own children do not
inherit it). It is set here, in the child, because code between fork and exec is not safe.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

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


def main() -> None:
    """Bind this process's life to its parent's and become the module."""
    parent, module, *arguments = sys.argv[1:]
    end_with_parent(int(parent))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
