"""The program that `framebus up` becomes once all is checked: it runs the parts, and that is all.

    python -I -S supervise.py PARTS GREETER

PARTS is the descriptor of what part.py packed. GREETER is the process id of a child of ours that
ends by itself once it has told a person where the page is.

It is a process of its own, and stays for weeks, mostly to wait: so it imports next to nothing, no
`site`, click, dataclasses, typing, re, logging or subprocess, nor a part of framebus that does.
That makes a third of the memory. (Tested, since one import too many would bring all back.)
"""

import contextlib
import os
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from framebus.cli.part import unpacked
from framebus.cli.supervisor import Supervisor
from framebus.log_lines import prefix, to_journal


def _say(line: str) -> None:
    """Tell a person one line; a terminal or pipe that has gone is no reason to end."""
    shown = line if line.isprintable() else ascii(line)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{prefix('up', 'INFO', None if _JOURNAL else time.time())}{shown}\n")
        sys.stderr.flush()


def _close_at_exec() -> None:
    """Have no child inherit what was open when `framebus up` was started."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the directory's own, which is closed again
                os.set_inheritable(int(name), False)


def main() -> int:
    """Run the parts until a signal; return the exit code."""
    parts, greeter = int(sys.argv[1]), int(sys.argv[2])
    with os.fdopen(parts, "rb") as file:
        told = file.read()
    _close_at_exec()
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("framebus")  # as ps and killall know the program that we were
    return Supervisor(unpacked(told), environ=os.environ, say=_say, greeter=greeter).run()


_JOURNAL = to_journal(2, os.environ)

if __name__ == "__main__":
    sys.exit(main())
