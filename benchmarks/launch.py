"""Runs a program on some cores, and has the kernel end it when whoever started it ends.

    python -I -S launch.py PARENT_PID CORE[,CORE ...] PROGRAM [ARGUMENT ...]

A program of its own, run by path, so that the benchmark itself never forks. It asks for SIGTERM
and not SIGKILL: a daemon that is told unlinks its segment.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); kept across execve


def main() -> None:
    """Never returns: becomes PROGRAM, or exits with 127 (it cannot run) or 1 (parent is gone)."""
    parent, cores, program = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.sched_setaffinity(0, map(int, cores))
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
