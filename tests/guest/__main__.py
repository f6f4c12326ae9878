"""A command in a fresh guest: `tests/guest/run [OPTIONS] COMMAND …`.

Its output comes live, its exit status is passed on. What is not the command's own ends with 124
(time limit), 125 (no guest, or it was lost) or 126 (kernel panic) and says so on standard error.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from tests.guest.cache import KERNELS
from tests.guest.debian import SetupFailed
from tests.guest.machine import DEFAULT_LIMIT_S, Ending, booted
from tests.guest.prepare import prepare, prepare_system

_STATUS = {Ending.HUNG: 124, Ending.LOST: 125, Ending.PANICKED: 126}


def _interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="tests/guest/run", description=__doc__)
    parser.add_argument("--kernel", choices=KERNELS, default="stable", help="default: stable")
    parser.add_argument("--limit", type=float, default=DEFAULT_LIMIT_S, metavar="SECONDS")
    parser.add_argument("--systemd", action="store_true", help="with systemd as init")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND …")
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("which command?")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        kernel = prepare(KERNELS[options.kernel])
        if options.systemd:
            prepare_system()
    except SetupFailed as error:
        sys.stderr.write(f"tests/guest/run: {error}\n")
        return 125
    with booted(kernel, command, limit_s=options.limit, systemd=options.systemd) as guest:
        for data in guest.output():
            os.write(sys.stdout.fileno(), data)
        outcome = guest.outcome()
    if outcome.status is not None:
        return outcome.status
    sys.stderr.write(f"tests/guest/run: {outcome.explain()}\n")
    return _STATUS[outcome.ending]


if __name__ == "__main__":
    sys.exit(main())
