"""The table fault by state: `python -m tests.guest.recovery --times 20 [--only NAME …]`.

Results are appended to a file as they come, and a run that was broken off goes on where it stopped
as long as the commit is the same. With --write-docs the table in docs/recovery.md is written from
that file. With --durations it is the other table, of faults that last (durations.py). Exits with 1
when a run had a problem.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.guest.cache import KERNELS
from tests.guest.debian import SetupFailed
from tests.guest.machine import TREE
from tests.guest.recovery import durations, host, lasted, report
from tests.guest.recovery.cases import FPS
from tests.guest.recovery.durations import DURATIONS_S
from tests.guest.recovery.results import Result
from tests.guest.recovery.table import cases, everything

PAGE = TREE / "docs" / "recovery.md"
_FILE = TREE / "out" / "recovery.jsonl"
_DURATIONS_FILE = _FILE.with_name("durations.jsonl")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.guest.recovery", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="runs of each case (default: 20)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a fault, or fault@state"
    )
    parser.add_argument(
        "--kernel", action="append", choices=KERNELS, help="default: each, one after another"
    )
    parser.add_argument(
        "--fps",
        type=int,
        choices=(30, 15, 5),
        default=FPS,
        help=f"of the usual camera (default: {FPS})",
    )
    parser.add_argument(
        "--guests", type=int, default=1, metavar="N", help="run so many side by side (default: 1)"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="where results are kept")
    parser.add_argument(
        "--durations", action="store_true", help="faults that last (--only: kinds of them)"
    )
    parser.add_argument(
        "--longest",
        type=float,
        default=max(DURATIONS_S),
        metavar="SECONDS",
        help="leave longer ones out, with --durations",
    )
    parser.add_argument(
        "--any-commit", action="store_true", help="count results of other commits as done too"
    )
    parser.add_argument("--list", action="store_true", help="name the cases, run nothing")
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--remark", default="", help="a sentence for the page, with --write-docs")
    options = parser.parse_args()
    options.results = options.results or (_DURATIONS_FILE if options.durations else _FILE)
    return options


def _machine() -> str:
    """Say in a few words what the guests run on; no names."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"QEMU without KVM (2 emulated CPUs) on {os.cpu_count()} x {model or platform.machine()}; "
        f"Python {platform.python_version()}"
    )


def _say(result: Result) -> None:
    ten = "-" if result.ten_s is None else f"{result.ten_s:.2f} s"
    found = "-" if result.detected_s is None else f"{result.detected_s:.2f} s"
    verdict = "ok" if result.ok else "; ".join(result.problems)
    print(
        f"{result.kernel} {result.case}: {verdict} (detected {found}, ten frames {ten}, "
        f"{result.rung or 'no rung'}, lost {result.lost}, {' '.join(result.states)}"
        f"{', left: ' + '; '.join(result.left) if result.left else ''})",
        flush=True,
    )


def main() -> int:
    """Run what is still to run, write what is to be written."""
    options = _options()
    chosen = (
        durations.cases(options.only, options.longest) if options.durations else cases(options.only)
    )
    wanted = [case.at(options.fps) for case in chosen]
    if options.list:
        print("\n".join(case.name for case in wanted))
        return 0
    commit = host.revision()
    options.results.parent.mkdir(parents=True, exist_ok=True)

    def counted() -> list[Result]:
        results = host.read(options.results)
        rates = {case.name: case.at(options.fps).fault.fps for case in everything()}
        return [
            one
            for one in results
            if (options.any_commit or one.revision == commit)
            and one.fps == rates.get(one.case, one.fps)
        ]

    with options.results.open("a") as file:

        def take(result: Result) -> None:
            file.write(result.line() + "\n")
            file.flush()
            _say(result)

        try:
            for kernel in options.kernel or KERNELS:
                done = [result for result in counted() if result.kernel == kernel]
                plan = host.remaining(wanted, options.times, done)
                host.run(kernel, plan, take=take, commit=commit, guests=options.guests)
        except SetupFailed as error:
            print(f"no guest: {error}", file=sys.stderr)
            return 125
    results = counted()
    if options.write_docs:
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        under = report.Circumstances(date, _machine(), options.remark)
        if options.durations:
            page = lasted.written(PAGE.read_text(), lasted.tables(results, under))
        else:
            page = report.written(PAGE.read_text(), report.tables(results, everything(), under))
        PAGE.write_text(page)
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
