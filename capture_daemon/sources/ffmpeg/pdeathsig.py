"""Runs a program that the kernel kills when the thread that started it ends.

    python -I -S pdeathsig.py PARENT_PID PROGRAM [ARGUMENT ...]

A program of its own, run by path: the daemon never forks, and preexec_fn would make it. So the
child itself asks for the signal (prctl(2), PR_SET_PDEATHSIG; kept across execve), checks that the
parent did not die before it asked, and becomes PROGRAM. It imports nothing of framebus.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns: becomes PROGRAM, or exits with 127 (it cannot run) or 1 (parent is gone)."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606 - that there is no shell is the purpose
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
