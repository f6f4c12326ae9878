"""Has the kernel send this process a signal when whoever started it ends, however that ends.

    python -I -S end_with_parent.py PARENT_PID SIGNAL_NUMBER PROGRAM [ARGUMENT ...]

As a program, run by path, it then becomes PROGRAM: code between fork and exec is not safe, and a
daemon that has a camera open may not run any. It imports nothing of framebus, and no `signal`,
which would take a quarter of its start.

prctl(2), PR_SET_PDEATHSIG: tied to the *thread* that started this process, kept across execve, not
inherited by children.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int, number: int) -> None:
    """Ask the kernel for signal `number` when the thread that started this process ends.

    Exits at once if the parent, process id `parent`, is gone already. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    if os.getppid() != parent:
        sys.exit(os.EX_TEMPFAIL)


def main() -> None:
    """Never returns: becomes PROGRAM, or exits with 127 (it cannot run) or 75 (parent is gone)."""
    parent, number, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    end_with_parent(parent, number)
    try:
        os.execvp(program[0], program)  # noqa: S606 - that there is no shell is the purpose
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
