"""The host's half: boots guests, collects their results as they come, and goes on where it stopped.

A guest that hangs, panics or is lost costs the case that was under way, as a failed one; another
guest runs the rest.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.guest.cache import KERNELS
from tests.guest.machine import TREE, booted
from tests.guest.prepare import prepare
from tests.guest.recovery.cases import Case
from tests.guest.recovery.inside import LOG, PLAN, RESULTS
from tests.guest.recovery.results import END_CASE, Result

_PATIENCE_S = 600.0
"""Without a line for so long a guest hangs: a boot, a start of everything, on a busy machine."""
_GUEST_LIMIT_S = 12 * 3600.0

_ENDED = object()

Plan = list[tuple[Case, int]]


def revision() -> str:
    """Return the commit of the checkout, with a "+" if it was changed since."""
    found = subprocess.run(
        ["git", "-C", str(TREE), "describe", "--always", "--abbrev=12", "--dirty=+"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def read(file: Path) -> list[Result]:
    """Return the results that were collected in a file; none if there is none."""
    if not file.exists():
        return []
    return [Result.parse(line) for line in file.read_text().splitlines() if line]


def remaining(cases: Sequence[Case], times: int, done: Iterable[Result]) -> Plan:
    """Return what is still to run, so that each case has `times` results. Pure."""
    runs = Counter((result.case, result.fps) for result in done)
    plan = [(case, times - runs[case.name, case.fault.fps]) for case in cases]
    return [(case, left) for case, left in plan if left > 0]


class Lines:
    """The lines of a file that another process appends to, each once it is whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def new(self) -> list[str]:
        """Return those that have come since the last call."""
        try:
            written = self._file.read_bytes()
        except FileNotFoundError:
            return []
        whole = written[: written.rfind(b"\n") + 1]
        lines = whole[self._read :].decode().splitlines()
        self._read = len(whole)
        return lines


def shares(plan: Plan, guests: int) -> list[Plan]:
    """Deal a plan out to so many guests: each gets every case, as often as the others. Pure.

    What does not come out even goes round. A guest that would get nothing is left out.
    """
    dealt = [
        [
            (case, (times + (guest + at) % guests) // guests)
            for at, (case, times) in enumerate(plan)
            if times + (guest + at) % guests >= guests
        ]
        for guest in range(guests)
    ]
    return [share for share in dealt if share]


def order(plan: Plan) -> list[Case]:
    """Return each run of a plan, in an order that starts few processes anew. Pure.

    By camera and stack; within these round after round, the cases that want a new daemon last.
    """
    runs = [(round_, case) for case, times in plan for round_ in range(times)]
    runs.sort(key=lambda run: (*run[1].group, run[0], run[1].fault.fresh))
    return [case for _, case in runs]


def run(
    kernel: str, plan: Plan, *, take: Callable[[Result], None], commit: str = "", guests: int = 1
) -> None:
    """Run a plan in `guests` guests at once; each result is given to `take` as it comes.

    Raises SetupFailed when there can be no guest.
    """
    prepare(KERNELS[kernel])
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(contextlib.closing(_share(kernel, share, take, commit)))
            for share in shares(plan, guests)
        ]
        while running:
            running = [one for one in running if next(one, _ENDED) is not _ENDED]


def _share(
    kernel: str, plan: Plan, take: Callable[[Result], None], commit: str
) -> Generator[None, None, None]:
    """Run a plan in one guest after another, as many as it takes; yields at least every 0.1 s."""
    while plan:
        done: Counter[str] = Counter()

        def took(result: Result, done: Counter[str] = done) -> None:
            done[result.case] += 1
            take(replace(result, revision=commit))

        yield from _one_guest(kernel, plan, took)
        if not done:
            raise RuntimeError("the guest ended without a single result")
        plan = [(case, times - done[case.name]) for case, times in plan]
        plan = [(case, times) for case, times in plan if times > 0]


def _one_guest(
    kernel: str, plan: Plan, take: Callable[[Result], None]
) -> Generator[None, None, None]:
    """Run a plan in one guest; what it was at when it was lost is a failed result."""
    document = {
        "kernel": kernel,
        "cases": [[case.name, case.fault.fps] for case in order(plan)],
    }
    with booted(
        KERNELS[kernel],
        [sys.executable, "-m", "tests.guest.recovery.inside"],
        limit_s=_GUEST_LIMIT_S,
        environment={"PYTHONPATH": f"{TREE}:{TREE / 'shared'}", "PYTHONDONTWRITEBYTECODE": "1"},
        folder=TREE,
        files={PLAN: json.dumps(document)},
        counted=True,
    ) as guest:
        faults = [case.fault for case, _ in plan]
        # Busy, a guest's second may take ten of this machine's.
        patience_s = _PATIENCE_S + 10 * max(fault.hold_s + fault.limit_s for fault in faults)
        lines = Lines(guest.job / RESULTS)
        under_way, said = "", bytearray()
        heard_s = time.monotonic()

        def collect() -> None:
            nonlocal under_way, heard_s
            for line in lines.new():
                heard_s = time.monotonic()
                begun = json.loads(line).get("begin", "")
                if not begun:
                    take(Result.parse(line))
                under_way = begun

        for output in guest.output(lambda: time.monotonic() - heard_s > patience_s):
            said += output
            collect()
            yield
        outcome = guest.outcome()
        collect()
        if outcome.status == 0:
            return
        log = guest.job / LOG
        evidence = {
            "guest": outcome.explain().splitlines()[-40:],
            "output": said.decode(errors="replace").splitlines()[-40:],
            "log": log.read_text(errors="replace").splitlines()[-60:] if log.exists() else [],
        }
    problem = f"the guest {outcome.ending.value}"
    rates = {case.name: case.fault.fps for case, _ in plan}
    lost = Result(
        case=under_way or END_CASE,
        kernel=kernel,
        fps=rates.get(under_way, 0),
        problems=[problem],
        evidence=evidence,
    )
    take(lost)
